"""A message inside an event: the record, with the views that handlers need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from evolution_sdk.identity import Jid
from evolution_sdk.identity.lids import is_stripped_lid, jid_or_none
from evolution_sdk.models.base import Model, Number
from evolution_sdk.models.message import Message, MessageKey, StatusUpdate
from evolution_sdk.models.message_types import MessageKind
from evolution_sdk.models.wire import decode_long

from ._json import NOTHING
from .content import (
    AdReferral,
    Album,
    CalendarEvent,
    CallLog,
    ChannelInvite,
    GroupInvite,
    LinkPreview,
    Location,
    MediaInfo,
    Quoted,
    Reaction,
    ScheduledCall,
    Selection,
    SharedContact,
    ad_in,
    album_key_in,
    album_of,
    base64_of,
    calendar_event_of,
    call_log_of,
    channel_invite_of,
    contacts_of,
    group_invite_of,
    location_of,
    media_of,
    mentions_in,
    preview_of,
    quoted_in,
    reaction_of,
    scheduled_call_of,
    selection_of,
    transcript_of,
)
from .interactive import (
    Button,
    Interactive,
    Order,
    Payment,
    Product,
    interactive_of,
    order_of,
    payment_of,
    product_of,
)
from .notices import Notice, notice_of
from .polls import Poll, PollResult, PollVote, poll_of, result_of, vote_of

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
_TEXTS = frozenset({"conversation", "extendedTextMessage"})
_STORIES = "status@broadcast"
# Only these may name a message outside their own chat: they change nothing there.
_ABOUT_STORIES = frozenset({MessageKind.PROTOCOL, MessageKind.STORY_NOTICE})
# The library of the server turns these keys by itself (``cleanMessage`` of Baileys).
_FROM_OUR_SIDE = frozenset({"reactionMessage", "pollUpdateMessage"})
# What 2.4 puts in the place of a text's own context (`facts/versions/baileys.md`): the fields of
# ``MessageContextInfo`` in the protobuf, none of which is one of ``ContextInfo``.
_MESSAGE_CONTEXT = frozenset(
    {
        "accountEncryptionAttestation", "associatedPrimaryIdentityKey", "botMessageSecret",
        "botMetadata", "capiCreatedGroup", "deviceListMetadata", "deviceListMetadataVersion",
        "limitSharing", "limitSharingV2", "messageAddOnDurationInSecs", "messageAddOnExpiryType",
        "messageAssociation", "messageSecret", "paddingBytes", "reportingTokenVersion",
        "supportPayload", "teeBotMetadata", "threadId", "weblinkRenderConfig",
    }
)  # fmt: skip


class EventMessage(Message):
    """A message as events carry it, with the same fields for every channel and kind.

    It is a :class:`~evolution_sdk.models.Message` (``id``, ``kind``, ``text``, ``timestamp``,
    ``from_me``, ``status``, ``push_name`` …), so that it can be quoted, marked as read and reacted
    to. A view that a kind of message has not is None or empty.
    """

    @property
    def _outer(self) -> Mapping[str, object]:
        return self.content if self.content is not None else NOTHING

    @property
    def _part(self) -> Mapping[str, object]:
        """The content object, such as ``message["imageMessage"]``; empty for plain text."""
        return self._found.part

    @property
    def text(self) -> str | None:
        """The text, caption, title or name, whichever this kind of message has.

        For a reaction it is the emoji, for a choice the chosen title, for a vote the chosen
        options, for an edit the new text. The file name of a document is no text.
        """
        found = self._found.text
        # A choice has no text of its own: its title stands for it.
        if not found and self.kind in _SELECTIONS:
            return selection_of(self._part, None).title or found
        return found

    @property
    def chat(self) -> Jid | None:
        """The chat it is in: the person, the group, or ``status@broadcast``."""
        return _jid(self.key.remote_jid, self.key.addressing_mode)

    @property
    def sender(self) -> Jid | None:
        """The writer.

        None for the account's own messages, unless they name a participant; the account itself is
        ``event.account``.
        """
        key = self.key
        if self._names_writer:
            return _jid(key.participant, key.addressing_mode)
        # In a private chat the other side is the chat itself.
        return None if key.from_me or self.is_group else self.chat

    @property
    def sender_alt(self) -> Jid | None:
        """The writer's other id, if the server gives it: for a ``@lid`` the phone's JID."""
        key = self.key
        if self._names_writer:
            # The names that Baileys used before ``participantAlt`` (2.3.0 to 2.3.4).
            return _other(
                key.participant or "",
                key.participant_alt,
                *(_extra(key, name) for name in ("participantPn", "participantLid")),
                *(_extra(key, name) for name in ("senderPn", "senderLid")),
            )
        return None if key.from_me or self.is_group else self.chat_alt

    @property
    def _names_writer(self) -> bool:
        """True if the participant in the key is the writer."""
        # Of own buttons and lists it is the recipient (`facts/versions/*/baileys_webhooks.json`).
        own = self.key.from_me and not self.is_group and not self.is_status
        return bool(self.key.participant) and not own

    @property
    def chat_alt(self) -> Jid | None:
        """The chat's other id, if the server gives it: for a ``@lid`` the phone's JID."""
        key = self.key
        if not (key.remote_jid_alt or key.model_extra):
            return None  # the usual case: no name but one
        names = () if self._names_writer or key.from_me else ("senderPn", "senderLid")
        return _other(
            key.remote_jid,
            key.remote_jid_alt,
            _extra(key, "previousRemoteJid"),
            *(_extra(key, name) for name in names),
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
        """True if it may be seen only once: nothing of it should be kept."""
        found = self._found
        if found.part.get("viewOnce") is True:
            return True
        # Buttons are sent in the same wrapper, and do not vanish (`facts/versions/baileys.md`).
        vanishes = found.row is None or found.row.file is not None or found.row.name in _TEXTS
        return vanishes and any(name.startswith("viewOnce") for name in found.wrappers)

    @property
    def is_ephemeral(self) -> bool:
        """True if it disappears after a time (``context["expiration"]``, in seconds)."""
        return "ephemeralMessage" in self._found.wrappers or bool(
            decode_long(self.context.get("expiration"))
        )

    @property
    def target(self) -> MessageKey | None:
        """The earlier message that this one is about.

        Reactions, edits (encrypted ones, too), revokes, pins, comments, votes and answers to events
        and requests name it. Chat and author are told from the account's side.
        """
        told = self._found.target
        if told is None:
            return None
        key = MessageKey.from_wire(told)
        if self.from_me or self._found.name in _FROM_OUR_SIDE:
            return key
        return self._from_our_side(key)

    def _from_our_side(self, key: MessageKey) -> MessageKey:
        """Turn a key as its writer's phone sees it into the same message as this account sees it.

        The writer's own messages are ``fromMe`` there, and the chat is the account
        (`facts/versions/baileys.md` "SDK misreadings").
        """
        ours = not key.from_me and not self.is_group and not self.is_status
        writer = self.key.participant or None
        chat = self.key.remote_jid
        # A story is in no chat; who wrote to us in private about their own is its writer.
        if key.remote_jid == _STORIES and self.kind in _ABOUT_STORIES:
            chat, writer = key.remote_jid, writer or self.key.remote_jid
        return MessageKey(
            id=key.id,
            remote_jid=chat,
            from_me=ours,
            participant=writer if key.from_me else key.participant,
            participant_alt=self.key.participant_alt if key.from_me else key.participant_alt,
        )

    @property
    def media(self) -> MediaInfo | None:
        """Its file, or None if it has none; also the file in the header of a template."""
        return media_of(self._found, self._outer)

    @property
    def media_base64(self) -> str | None:
        """The file itself as base64, if the event carries it."""
        return base64_of(self._outer, self._found.inner)

    @property
    def transcript(self) -> str | None:
        """The words of a voice message, where the server transcribes them (OpenAI)."""
        return transcript_of(self._outer, self._found.inner)

    @property
    def context(self) -> Mapping[str, Any]:
        """WhatsApp's ``contextInfo``, inside the content or beside it; empty when there is none.

        2.4 puts other data beside the content and drops the context of plain texts: see
        ``context_known``.
        """
        inside = self._found.context
        if inside or self.context_info is None:
            return inside
        return NOTHING if self._is_message_context else self.context_info

    @property
    def context_known(self) -> bool | None:
        """False where the server dropped what a text quotes and mentions, as 2.4 does.

        ``quoted``, ``mentions``, ``ad`` and ``is_forwarded`` are then not available, which is not
        the same as absent (`facts/versions/baileys.md` "Event → shape"). None where it cannot be
        told: 2.4 writes null for a text whose context it dropped, other versions for a text that
        has none.
        """
        if self.content is None:
            return False
        if self.kind is not MessageKind.TEXT or self._found.context or self.context:
            return True
        if self._is_message_context:
            return False
        if "context_info" not in self.model_fields_set or "messageContextInfo" in self._outer:
            return True  # 2.4 would have put that where the context was
        return None

    @property
    def _is_message_context(self) -> bool:
        return not _MESSAGE_CONTEXT.isdisjoint(self.context_info or NOTHING)

    @property
    def quoted(self) -> Quoted | None:
        """The message that it quotes, or None."""
        return quoted_in(self.context)

    @property
    def mentions(self) -> tuple[Jid, ...]:
        """The people who are mentioned in it."""
        return mentions_in(self.context)

    @property
    def mentions_everyone(self) -> bool:
        """True if it mentions the whole group (``@all``)."""
        return bool(decode_long(self.context.get("nonJidMentions")))

    @property
    def is_forwarded(self) -> bool:
        """True if it was forwarded."""
        return self.context.get("isForwarded") is True or self.forward_score > 0

    @property
    def forward_score(self) -> int:
        """The number of times that it was forwarded; from 5 on WhatsApp says "many times"."""
        return decode_long(self.context.get("forwardingScore")) or 0

    @property
    def ad(self) -> AdReferral | None:
        """The advertisement by which the writer came (click to WhatsApp), or None."""
        return ad_in(self.context)

    @property
    def link_preview(self) -> LinkPreview | None:
        """The preview of a link, where the server keeps it."""
        return preview_of(self._part) if self.kind is MessageKind.TEXT else None

    @property
    def reaction(self) -> Reaction | None:
        """The reaction, or None for any other message."""
        return reaction_of(self._found) if self.kind is MessageKind.REACTION else None

    @property
    def selected(self) -> Selection | None:
        """The choice of buttons, a list, a template or a native flow, or None."""
        if self.kind not in _SELECTIONS:
            return None
        return selection_of(self._part, self._found.text)

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

    @property
    def poll_vote(self) -> PollVote | None:
        """The vote in a poll, or None for any other message."""
        if self.kind is not MessageKind.POLL_VOTE:
            return None
        told = (self.model_extra or {}).get("pollUpdates")
        return vote_of(self._part, told, self.sender)

    @property
    def poll_result(self) -> PollResult | None:
        """The result of a poll that somebody shared, or None."""
        return result_of(self._part) if self.kind is MessageKind.POLL_RESULT else None

    @property
    def interactive(self) -> Interactive | None:
        """Header, text, footer and buttons of a message that has some, or None."""
        return interactive_of(self._found)

    @property
    def buttons(self) -> tuple[Button, ...]:
        """Everything in it that can be pressed, rows of lists and cards included."""
        shown = self.interactive
        if shown is None:
            return ()
        return tuple(button for each in (shown, *shown.cards) for button in each.buttons)

    @property
    def order(self) -> Order | None:
        """The order from a catalogue, or None."""
        return order_of(self._part) if self.kind is MessageKind.ORDER else None

    @property
    def product(self) -> Product | None:
        """The product of a catalogue, or None."""
        return product_of(self._part) if self.kind is MessageKind.PRODUCT else None

    @property
    def payment(self) -> Payment | None:
        """The payment, the request for one, or what a button asks to pay (PIX); or None."""
        return payment_of(self._found)

    @property
    def pix(self) -> str | None:
        """The PIX key that a payment goes to, or the code to copy and paste; or None."""
        payment = self.payment
        pix = None if payment is None else payment.pix
        return None if pix is None else pix.key or pix.code

    @property
    def calendar_event(self) -> CalendarEvent | None:
        """The event in WhatsApp's calendar, or None."""
        return calendar_event_of(self._part) if self.kind is MessageKind.EVENT else None

    @property
    def group_invite(self) -> GroupInvite | None:
        """The invitation to a group, or None."""
        return group_invite_of(self._part) if self.kind is MessageKind.GROUP_INVITE else None

    @property
    def channel_invite(self) -> ChannelInvite | None:
        """The invitation to a channel, or None."""
        return channel_invite_of(self._found) if self.kind is MessageKind.CHANNEL_INVITE else None

    @property
    def call_log(self) -> CallLog | None:
        """The call that is over, or None."""
        return call_log_of(self._part) if self.kind is MessageKind.CALL_LOG else None

    @property
    def scheduled_call(self) -> ScheduledCall | None:
        """The call that was announced or called off, or None."""
        return scheduled_call_of(self._part) if self.kind is MessageKind.SCHEDULED_CALL else None

    @property
    def notice(self) -> Notice | None:
        """WhatsApp's own line in a chat, such as a missed call or an added member; or None.

        No server up to 2.4 posts one; see :func:`~evolution_sdk.events.notice_of`.
        """
        return notice_of(self.raw)

    @property
    def album(self) -> Album | None:
        """The cover of an album, which announces its pictures; or None."""
        return album_of(self._part) if self.kind is MessageKind.ALBUM else None

    @property
    def album_id(self) -> str | None:
        """The WhatsApp id of the album that a picture belongs to, or None."""
        key = album_key_in(
            self._found.inner.get("messageContextInfo"),
            self._outer.get("messageContextInfo"),
            self.context_info,
        )
        return None if key is None else key.id or None


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


def _extra(model: Model, name: str) -> str | None:
    """Return a field that this SDK does not model, by its wire name."""
    value = (model.model_extra or {}).get(name)
    return value if isinstance(value, str) else None


def _jid(text: str | None, mode: str | None) -> Jid | None:
    """Read a JID; digits without a server are a hidden id where the message says so.

    2.4 cuts off everything after a colon, the server of a device's JID included, so that the digits
    of a hidden id look like a phone (`facts/versions/baileys.md` "SDK misreadings"). Where nothing
    is said, their number tells.
    """
    if text and "@" not in text and (mode == "lid" or (not mode and is_stripped_lid(text))):
        return jid_or_none(f"{text}@lid")
    return jid_or_none(text)


def _other(known: str, *told: str | None) -> Jid | None:
    """Return the first of these ids that is not the known one, such as the phone of a ``@lid``."""
    # 2.3.7 writes the phone of a hidden chat twice (`facts/versions/baileys.md`). Where a server
    # knows no phone, the digits of the hidden id may stand in its place: they are none.
    same = known.partition("@")[0].partition(":")[0]
    found = (jid_or_none(one) for one in told if one)
    return next((jid for jid in found if jid is not None and jid.user != same), None)
