"""The event bus of a client: passes events on to whoever waits for one. Safe from any thread."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from evolution_sdk._base.forking import free_in_child, in_child
from evolution_sdk._base.handler_log import tell_handler_failure
from evolution_sdk._base.harmless import harmless, quiet_logger
from evolution_sdk._base.json_types import is_object
from evolution_sdk._base.quiet_log import QuietLog

from .consumption import Claims
from .event_topics import MESSAGE, STATUS, RememberedStatuses, Topic, topics_of

if TYPE_CHECKING:
    from evolution_sdk.events import Event
    from evolution_sdk.identity.chat_names import Lids

__all__ = ["Cursor", "EventBus"]

_log = quiet_logger("evolution_sdk")
_MOST_STATUSES = 1_000
_MOST_MESSAGES = 500


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
        lids: Pairs of hidden id and phone, by which chats are told apart.
    """

    def __init__(self) -> None:
        self.attached: bool = False
        self.claims: Claims = Claims()
        self.lids: Lids | None = None
        # By a number that grows: whoever came first is told first.
        self._listeners: dict[int, Callable[[Any], object]] = {}
        self._by_topic: dict[Topic, dict[int, Callable[[Any], object]]] = {}
        self._latest = 0
        self._statuses = RememberedStatuses(_MOST_STATUSES)
        self._messages: deque[tuple[int, Event]] = deque(maxlen=_MOST_MESSAGES)
        self._count = 0
        self._listener_failures = QuietLog(_log)
        self._lock = free_in_child(threading.Lock())
        in_child(self._begin_anew)

    def _begin_anew(self) -> None:
        # The listeners wait in the parent process, which may be the only one that events reach.
        self.attached = False
        self._listeners = {}
        self._by_topic = {}

    def feed(self, event: Any) -> None:
        """Pass an event on to every listener; never raises.

        Args:
            event: The event.
        """
        # From now on waits go by events, and ask the store only now and then.
        self.attached = True
        name = getattr(event, "event", None)
        # Made before the lock is taken: a file of many megabytes may have to be left out.
        message = _remembered(event) if name == MESSAGE else None
        with self._lock:
            self._count += 1
            if name == STATUS:
                self._statuses.add(event)
            if message is not None:
                self._messages.append((self._count, message))
            listeners = tuple(self._listeners.values())
            divided = bool(self._by_topic)
        if divided:
            listeners = self._concerned(event)
        # Outside of the lock: a listener may feed, listen or end itself.
        for listener in listeners:
            harmless(listener, event, failed=self._listener_failed)

    def _concerned(self, event: Any) -> tuple[Callable[[Any], object], ...]:
        """The listeners that an event may concern, in the order in which they came."""
        try:
            topics: Collection[Topic] | None = topics_of(event, self.lids)
        except Exception as error:  # noqa: BLE001 - an odd event concerns all of them
            _log.debug("the topics of an event are not known: %s", type(error).__name__)
            topics = None
        with self._lock:
            found = dict(self._listeners)
            for topic in self._by_topic if topics is None else topics:
                found.update(self._by_topic.get(topic, {}))
        return tuple(found[number] for number in sorted(found))

    def _listener_failed(self, error: BaseException) -> None:
        tell_handler_failure(self._listener_failures, "a listener of events", error)

    @property
    def listening(self) -> int:
        """Number of those who listen."""
        with self._lock:
            return len({*self._listeners, *(n for each in self._by_topic.values() for n in each)})

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
        self,
        listener: Callable[[Any], object],
        *,
        replay: bool = True,
        topics: Collection[Topic] | None = None,
    ) -> Callable[[], None]:
        """Call a function with every event from now on.

        Args:
            listener: Takes an event, in the thread that feeds it.
            replay: True to begin with the remembered statuses.
            topics: What it is about. Default: every event.

        Returns:
            A function that ends it.
        """
        with self._lock:
            self._latest = number = self._latest + 1
            if topics is None:
                self._listeners[number] = listener
            for topic in topics or ():
                self._by_topic.setdefault(topic, {})[number] = listener
            statuses = self._remembered_for(topics) if replay else ()
        for event in statuses:
            listener(event)

        def end() -> None:
            with self._lock:
                self._listeners.pop(number, None)
                for topic in topics or ():
                    same = self._by_topic.get(topic, {})
                    same.pop(number, None)
                    if not same:
                        self._by_topic.pop(topic, None)

        return end

    def _remembered_for(self, topics: Collection[Topic] | None) -> tuple[Event, ...]:
        if topics is None or (STATUS, None) in topics:
            return tuple(self._statuses)
        ids = [about for name, about in topics if name == STATUS]
        return tuple(event for about in ids for event in self._statuses.of(about))


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
