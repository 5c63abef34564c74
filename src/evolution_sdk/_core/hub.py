"""Where events meet those who wait for one. Safe to use from any thread."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

_log = logging.getLogger("evolution_sdk")
_MOST_RECENT = 1_000
_STATUS = "messages.update"


class EventHub:
    """Passes events on to listeners; remembers the latest statuses for those who come late.

    Attributes:
        attached: Whether events come at all: from the first one on.
    """

    def __init__(self) -> None:
        self.attached: bool = False
        self._listeners: tuple[Callable[[Any], object], ...] = ()
        self._recent: deque[Any] = deque(maxlen=_MOST_RECENT)
        self._lock = threading.Lock()

    def feed(self, event: Any) -> None:
        """Tell everybody; never raises.

        Args:
            event: The event.
        """
        self.attached = True
        if getattr(event, "event", None) == _STATUS:
            with self._lock:
                self._recent.append(event)
        for listener in self._listeners:
            try:
                listener(event)
            except Exception as error:  # noqa: BLE001  must not harm who feeds
                _log.warning("a listener of events raised %s", type(error).__name__)

    def listen(self, listener: Callable[[Any], object]) -> Callable[[], None]:
        """Be told of every event from now on, after the remembered statuses.

        Args:
            listener: Takes an event, in the thread that feeds it.

        Returns:
            A function that ends it.
        """
        with self._lock:
            self._listeners = (*self._listeners, listener)
            recent = tuple(self._recent)
        for event in recent:
            listener(event)

        def end() -> None:
            with self._lock:
                self._listeners = tuple(each for each in self._listeners if each is not listener)

        return end
