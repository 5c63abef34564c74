"""The event bus of a client: passes events on to whoever waits for one. Safe from any thread."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from evolution_sdk._base.forking import free_in_child, in_child
from evolution_sdk._base.handler_log import tell_handler_failure
from evolution_sdk._base.harmless import harmless, quiet_logger
from evolution_sdk._base.json_types import is_object
from evolution_sdk._base.quiet_log import QuietLog

from .consumption import Claims

if TYPE_CHECKING:
    from evolution_sdk.events import Event

__all__ = ["Cursor", "EventBus"]

_log = quiet_logger("evolution_sdk")
_MOST_STATUSES = 1_000
_MOST_MESSAGES = 500
_STATUS = "messages.update"
_MESSAGE = "messages.upsert"


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the stream of events of one bus.

    Attributes:
        bus: The bus; a cursor means nothing to another one.
        count: How many events had passed by.
    """

    bus: EventBus = field(repr=False)
    count: int


class EventBus:
    """Passes events on to listeners, and remembers the latest ones for those who come late.

    A remembered status counts for every new listener, because a message is sent before anybody can
    wait for it. A remembered message counts only from a cursor on: an older one is no reply.

    Attributes:
        attached: True from the first event on: events do reach this client.
        claims: The events that waits have claimed, so that handlers do not see them.
    """

    def __init__(self) -> None:
        self.attached: bool = False
        self.claims: Claims = Claims()
        self._listeners: tuple[Callable[[Any], object], ...] = ()
        self._statuses: deque[Event] = deque(maxlen=_MOST_STATUSES)
        self._messages: deque[tuple[int, Event]] = deque(maxlen=_MOST_MESSAGES)
        self._count = 0
        self._listener_failures = QuietLog(_log)
        self._lock = free_in_child(threading.Lock())
        in_child(self._begin_anew)

    def _begin_anew(self) -> None:
        # The listeners wait in the parent process, which may be the only one that events reach.
        self.attached = False
        self._listeners = ()

    def feed(self, event: Any) -> None:
        """Pass an event on to every listener; never raises.

        Args:
            event: The event.
        """
        # From now on waits go by events, and ask the store only now and then.
        self.attached = True
        name = getattr(event, "event", None)
        # Made before the lock is taken: a file of many megabytes may have to be left out.
        message = _remembered(event) if name == _MESSAGE else None
        with self._lock:
            self._count += 1
            if name == _STATUS:
                self._statuses.append(event)
            if message is not None:
                self._messages.append((self._count, message))
            listeners = self._listeners
        # Outside of the lock: a listener may feed, listen or end itself.
        for listener in listeners:
            harmless(listener, event, failed=self._listener_failed)

    def _listener_failed(self, error: BaseException) -> None:
        tell_handler_failure(self._listener_failures, "a listener of events", error)

    def cursor(self) -> Cursor:
        """Return the place after the latest event, for :meth:`since`."""
        return Cursor(self, self._count)

    def since(self, cursor: Cursor | None) -> tuple[Event, ...]:
        """Return the messages of others that came after a cursor, as far as remembered.

        Args:
            cursor: The place; None, or one of another bus, for no messages at all.

        Returns:
            Their events, without the files in them, oldest first.
        """
        if cursor is None or cursor.bus is not self:
            return ()
        with self._lock:
            return tuple(event for count, event in self._messages if count > cursor.count)

    def listen(
        self, listener: Callable[[Any], object], *, replay: bool = True
    ) -> Callable[[], None]:
        """Call a function with every event from now on.

        Args:
            listener: Takes an event, in the thread that feeds it.
            replay: True to begin with the remembered statuses.

        Returns:
            A function that ends it.
        """
        with self._lock:
            self._listeners = (*self._listeners, listener)
            statuses = tuple(self._statuses) if replay else ()
        for event in statuses:
            listener(event)

        def end() -> None:
            with self._lock:
                self._listeners = tuple(each for each in self._listeners if each is not listener)

        return end


def _remembered(event: Any) -> Event | None:
    """Return what is kept of a message of somebody else: all but its file. None for own ones."""
    raw = getattr(event, "raw", None)
    data = raw.get("data") if is_object(raw) else None
    key = data.get("key") if is_object(data) else None
    if not is_object(raw) or not is_object(data) or not is_object(key) or key.get("fromMe") is True:
        return None
    message = data.get("message")
    if not is_object(message) or "base64" not in message:
        kept: Event = event
        return kept
    # 500 files of up to 100 MB would be remembered otherwise.
    from evolution_sdk.events import parse_event

    slim = {name: value for name, value in message.items() if name != "base64"}
    body = {**raw, "data": {**data, "message": slim}}
    return parse_event(body, source=event.source, received_at=event.received_at)
