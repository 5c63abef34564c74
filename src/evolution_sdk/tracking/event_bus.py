"""Where events meet those who wait for one. Safe to use from any thread."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any, TypeAlias

from evolution_sdk._base.forking import free_in_child, in_child
from evolution_sdk._base.handler_log import tell_handler_failure
from evolution_sdk._base.harmless import harmless, quiet_logger
from evolution_sdk._base.json_types import is_object
from evolution_sdk._base.quiet_log import QuietLog

_log = quiet_logger("evolution_sdk")
_MOST_RECENT = 1_000
_MOST_ANSWERS = 500
_STATUS = "messages.update"
_MESSAGE = "messages.upsert"

Mark: TypeAlias = tuple["EventBus", int]
"""A place in the row of events of one hub."""


class EventBus:
    """Passes events on to listeners; remembers the latest ones for those who come late.

    Statuses always count; messages only from a place on that was marked, see :meth:`mark`.

    Attributes:
        attached: Whether events come at all: from the first one on.
    """

    def __init__(self) -> None:
        self.attached: bool = False
        self._listeners: tuple[Callable[[Any], object], ...] = ()
        self._recent: deque[Any] = deque(maxlen=_MOST_RECENT)
        self._answers: deque[tuple[int, Any]] = deque(maxlen=_MOST_ANSWERS)
        self._count = 0
        self._trouble = QuietLog(_log)
        self._lock = free_in_child(threading.Lock())
        in_child(self._begin_anew)

    def _begin_anew(self) -> None:
        """Those who listen wait in the parent; whether events come here has to be seen."""
        self.attached = False
        self._listeners = ()

    def feed(self, event: Any) -> None:
        """Tell everybody; never raises.

        Args:
            event: The event.
        """
        self.attached = True
        name = getattr(event, "event", None)
        kept = _light(event) if name == _MESSAGE else None
        with self._lock:
            self._count += 1
            if name == _STATUS:
                self._recent.append(event)
            if kept is not None:
                self._answers.append((self._count, kept))
            listeners = self._listeners
        for listener in listeners:
            harmless(listener, event, failed=self._listener_failed)

    def _listener_failed(self, error: BaseException) -> None:
        tell_handler_failure(self._trouble, "a listener of events", error)

    def mark(self) -> Mark:
        """The place of the latest event, for :meth:`since`."""
        return self, self._count

    def since(self, mark: Mark | None) -> tuple[Any, ...]:
        """The messages of others that came after a mark of this hub, as far as remembered.

        Args:
            mark: The mark; None for none of them.

        Returns:
            Their events, without the files in them, oldest first.
        """
        if mark is None or mark[0] is not self:
            return ()
        with self._lock:
            return tuple(event for number, event in self._answers if number > mark[1])

    def listen(
        self, listener: Callable[[Any], object], *, replay: bool = True
    ) -> Callable[[], None]:
        """Be told of every event from now on, after the remembered statuses.

        Args:
            listener: Takes an event, in the thread that feeds it.
            replay: Whether the remembered statuses are told first.

        Returns:
            A function that ends it.
        """
        with self._lock:
            self._listeners = (*self._listeners, listener)
            recent = tuple(self._recent) if replay else ()
        for event in recent:
            listener(event)

        def end() -> None:
            with self._lock:
                self._listeners = tuple(each for each in self._listeners if each is not listener)

        return end


def _light(event: Any) -> Any:
    """What is remembered of a message of somebody else: everything but its file; else None."""
    raw = getattr(event, "raw", None)
    data = raw.get("data") if is_object(raw) else None
    key = data.get("key") if is_object(data) else None
    if not is_object(raw) or not is_object(data) or not is_object(key) or key.get("fromMe") is True:
        return None
    message = data.get("message")
    if not is_object(message) or "base64" not in message:
        return event
    from evolution_sdk.events import parse_event

    slim = {name: value for name, value in message.items() if name != "base64"}
    body = {**raw, "data": {**data, "message": slim}}
    return parse_event(body, source=event.source, received_at=event.received_at)
