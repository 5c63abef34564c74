"""Backfill: which stretches of the store to read, and which events its messages were. Pure."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from evolution_sdk._base.json_types import is_object
from evolution_sdk.errors import RequestValidationError
from evolution_sdk.events import Event, MessagesUpdate, MessagesUpsert, SendMessage, parse_event
from evolution_sdk.identity.chat_names import Lids
from evolution_sdk.models.message import MessageStatus, StoredMessage

WINDOW = timedelta(hours=6)
MAX_WINDOW = timedelta(days=32)
FEW = 500
"""After a window with fewer messages than this the next one is twice as long."""

_SECOND = timedelta(seconds=1)
_MARGIN = timedelta(days=1)
# What the server's own sends are stored with; phones say android or ios (`facts/events.json`).
_OWN_DEVICES = frozenset({None, "", "web", "unknown"})


def windows(
    since: datetime, until: datetime, size: timedelta, most: timedelta, *, open_end: bool = False
) -> Generator[tuple[datetime, datetime], int | None, None]:
    """Divide a time into windows, oldest first, so that not everything must be held at once.

    Send in the number of messages that a window held; it decides the size of the next one.

    Args:
        since: Beginning (aware).
        until: End (aware).
        size: Length of the first window.
        most: Greatest length.
        open_end: True if the last window reaches a day further, for a server whose clock is ahead.

    Yields:
        Both ends, included, in whole seconds: the store knows no finer times.

    Raises:
        RequestValidationError: A time is naive.
    """
    for name, value in (("since", since), ("until", until)):
        if value.tzinfo is None:
            raise RequestValidationError(name, "must be an aware datetime")
    # The store compares whole seconds: a fraction would leave out the second that it falls into.
    begin = since.astimezone(UTC).replace(microsecond=0)
    end = until.astimezone(UTC).replace(microsecond=0)
    while begin <= end:
        last = min(begin + size - _SECOND, end)
        reach = last + _MARGIN if open_end and last == end else last
        held = (yield begin, reach) or 0
        # Both ends are included in a search, so that the next window begins a second later.
        begin = last + _SECOND
        size = min(size * 2, most) if held < FEW else max(size / 2, _SECOND * 60)


class WindowMessages:
    """The messages of one window."""

    def __init__(self) -> None:
        self._messages: list[StoredMessage] = []

    def take(self, message: StoredMessage) -> None:
        """Take one more message."""
        self._messages.append(message)

    def in_order(self) -> list[StoredMessage]:
        """Return the messages, oldest first.

        The store knows whole seconds; the ids of its rows are cuids (`facts/semantics.md` §6),
        which begin with the time of their making.
        """
        return sorted(self._messages, key=lambda each: (each.timestamp, each.row_id or ""))

    def __len__(self) -> int:
        return len(self._messages)


def events_of(
    message: StoredMessage,
    instance: str,
    now: datetime,
    seen: Callable[[str], bool] | None,
    *,
    statuses: bool = True,
    lids: Lids | None = None,
) -> Iterator[Event]:
    """Make the events that told of one message: the message, then its statuses in order.

    Args:
        message: The message.
        instance: Its instance.
        now: The time at which it was found (aware).
        seen: Tells by ``dedupe_key`` which events are known.
        statuses: True for statuses as well.
        lids: Pairs of hidden id and phone; a row may stand under the one, its event name the other.

    Yields:
        The events that are not known.
    """
    known = seen or _nothing_known

    def event(kind: type[Event], data: Any) -> Event:
        envelope = {"event": kind.wire, "instance": instance, "data": data}
        return parse_event(envelope, source="backfill", received_at=now)

    own = message.from_me
    upsert = event(MessagesUpsert, message.raw)
    send = event(SendMessage, message.raw)
    # The store does not tell the two apart for sure: an own message is known under either name. Of
    # a chat with a hidden id it names that, the event the phone (`facts/versions/baileys.md`).
    others = _other_ids(message, lids)
    names = (message.raw, *_under(others, message))
    told = [event(MessagesUpsert, each) for each in names]
    told += [event(SendMessage, each) for each in names if own]
    if not any(known(each.dedupe_key) for each in told):
        yield send if own and message.source in _OWN_DEVICES else upsert
    if not statuses:
        return
    # A set: the store may hold a status more than once.
    marks = {mark.status for mark in message.message_updates if mark.status is not None}
    for status in sorted(marks, key=_order):
        data = _status_data(message, status)
        told = [event(MessagesUpdate, data)]
        told += [event(MessagesUpdate, {**data, "remoteJid": other}) for other in others]
        if not any(known(each.dedupe_key) for each in told):
            yield told[0]


def _other_ids(message: StoredMessage, lids: Lids | None) -> tuple[str, ...]:
    chat, alt = message.remote_jid, message.key.remote_jid_alt
    learned = () if lids is None else lids.forms([chat])
    return tuple(dict.fromkeys(other for other in (alt, *learned) if other and other != chat))


def _under(chats: Iterable[str], message: StoredMessage) -> Iterator[dict[str, Any]]:
    raw: object = message.raw
    if is_object(raw):
        for chat in chats:
            yield {**raw, "key": {**message.key.raw, "remoteJid": chat}}


def _status_data(message: StoredMessage, status: MessageStatus) -> dict[str, Any]:
    """Return the data of a ``messages.update`` (`facts/events.json`)."""
    key = message.key
    data: dict[str, Any] = {
        "messageId": message.row_id,
        "keyId": key.id,
        "remoteJid": key.remote_jid,
        "fromMe": key.from_me,
        "status": str(status),
        "instanceId": message.instance_id,
    }
    return data if key.participant is None else {**data, "participant": key.participant}


def _order(status: MessageStatus) -> tuple[int, str]:
    return status.rank if status.rank >= 0 else len(MessageStatus), str(status)


def _nothing_known(_key: str) -> bool:
    return False
