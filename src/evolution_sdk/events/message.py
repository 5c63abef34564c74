"""A message inside an event: the record, with the views that handlers need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from evolution_sdk.identity import Jid
from evolution_sdk.identity.lids import jid_or_none
from evolution_sdk.models.base import Model, Number
from evolution_sdk.models.content import text_of, unwrap
from evolution_sdk.models.message import Message, MessageKey, StatusUpdate

from ._json import NOTHING, object_at
from .content import (
    Location,
    MediaInfo,
    Poll,
    Quoted,
    Reaction,
    Selection,
    SharedContact,
    base64_of,
    contacts_of,
    location_of,
    media_of,
    mentions_in,
    poll_of,
    quoted_in,
    reaction_of,
    selection_of,
)
from .kinds import MEDIA_KINDS, MessageKind, content_key, kind_of

_SELECTIONS = frozenset(
    {
        MessageKind.LIST_REPLY,
        MessageKind.BUTTON_REPLY,
        MessageKind.TEMPLATE_REPLY,
        MessageKind.INTERACTIVE_REPLY,
    }
)
_LOCATIONS = frozenset({MessageKind.LOCATION, MessageKind.LIVE_LOCATION})
_CONTACTS = frozenset({MessageKind.CONTACT, MessageKind.CONTACTS})


class EventMessage(Message):
    """A message as events carry it, with the same fields for every channel and kind.

    It is a :class:`~evolution_sdk.models.Message` (``id``, ``text``, ``timestamp``, ``from_me``,
    ``status``, ``push_name`` …), so that it can be quoted, marked as read and reacted to.
    """

    @property
    def _outer(self) -> Mapping[str, object]:
        return self.content if self.content is not None else NOTHING

    @property
    def _inner(self) -> Mapping[str, object]:
        return unwrap(self._outer)

    @property
    def _part(self) -> Mapping[str, object]:
        """The content object, such as ``message["imageMessage"]``; empty for plain text."""
        # Of a plain text the field holds a string, not an object.
        inner = self._inner
        return object_at(inner, content_key(inner, self.message_type))

    @property
    def kind(self) -> MessageKind:
        """The kind of message; wrappers (view once, ephemeral …) are looked through."""
        return kind_of(self._inner, self.message_type, edited="editedMessage" in self._outer)

    @property
    def text(self) -> str | None:
        """The text, caption, title or name, whichever this kind of message has.

        For a reaction it is the emoji, for a choice the chosen title.
        """
        if self.content is None:
            return None
        found = text_of(self.content, content_key(self._inner, self.message_type))
        # A choice has no text of its own: its title stands for it.
        if found is None and self.kind in _SELECTIONS:
            return selection_of(self._part, None).title
        return found

    @property
    def chat(self) -> Jid | None:
        """The chat it is in: the person, the group, or ``status@broadcast``."""
        return jid_or_none(self.key.remote_jid)

    @property
    def sender(self) -> Jid | None:
        """The writer.

        None for the account's own messages, unless they name a participant; the account itself is
        ``event.account``.
        """
        if self.key.participant:
            return jid_or_none(self.key.participant)
        # In a private chat the other side is the chat itself.
        return None if self.key.from_me or self.is_group else self.chat

    @property
    def sender_alt(self) -> Jid | None:
        """The writer's other id, if the server gives it: for a ``@lid`` the phone's JID."""
        key = self.key
        # Older servers name the writer's phone in ``senderPn``.
        if key.participant:
            return jid_or_none(key.participant_alt or _extra(key, "senderPn"))
        return None if key.from_me or self.is_group else self.chat_alt

    @property
    def chat_alt(self) -> Jid | None:
        """The chat's other id, if the server gives it: for a ``@lid`` the phone's JID."""
        key = self.key
        return jid_or_none(
            key.remote_jid_alt
            or _extra(key, "previousRemoteJid")
            or (None if key.participant or key.from_me else _extra(key, "senderPn"))
        )

    @property
    def is_group(self) -> bool:
        """True if it was written in a group."""
        return self.key.remote_jid.endswith("@g.us")

    @property
    def is_status(self) -> bool:
        """True if it is a story, not a message of a chat."""
        return self.key.remote_jid == "status@broadcast"

    @property
    def is_view_once(self) -> bool:
        """True if it may be seen only once."""
        outer = self._outer
        # In a chat with disappearing messages the wrapper itself is wrapped.
        inner = object_at(object_at(outer, "ephemeralMessage"), "message")
        return any(name.startswith("viewOnce") for name in (*outer, *inner))

    @property
    def media(self) -> MediaInfo | None:
        """Its file, or None if it has none."""
        kind = self.kind
        # An edited message has the file of its new content.
        if kind is MessageKind.EDITED:
            kind = kind_of(self._inner, "")
        if kind not in MEDIA_KINDS:
            return None
        return media_of(kind, self._part, self._outer, self._inner)

    @property
    def media_base64(self) -> str | None:
        """The file itself as base64, if the event carries it."""
        return base64_of(self._outer) or base64_of(self._inner)

    @property
    def context(self) -> Mapping[str, Any]:
        """WhatsApp's ``contextInfo``, beside the content or inside it; empty when there is none."""
        # The server flattens texts and puts it beside the content then (`facts/semantics.md` §6).
        if self.context_info is not None:
            return self.context_info
        return object_at(self._part, "contextInfo") or object_at(self._inner, "contextInfo")

    @property
    def quoted(self) -> Quoted | None:
        """The message that it quotes, or None."""
        return quoted_in(self.context)

    @property
    def mentions(self) -> tuple[Jid, ...]:
        """The people who are mentioned in it."""
        return mentions_in(self.context)

    @property
    def is_forwarded(self) -> bool:
        """True if it was forwarded."""
        return self.context.get("isForwarded") is True

    @property
    def reaction(self) -> Reaction | None:
        """The reaction, or None for any other message."""
        return reaction_of(self._part) if self.kind is MessageKind.REACTION else None

    @property
    def selected(self) -> Selection | None:
        """The choice of buttons, a list or a template, or None."""
        if self.kind not in _SELECTIONS:
            return None
        return selection_of(self._part, text_of(self._inner))

    @property
    def location(self) -> Location | None:
        """The place, or None for any other message."""
        kind = self.kind
        if kind not in _LOCATIONS:
            return None
        return location_of(self._part, is_live=kind is MessageKind.LIVE_LOCATION)

    @property
    def contacts(self) -> tuple[SharedContact, ...]:
        """The contact cards in it."""
        return contacts_of(self._part) if self.kind in _CONTACTS else ()

    @property
    def poll(self) -> Poll | None:
        """The poll, or None for any other message."""
        return poll_of(self._part) if self.kind is MessageKind.POLL else None


class MessageStatusChange(StatusUpdate):
    """A status of a message, or other news of it; it carries no time.

    On Business ``from_me`` is always False and ``participant`` is the chat (bugs of the server).
    Votes and stars have no status on server 2.2.3.
    """

    shown: ClassVar[tuple[str, ...]] = ("key_id", "status")
    expected: ClassVar[tuple[str, ...]] = ()

    @property
    def whatsapp_id(self) -> str:
        """The message's WhatsApp id: ``keyId``, or ``id`` in version 1."""
        return self.key_id or self.id or ""


class ProtocolNotice(Model):
    """A protocol message about an earlier one: an edit, a revocation, a changed timer.

    Attributes:
        key: The earlier message.
        type: A word in ``messages.edited`` (``MESSAGE_EDIT``), a number in
            ``send.message.update`` (14).
        edited_message: The new content of an edit.
        timestamp_ms: Time of the change, in milliseconds since 1970.
    """

    shown: ClassVar[tuple[str, ...]] = ("type",)

    key: MessageKey = MessageKey()
    type: str | int | None = None
    edited_message: Mapping[str, Any] | None = None
    timestamp_ms: Number | None = None


def _extra(model: Model, *names: str) -> str | None:
    """Return a field that this SDK does not model, by its wire name."""
    extra = model.model_extra or {}
    for name in names:
        value = extra.get(name)
        if isinstance(value, str):
            return value
    return None
