"""The progress of a history sync: the messages, chats and contacts that follow a new login.

Facts: `facts/versions/baileys.md` "Event → shape" (history). Batches tell their progress since
2.3.7, if WhatsApp told it; the summary at the end came with 2.4. Before, no event says how far the
sync is.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from evolution_sdk._base.bounded_dict import BoundedDict
from evolution_sdk._base.forking import free_in_child
from evolution_sdk._base.json_types import is_array, is_object
from evolution_sdk._common.arguments import checked
from evolution_sdk.errors import RequestValidationError

from ._base import Event
from .contacts_chats_groups import ChatsSet, ContactsUpsert
from .lifecycle import MessagingHistorySet
from .messages import MessagesSet

_WHOLE = 100
# A sync has some dozens of batches; a copy that comes later than that is counted again.
_BATCHES = 200


@dataclass(frozen=True, slots=True)
class HistoryState:
    """The state of an instance's history sync, as far as the server told it.

    The numbers are counted from the events, or those of the summary where one came. Where WhatsApp
    sends the history in several passes, they are those of the last one.

    Attributes:
        instance: Name of the instance.
        progress: Percent of the history that arrived, 0 to 100; None if it was never told.
        is_complete: True once the end was told, False while more is to come; None where nothing
            was told yet: a server before 2.3.7 never tells it.
        messages: Number of messages. The server leaves out those that it already had.
        chats: Number of chats.
        contacts: Number of contacts; those of the address book come in such lists, too.
    """

    instance: str = ""
    progress: int | None = None
    is_complete: bool | None = None
    messages: int = 0
    chats: int = 0
    contacts: int = 0


@dataclass(slots=True)
class _Sync:
    """One pass of the history; WhatsApp may send the recent part first and then all of it."""

    progress: int | None = None
    messages: int = 0
    chats: int = 0
    contacts: int = 0
    summary: tuple[int | None, int | None, int | None] | None = None
    ended_at: str | None = None
    chats_after: int = 0
    seen: BoundedDict[object, None] = field(default_factory=lambda: BoundedDict(_BATCHES))

    def state(self, instance: str) -> HistoryState:
        told = self.summary or (None, None, None)
        counted = (self.messages, self.chats + self.chats_after, self.contacts)
        both = zip(told, counted, strict=True)
        messages, chats, contacts = (here if sum_ is None else sum_ for sum_, here in both)
        complete = None if self.progress is None else self.progress >= _WHOLE
        return HistoryState(instance, self.progress, complete, messages, chats, contacts)


@checked()
class HistoryProgress:
    """Tracker of the history sync of each instance; safe to share between threads.

    It looks at no clock and waits for nothing: give it every event, in any order. Events that come
    twice are counted once.

    Args:
        max_instances: Limit of instances; the one that was told of least recently is dropped first.

    Raises:
        RequestValidationError: ``max_instances`` is below 1.
    """

    def __init__(self, max_instances: int = 10_000) -> None:
        if max_instances < 1:
            raise RequestValidationError("max_instances", "must be at least 1")
        self._syncs: BoundedDict[str, _Sync] = BoundedDict(max_instances)
        self._lock = free_in_child(threading.Lock())

    def update(self, event: Event) -> HistoryState | None:
        """Take in an event.

        Args:
            event: Any event.

        Returns:
            The state after it; None for an event that is not about a history.
        """
        if not isinstance(event, MessagesSet | ChatsSet | ContactsUpsert | MessagingHistorySet):
            return None
        key = (event.delivery_key, event.progress if isinstance(event, MessagesSet) else None)
        with self._lock:
            known = self._syncs.get(event.instance)
            # A list of contacts comes on other occasions, too.
            if isinstance(event, ContactsUpsert) and (known is None or not is_array(_told(event))):
                return None
            sync = known or _Sync()
            if key not in sync.seen:
                sync.seen[key] = None
                sync = _with(sync, event)
            self._syncs[event.instance] = sync
            return sync.state(event.instance)

    def state(self, instance: str) -> HistoryState:
        """Return the state of an instance.

        Args:
            instance: Name of the instance.

        Returns:
            The state; one without numbers if nothing was told of it.
        """
        with self._lock:
            sync = self._syncs.get(instance)
            return HistoryState(instance) if sync is None else sync.state(instance)

    def reset(self, instance: str) -> None:
        """Forget an instance, for example when it was logged out.

        Args:
            instance: Name of the instance.
        """
        with self._lock:
            self._syncs.pop(instance, None)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self._syncs)} instances)"


def _with(sync: _Sync, event: Event) -> _Sync:
    """Add an event to a sync; returns another one if the event begins it."""
    if isinstance(event, MessagesSet):
        return _with_batch(sync, event)
    if isinstance(event, MessagingHistorySet):
        data = event.data
        sync.summary = (data.message_count, data.chat_count, data.contact_count)
        # It is sent at the end alone, whatever its number says.
        _advance(sync, _WHOLE, event.date_time)
    elif isinstance(event, ContactsUpsert):
        sync.contacts += len(event.contacts)
    elif sync.ended_at is None:
        sync.chats += _size(event)
    else:
        # Perhaps the first part of another sync, which only its messages tell.
        sync.chats_after += _size(event)
    return sync


def _with_batch(sync: _Sync, event: MessagesSet) -> _Sync:
    progress = event.progress
    told = progress if progress is not None and 0 <= progress <= _WHOLE else None
    stamp = event.date_time or ""
    if sync.ended_at is not None and told is not None and told < _WHOLE and stamp > sync.ended_at:
        # Batches may overtake each other: only one that was sent after the end begins anew.
        sync = _Sync(chats=sync.chats_after, seen=sync.seen)
    sync.messages += _size(event)
    if told is not None:
        _advance(sync, told, event.date_time)
    return sync


def _advance(sync: _Sync, progress: int, stamp: str | None) -> None:
    sync.progress = max(progress, sync.progress or 0)
    if progress >= _WHOLE:
        sync.ended_at = max(sync.ended_at or "", stamp or "")


def _told(event: Event) -> object:
    # The JSON, not its typed view: a batch may be huge.
    raw: object = event.raw
    return raw.get("data") if is_object(raw) else None


def _size(event: Event) -> int:
    data = _told(event)
    return len(data) if is_array(data) else int(data is not None)
