"""The base of all events about one message."""

from __future__ import annotations

from datetime import datetime

from evolution_sdk._base.json_types import is_array, is_object
from evolution_sdk.identity import Jid
from evolution_sdk.identity.lids import jid_or_none
from evolution_sdk.models.message import MessageKey, MessageStatus
from evolution_sdk.models.message_types import MessageKind

from ._base import D_co, Event
from ._json import object_at
from ._mentions import Names, mentions_account, quotes_account, readable
from .content import (
    AdReferral,
    Album,
    CalendarEvent,
    CallLog,
    GroupInvite,
    LinkPreview,
    Location,
    MediaInfo,
    Quoted,
    Reaction,
    Selection,
    SharedContact,
)
from .interactive import Button, Interactive, Order, Payment, Product
from .message import EventMessage
from .polls import Poll, PollVote


class MessageEvent(Event[D_co]):
    """An event about one message, with the views of the message that handlers need."""

    __slots__ = ()

    @property
    def message(self) -> EventMessage:
        """The message."""
        return self._once("message", self._message)

    def _message(self) -> EventMessage:
        return EventMessage.from_wire(first(self._data))

    @property
    def id(self) -> str:
        """The message's WhatsApp id."""
        return self.message.id

    @property
    def kind(self) -> MessageKind:
        """The kind of message."""
        return self.message.kind

    @property
    def text(self) -> str | None:
        """The text, caption, title or name, whichever it has."""
        return self.message.text

    @property
    def chat(self) -> Jid | None:
        """The chat it is in."""
        return self.message.chat

    @property
    def sender(self) -> Jid | None:
        """The writer; of own messages the account, where the envelope tells."""
        message = self.message
        return message.sender or (jid_or_none(self.account) if message.from_me else None)

    @property
    def sender_alt(self) -> Jid | None:
        """The writer's other id, if the server gives it: for a ``@lid`` the phone's JID."""
        return self.message.sender_alt

    @property
    def chat_alt(self) -> Jid | None:
        """The chat's other id, if the server gives it: for a ``@lid`` the phone's JID."""
        return self.message.chat_alt

    @property
    def is_group(self) -> bool:
        """True if it was written in a group."""
        return self.message.is_group

    @property
    def from_me(self) -> bool:
        """True if this account wrote it."""
        return self.message.from_me

    @property
    def push_name(self) -> str | None:
        """The name that the writer chose."""
        return self.message.push_name

    @property
    def timestamp(self) -> datetime:
        """The time of writing, aware (the epoch when the server did not say)."""
        return self.message.timestamp

    @property
    def status(self) -> MessageStatus | None:
        """The status of the message; statuses are compared by ``rank``."""
        return self.message.status

    @property
    def media(self) -> MediaInfo | None:
        """Its file."""
        return self.message.media

    @property
    def quoted(self) -> Quoted | None:
        """The message that it quotes."""
        return self.message.quoted

    @property
    def mentions(self) -> tuple[Jid, ...]:
        """The people who are mentioned in it."""
        return self.message.mentions

    @property
    def mentions_me(self) -> bool:
        """True if it mentions the account, by phone or hidden id.

        A router or a client that saw other events knows the account's hidden id; without one only
        the phone in the envelope counts. On server 2.4, where ``context_known`` is not True,
        the whole id in the text counts (``@100000000000001``).
        """
        return mentions_account(self, self.message)

    @property
    def replies_to_me(self) -> bool:
        """True if it quotes a message of the account; as ``mentions_me``, by phone or hidden id."""
        return quotes_account(self, self.message)

    def readable_text(self, names: Names | None = None) -> str | None:
        """Return the text with people instead of digits, such as for a language model.

        ``@131100000000721`` becomes ``@Ana``, else ``@+5511900000002``, else it stays. Only the ids
        of people who are mentioned are replaced.

        Args:
            names: Names by ``Jid``, its text, its digits, or ``+phone``; or a function that is
                asked with a ``Jid``. Hidden id and phone are both tried. Default: phones alone.

        Returns:
            The text; None where there is none.
        """
        return readable(self, self.message, self.text, names)

    @property
    def reaction(self) -> Reaction | None:
        """The reaction, or None for any other message."""
        return self.message.reaction

    @property
    def selected(self) -> Selection | None:
        """The choice of buttons, a list or a template."""
        return self.message.selected

    @property
    def location(self) -> Location | None:
        """The place, or None for any other message."""
        return self.message.location

    @property
    def contacts(self) -> tuple[SharedContact, ...]:
        """The contact cards in it."""
        return self.message.contacts

    @property
    def poll(self) -> Poll | None:
        """The poll, or None for any other message."""
        return self.message.poll

    @property
    def poll_vote(self) -> PollVote | None:
        """The vote in a poll, or None for any other message."""
        return self.message.poll_vote

    @property
    def target(self) -> MessageKey | None:
        """The earlier message that it is about, such as the one reacted to."""
        return self.message.target

    @property
    def interactive(self) -> Interactive | None:
        """Header, text, footer and buttons of a message that has some."""
        return self.message.interactive

    @property
    def buttons(self) -> tuple[Button, ...]:
        """Everything in it that can be pressed, rows of lists and cards included."""
        return self.message.buttons

    @property
    def order(self) -> Order | None:
        """The order from a catalogue, or None."""
        return self.message.order

    @property
    def product(self) -> Product | None:
        """The product of a catalogue, or None."""
        return self.message.product

    @property
    def payment(self) -> Payment | None:
        """The payment, the request for one, or what a button asks to pay (PIX)."""
        return self.message.payment

    @property
    def pix(self) -> str | None:
        """The PIX key that a payment goes to, or the code to copy and paste."""
        return self.message.pix

    @property
    def calendar_event(self) -> CalendarEvent | None:
        """The event in WhatsApp's calendar, or None."""
        return self.message.calendar_event

    @property
    def group_invite(self) -> GroupInvite | None:
        """The invitation to a group, or None."""
        return self.message.group_invite

    @property
    def call_log(self) -> CallLog | None:
        """The call that is over, or None."""
        return self.message.call_log

    @property
    def album(self) -> Album | None:
        """The cover of an album, which announces its pictures."""
        return self.message.album

    @property
    def album_id(self) -> str | None:
        """The WhatsApp id of the album that a picture belongs to."""
        return self.message.album_id

    @property
    def ad(self) -> AdReferral | None:
        """The advertisement by which the writer came (click to WhatsApp)."""
        return self.message.ad

    @property
    def transcript(self) -> str | None:
        """The words of a voice message, where the server transcribes them."""
        return self.message.transcript

    @property
    def is_forwarded(self) -> bool:
        """True if it was forwarded."""
        return self.message.is_forwarded

    @property
    def forward_score(self) -> int:
        """The number of times that it was forwarded; from 5 on WhatsApp says "many times"."""
        return self.message.forward_score

    @property
    def link_preview(self) -> LinkPreview | None:
        """The preview of a link, where the server keeps it."""
        return self.message.link_preview

    @property
    def is_view_once(self) -> bool:
        """True if it may be seen only once: nothing of it should be kept."""
        return self.message.is_view_once

    def _shown(self) -> dict[str, object]:
        return {"id": self.id, "kind": str(self.kind), "from_me": self.from_me}


def first(data: object) -> object:
    """Return the object itself, or the first of a list."""
    return (data[0] if data else None) if is_array(data) else data


def key_identity(data: object) -> tuple[object, ...] | None:
    """Return chat, id and side of a record; None where it has no id."""
    key = object_at(data, "key") if is_object(data) else None
    message_id = key.get("id") if key is not None else None
    if key is None or not isinstance(message_id, str) or not message_id:
        return None
    return key.get("remoteJid"), message_id, key.get("fromMe") is True
