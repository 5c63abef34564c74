"""Edits and revocations, each as one change that tells who made it.

The server tells an edit twice since 2.3.7: first in the words of the phone that made it
(``messages.edited``, which names nobody), then as it knows it itself (``messages.update``). A
revocation ends with ``messages.delete``. Facts: `facts/versions/baileys.md` "Event → shape", rows
"edit" and "revoke".
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, TypeAlias

from evolution_sdk._base.bounded_dict import BoundedDict
from evolution_sdk._base.forking import free_in_child
from evolution_sdk._common.arguments import checked
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.identity import Jid
from evolution_sdk.identity.lids import jid_or_none
from evolution_sdk.models.message import MessageKey
from evolution_sdk.models.message_types import MessageKind
from evolution_sdk.operations.server_version import profile_of

from ._base import Event
from .message import EventMessage
from .messages import (
    MessagesDelete,
    MessagesEdited,
    MessagesUpdate,
    MessagesUpsert,
    SendMessage,
    SendMessageUpdate,
)

__all__ = ["ChangeJoiner", "MessageChange"]

_MAX_REMEMBERED = 10_000
_Words: TypeAlias = tuple[str, str, str | None]
"""An edit as both of its events tell it: instance, id of the message, new text."""


@dataclass(frozen=True, slots=True)
class MessageChange:
    """An edit or a revocation of a message.

    A change counts for the message of that id, in that chat, by that sender; in a group an admin
    may revoke what others wrote. Ids alone prove nothing: whoever knows one can name it.

    Attributes:
        instance: Name of the instance.
        kind: ``edited`` or ``revoked``.
        id: WhatsApp id of the message that was changed.
        chat: Its chat; None where it is not known.
        sender: The person who changed it; None where that is not known, and for this account
            where the event does not name the account.
        from_me: True if this account changed it, False if somebody else did, None if unknown.
        message: The message with its new content; None for a revocation, and for an edit that is
            encrypted, which nobody but the phones can read.
        at: Time of the change (aware); None where it is not told.
        proven: True if the server itself tells chat and sender. False for edits on servers before
            2.3.7: there chat and sender are those of the message under that id, if it was seen.
        event: The event that told of it; with a client attached, it can be answered.
    """

    instance: str
    kind: MessageKind
    id: str
    chat: Jid | None
    sender: Jid | None
    from_me: bool | None
    message: EventMessage | None = field(repr=False)
    at: datetime | None
    proven: bool
    event: Event = field(repr=False)

    @property
    def text(self) -> str | None:
        """The new text or caption of an edit; None where there is none."""
        return None if self.message is None else self.message.text


class _Who(NamedTuple):
    chat: Jid | None
    sender: Jid | None
    from_me: bool | None


_NOBODY = _Who(None, None, None)


@checked(but=("take",))  # asked for every event
class ChangeJoiner:
    """Makes one :class:`MessageChange` of all events that tell of the same edit or revocation.

    Give it every event, each once, as a receiver or a stream does; it keeps what it needs in
    memory and waits for nothing. Several threads may share it.

    On servers since 2.3.7, and for all revocations, a change is returned with the event that tells
    who made it. A change of a message that the server does not find in its store is therefore
    never returned: the server tells only ``messages.edited`` of it. On older servers an edit is
    returned at once, not ``proven``.

    Args:
        server_version: The version of the server, such as ``"2.3.7"``.
        max_remembered: Most messages and changes to remember. Default 10 000.

    Raises:
        ConfigurationError: It is no version, or ``max_remembered`` is below 1.
    """

    def __init__(self, server_version: str, *, max_remembered: int = _MAX_REMEMBERED) -> None:
        profile = profile_of(server_version)
        if profile is None:
            raise ConfigurationError(
                f"server_version: {server_version!r} is no version, such as 2.3.7.",
                variable="server_version",
            )
        if max_remembered < 1:
            raise ConfigurationError("max_remembered must be 1 or more", variable="max_remembered")
        self._told_again = profile.has("edits_are_updates")
        self._done: BoundedDict[str, None] = BoundedDict(max_remembered)
        self._times: BoundedDict[_Words, datetime] = BoundedDict(max_remembered)
        self._edits: BoundedDict[_Words, None] = BoundedDict(max_remembered)
        self._writers: BoundedDict[tuple[str, str], _Who] = BoundedDict(max_remembered)
        self._lock = free_in_child(threading.Lock())

    def take(self, event: Event) -> MessageChange | None:
        """Take an event in.

        Args:
            event: Any event.

        Returns:
            The change that is now complete; None for every other event, and for copies.
        """
        with self._lock:
            change = self._change(event)
            if change is None or event.delivery_key in self._done:
                return None
            self._done[event.delivery_key] = None
        return change

    def _change(self, event: Event) -> MessageChange | None:
        if isinstance(event, MessagesUpsert | SendMessage):
            return self._of_message(event)
        if isinstance(event, MessagesEdited):
            return self._of_claim(event)
        if isinstance(event, MessagesUpdate):
            return self._of_update(event) if event.is_edit else None
        if isinstance(event, MessagesDelete):
            who = _Who(event.chat, event.sender, event.from_me)
            return _made(event, MessageKind.REVOKED, event.id, who, None)
        if isinstance(event, SendMessageUpdate) and (event.is_edit or event.is_revoke):
            who = _Who(event.chat, jid_or_none(event.account), True)
            message = event.message if event.is_edit else None
            return _made(event, event.kind, event.id, who, message, _time(event))
        return None

    def _of_claim(self, event: MessagesEdited) -> MessageChange | None:
        # A revocation is told by messages.delete as well, on every version.
        if not event.is_edit or not event.id:
            return None
        words = (event.instance, event.id, event.text)
        at = _time(event)
        if self._told_again:
            if at is not None:
                self._times[words] = at
            return None
        self._edits[words] = None
        who = self._writers.get((event.instance, event.id), _Who(event.chat, None, None))
        return _made(event, event.kind, event.id, who, event.message, at, proven=False)

    def _of_update(self, event: MessagesUpdate) -> MessageChange | None:
        at = self._times.get((event.instance, event.id, event.text))
        who = _Who(event.chat, event.sender, event.from_me)
        return _made(event, MessageKind.EDITED, event.id, who, event.message, at)

    def _of_message(self, event: MessagesUpsert | SendMessage) -> MessageChange | None:
        """Note who wrote a message; of an edit in a message's guise make the change."""
        who = _Who(event.chat, event.sender, event.from_me)
        target = _edited_by(event.message)
        if target is None:
            # Only where nothing else will tell; of two messages under one id none is the one.
            if event.id and not self._told_again:
                place = (event.instance, event.id)
                same = self._writers.get(place, who) == who
                self._writers[place] = who if same else _NOBODY
            return None
        if (event.instance, target.id, event.text) in self._edits:
            return None  # told by messages.edited before
        message = None if event.text is None and event.media is None else event.message
        return _made(event, MessageKind.EDITED, target.id, who, message, event.message.sent_at)


def _made(
    event: Event,
    kind: MessageKind,
    message_id: str,
    who: _Who,
    message: EventMessage | None,
    at: datetime | None = None,
    *,
    proven: bool = True,
) -> MessageChange | None:
    if not message_id:
        return None
    return MessageChange(event.instance, kind, message_id, *who, message, at, proven, event)


def _time(event: MessagesEdited | SendMessageUpdate) -> datetime | None:
    return event.message.sent_at


def _edited_by(message: EventMessage) -> MessageKey | None:
    """Return the key of the message that another one edits; None if it is no edit.

    Server 2.2.3 passes an edit in its wrapper on as a message; an encrypted edit comes as one on
    every version (`facts/versions/baileys.md` "SDK misreadings").
    """
    target = message.target if message.kind is MessageKind.EDITED else None
    return target if target is not None and target.id else None
