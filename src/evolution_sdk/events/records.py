"""Models of the ``data`` of events other than messages, one per shape.

Facts: `facts/events.json` "data_shapes" and the recordings. Unknown fields are kept, see
:class:`~evolution_sdk.models.Model`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from evolution_sdk._base.json_types import is_object
from evolution_sdk.identity import Jid, PhoneNumber
from evolution_sdk.models.base import IsoTime, Model, Number, OpenEnum, UnixTime
from evolution_sdk.models.chat import Contact
from evolution_sdk.models.chatbots import BotSession, BotStatus
from evolution_sdk.models.group import GroupParticipant, Member
from evolution_sdk.models.instance import ConnectionStatus, QrCode
from evolution_sdk.models.label import Label
from evolution_sdk.models.people import (
    NamedByIds,
    PersonIds,
    jid_at,
    person_ids,
    real_name,
    row_ids,
)


class InstanceRef(Model):
    """The instance that was created or deleted."""

    shown: ClassVar[tuple[str, ...]] = ("instance_name",)

    instance_name: str = ""
    instance_id: str | None = None


class QrcodeChange(Model):
    """A new code to scan, or the notice that the limit of codes is reached.

    Attributes:
        qrcode: The code; None at the limit.
        message: The server's words at the limit.
        status_code: 500 at the limit.
    """

    shown: ClassVar[tuple[str, ...]] = ("status_code",)

    qrcode: QrCode | None = None
    message: str | None = None
    status_code: Number | None = None


class ConnectionChange(Model):
    """A change of an instance's connection. A lost one that is retried reports no ``close``."""

    shown: ClassVar[tuple[str, ...]] = ("instance", "state", "status_reason")

    instance: str = ""
    state: ConnectionStatus | None = None
    status_reason: Number | None = None
    wuid: str | None = None
    profile_name: str | None = None
    profile_picture_url: str | None = None


class InstanceClosed(Model):
    """The final end of a session. ``disconnection_object`` is JSON in a string."""

    shown: ClassVar[tuple[str, ...]] = ("instance", "status", "disconnection_reason_code")

    instance: str = ""
    status: str | None = None
    disconnection_at: IsoTime | None = None
    disconnection_reason_code: Number | None = None
    disconnection_object: str | None = None

    @property
    def disconnection(self) -> Any:
        """The decoded ``disconnection_object``; None if it cannot be decoded."""
        try:
            return json.loads(self.disconnection_object or "null")
        except (ValueError, RecursionError):
            return None


class ContactChange(Contact):
    """A new or changed contact; on Business without ``remote_jid`` (a bug of the server)."""

    expected: ClassVar[tuple[str, ...]] = ()

    @property
    def verified_name(self) -> str | None:
        """The verified name of a business, where it is told by itself (by no version yet)."""
        return _text(self.model_extra, "verifiedName")


class ChatChange(NamedByIds):
    """A new or changed chat. An update does not say in which way.

    A renamed chat comes with its database id and name only.

    Attributes:
        remote_lid: The hidden id of the chat (in ``chats.set`` of server 2.4).
    """

    shown: ClassVar[tuple[str, ...]] = ("remote_jid", "unread_messages")

    remote_jid: str = ""
    remote_lid: str | None = None
    id: str | None = None
    name: str | None = None
    unread_messages: Number | None = None
    instance_id: str | None = None

    @property
    def is_rename(self) -> bool:
        """True if only a new name was told, with the row's id in the server's database."""
        return self.jid is None and self.id is not None and self.name is not None

    @property
    def _ids(self) -> PersonIds:
        return row_ids(self.model_extra, self.remote_jid, self.id, self.remote_lid)


class PresenceState(OpenEnum):
    """Presence of a person in a chat."""

    UNAVAILABLE = "unavailable"
    AVAILABLE = "available"
    COMPOSING = "composing"
    RECORDING = "recording"
    PAUSED = "paused"


_ONLINE = frozenset(set(PresenceState) - {PresenceState.UNAVAILABLE})


class PresenceOf(Model):
    """Presence of one person.

    Attributes:
        last_known_presence: The state as WhatsApp says it.
        last_seen: Time at which the person was last there; None if that is hidden.
        group_online_count: Number of people who are there, of a group.
    """

    shown: ClassVar[tuple[str, ...]] = ("last_known_presence",)

    last_known_presence: PresenceState | None = None
    last_seen: UnixTime | None = None
    group_online_count: Number | None = None

    @property
    def is_typing(self) -> bool:
        """True if the person is writing a text."""
        return self.last_known_presence is PresenceState.COMPOSING

    @property
    def is_recording(self) -> bool:
        """True if the person is recording a voice message."""
        return self.last_known_presence is PresenceState.RECORDING

    @property
    def is_online(self) -> bool:
        """True if the person is there; who types or records is."""
        return self.last_known_presence in _ONLINE


class PresenceChange(Model):
    """Presences in a chat.

    Attributes:
        id: The chat.
        presences: Presences by JID of the person; in groups several.
    """

    shown: ClassVar[tuple[str, ...]] = ("id",)

    id: str = ""
    presences: Mapping[str, PresenceOf] = Field(default_factory=dict[str, PresenceOf])

    @property
    def chat(self) -> Jid | None:
        """The chat."""
        return jid_at(self.id)

    @property
    def people(self) -> Mapping[Jid, PresenceOf]:
        """Presences by person; a key that is no JID is left out."""
        found = ((jid_at(key), one) for key, one in self.presences.items())
        return MappingProxyType({jid: one for jid, one in found if jid is not None})


class ParticipantAction(OpenEnum):
    """A change of members of a group."""

    ADD = "add"
    REMOVE = "remove"
    PROMOTE = "promote"
    DEMOTE = "demote"
    MODIFY = "modify"
    """A member changed their number."""


def _as_participant(value: object) -> object:
    """Read a member, which is text or an object depending on the server's library."""
    return {"id": value} if isinstance(value, str) else value


Participant = Annotated[GroupParticipant, BeforeValidator(_as_participant)]


class ParticipantDetails(Model):
    """Details of a member.

    Attributes:
        jid: The member. Servers from 2.3.7 on write the whole member here, which is read by its id.
        phone_number: The phone, as JID or digits; None where the server had only the hidden id's
            digits or a broken text to tell.
        name: The name in the server's store.
        img_url: The URL of the picture in the server's store.
    """

    shown: ClassVar[tuple[str, ...]] = ("jid",)

    jid: str = ""
    phone_number: str | None = None
    name: str | None = None
    img_url: str | None = None

    @property
    def member(self) -> Member:
        """The member with parsed ids."""
        ids = person_ids((self.jid,), (self.phone_number,))
        return Member(*ids, name=real_name(ids, self.name), picture_url=self.img_url)


def _as_details(value: object) -> object:
    """Read details in each of the server's forms, without a phone that is none."""
    if isinstance(value, str):
        return {"jid": value}
    if not is_object(value):
        return value
    inner = value.get("jid")
    found = dict(value)
    if is_object(inner):
        # The server looks its objects up as if they were texts (facts/versions/baileys.md).
        found.update({"jid": inner.get("id"), "phoneNumber": inner.get("phoneNumber")})
    phone = found.get("phoneNumber")
    if isinstance(phone, str) and person_ids((found.get("jid"),), (phone,)).phone is None:
        found["phoneNumber"] = None
    return found


Details = Annotated[ParticipantDetails, BeforeValidator(_as_details)]
_RIGHTS: Mapping[str, bool] = MappingProxyType(
    {ParticipantAction.ADD: False, ParticipantAction.PROMOTE: True, ParticipantAction.DEMOTE: False}
)


class ParticipantsChange(Model):
    """Members who joined, left, or changed their rights.

    Attributes:
        id: The group.
        author: The member who made the change.
        author_pn: The same member by phone number.
        participants: The members concerned; both of the server's forms read the same.
        action: The change.
        participants_data: Names and pictures (since 2.3.5).
    """

    shown: ClassVar[tuple[str, ...]] = ("id", "action")

    id: str = ""
    author: str | None = None
    author_pn: str | None = None
    participants: tuple[Participant, ...] = ()
    action: ParticipantAction | None = None
    participants_data: tuple[Details, ...] = ()

    @property
    def chat(self) -> Jid | None:
        """The group."""
        return jid_at(self.id)

    @property
    def author_ids(self) -> PersonIds:
        """The ids of who made the change."""
        return person_ids((self.author,), (self.author_pn,))

    @property
    def members(self) -> tuple[Member, ...]:
        """The members concerned, with all that either list tells of each.

        ``is_admin`` is what the change made of them; None for those who left.
        """
        details = {jid: one for one in self._details for jid in (one.jid, one.lid) if jid}
        found: list[Member] = []
        for participant in self.participants:
            member = participant.member
            known = details.get(member.jid) if member.jid is not None else None
            # The text "[object Object]" names nobody.
            if member.is_told:
                found.append(member if known is None else _joined(member, known))
        told = {jid for one in found for jid in (one.jid, one.lid) if jid is not None}
        found += [one for one in self._details if one.is_told and one.jid not in told]
        return tuple(replace(one, is_admin=self._right_of(one)) for one in found)

    @property
    def _details(self) -> tuple[Member, ...]:
        return tuple(one.member for one in self.participants_data)

    def _right_of(self, member: Member) -> bool | None:
        right = _RIGHTS.get(self.action or "")
        # A promotion comes with the former role, none, beside it.
        return member.is_admin or None if right is None else right


def _joined(member: Member, known: Member) -> Member:
    """Add to a member what the details tell beyond it."""
    return replace(
        member,
        lid=member.lid or known.lid,
        phone=member.phone or known.phone,
        name=member.name or known.name,
        picture_url=member.picture_url or known.picture_url,
    )


class JoinAction(OpenEnum):
    """A change of a request to join a group."""

    CREATED = "created"
    REVOKED = "revoked"
    """The person took it back."""
    REJECTED = "rejected"


class JoinMethod(OpenEnum):
    """The way in which somebody asked to join a group."""

    INVITE_LINK = "invite_link"
    LINKED_GROUP = "linked_group_join"
    """Through the community."""
    ADDED_BY_MEMBER = "non_admin_add"
    """A member who is no administrator wanted to add the person."""


class JoinRequest(Model):
    """A request to join a group, as the server's library Baileys tells it.

    No version up to 2.4 passes it on (`facts/versions/baileys.md` "Event → shape").

    Attributes:
        id: The group.
        author: The member or person who made the change.
        author_pn: The same by phone number.
        participant: The person who wants to join.
        participant_pn: The same by phone number.
        action: The change of the request.
        method: The way of asking; None where the request is taken back or turned down.
    """

    shown: ClassVar[tuple[str, ...]] = ("id", "action")

    id: str = ""
    author: str | None = None
    author_pn: str | None = None
    participant: str | None = None
    participant_pn: str | None = None
    action: JoinAction | None = None
    method: JoinMethod | None = None

    @property
    def chat(self) -> Jid | None:
        """The group."""
        return jid_at(self.id)

    @property
    def author_ids(self) -> PersonIds:
        """The ids of who made the change."""
        return person_ids((self.author,), (self.author_pn,))

    @property
    def member(self) -> Member:
        """The person who wants to join."""
        return Member(*person_ids((self.participant,), (self.participant_pn,)))


class LabelChange(Label):
    """A label that was created, renamed, recoloured or deleted; a deletion comes twice."""

    deleted: bool = False
    instance: str | None = None


class LabelAction(OpenEnum):
    """A change of a label's place."""

    ADD = "add"
    REMOVE = "remove"


class LabelLink(Model):
    """A label that was set on a chat or a message, or removed.

    Attributes:
        type: The change.
        chat_id: The chat.
        label_id: The label.
        message_id: The message; no version up to 2.4 passes it on, so that None does not mean that
            it is about the chat as a whole.
    """

    shown: ClassVar[tuple[str, ...]] = ("type", "chat_id", "label_id")

    instance: str | None = None
    type: LabelAction | None = None
    chat_id: str = ""
    label_id: str = ""
    message_id: str | None = None

    @property
    def chat(self) -> Jid | None:
        """The chat."""
        return jid_at(self.chat_id)


class CallStatus(OpenEnum):
    """State of a call."""

    OFFER = "offer"
    RINGING = "ringing"
    PREACCEPT = "preaccept"
    TRANSPORT = "transport"
    RELAYLATENCY = "relaylatency"
    TIMEOUT = "timeout"
    REJECT = "reject"
    ACCEPT = "accept"
    TERMINATE = "terminate"


class CallChange(Model):
    """An incoming call or, on the socket only, a raw node about one.

    Attributes:
        from_: The caller, a phone's JID or a ``@lid``.
        caller_pn: The caller's phone, where the server tells it beside a ``@lid``.
        offline: True if the call came while the instance was not connected.
        event: ``CB:call`` or ``CB:ack,class:call`` of a raw node, else None.
        packet: The raw node ``{tag, attrs, content}``.
    """

    shown: ClassVar[tuple[str, ...]] = ("id", "status")

    id: str = ""
    chat_id: str | None = None
    from_: str | None = Field(default=None, alias="from")
    caller_pn: str | None = None
    is_group: bool | None = None
    group_jid: str | None = None
    date: IsoTime | None = None
    is_video: bool | None = None
    status: CallStatus | None = None
    offline: bool | None = None
    latency_ms: Number | None = None
    event: str | None = None
    packet: Any = None

    @property
    def caller(self) -> Jid | None:
        """The caller, without device: often an ``@lid``."""
        return self._caller.jid

    @property
    def caller_alt(self) -> Jid | None:
        """The caller's other id, if it was told: for a ``@lid`` the phone's JID."""
        return self._caller.alt

    @property
    def caller_phone(self) -> PhoneNumber | None:
        """The caller's phone number, if it was told; never the digits of a hidden id."""
        return self._caller.phone

    @property
    def chat(self) -> Jid | None:
        """The chat of the call."""
        return jid_at(self.chat_id)

    @property
    def group(self) -> Jid | None:
        """The group of a group call."""
        return jid_at(self.group_jid)

    @property
    def _caller(self) -> PersonIds:
        # With msgCall the server puts the phone in the place of the hidden id, which the chat still
        # holds. Later states come from whoever changed them, perhaps a device of our own.
        offered = self.status is CallStatus.OFFER and not (self.is_group or self.group_jid)
        chat = (self.chat_id,) if offered else ()
        return person_ids((self.from_, *chat), (self.caller_pn,))


class HistorySummary(Model):
    """Contents of a history: numbers of messages, chats and contacts (server 2.4).

    Attributes:
        progress: Percent of the history that arrived; 100, since it is sent at the end.
    """

    shown: ClassVar[tuple[str, ...]] = ("message_count", "chat_count", "contact_count", "progress")

    message_count: Number | None = None
    chat_count: Number | None = None
    contact_count: Number | None = None
    progress: Number | None = None


def _text(told: Mapping[str, Any] | None, name: str) -> str | None:
    value = (told or {}).get(name)
    return value if isinstance(value, str) else None


class TypebotSession(Model):
    """A Typebot session that was started."""

    shown: ClassVar[tuple[str, ...]] = ("remote_jid", "session_id")

    remote_jid: str = ""
    url: str | None = None
    typebot: str | None = None
    variables: Any = None
    session_id: str | None = None


class TypebotStatus(Model):
    """A Typebot session that was ``opened``, ``closed``, ``paused`` or deleted (``delete``)."""

    shown: ClassVar[tuple[str, ...]] = ("remote_jid", "status")

    remote_jid: str = ""
    status: BotStatus | None = None
    session: BotSession | None = None


class ErrorReport(Model):
    """An error that the server returned to a caller, with status and message."""

    shown: ClassVar[tuple[str, ...]] = ("status",)

    error: str | None = None
    message: Any = None
    status: Number | None = None
    response: Any = None


class TemplateStatusChange(Model):
    """Meta's decision about a template, with Meta's own field names.

    Attributes:
        event: ``APPROVED``, ``REJECTED`` …
    """

    shown: ClassVar[tuple[str, ...]] = ("event", "message_template_name")

    event: str = ""
    message_template_id: Number | None = None
    message_template_name: str | None = None
    message_template_language: str | None = None
    reason: str | None = None
