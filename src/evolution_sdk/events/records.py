"""Models of the ``data`` of events other than messages, one per shape.

Facts: `facts/events.json` "data_shapes" and the recordings. Unknown fields are kept, see
:class:`~evolution_sdk.models.Model`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from evolution_sdk.identity import Jid
from evolution_sdk.identity.lids import jid_or_none
from evolution_sdk.models.base import IsoTime, Model, Number, OpenEnum, UnixTime
from evolution_sdk.models.chat import Contact
from evolution_sdk.models.chatbots import BotSession, BotStatus
from evolution_sdk.models.group import GroupParticipant
from evolution_sdk.models.instance import ConnectionStatus, QrCode
from evolution_sdk.models.label import Label


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
    def jid(self) -> Jid | None:
        """The contact."""
        return jid_or_none(self.remote_jid)


class ChatChange(Model):
    """A new or changed chat. An update does not say in which way.

    A renamed chat comes with its database id and name only.
    """

    shown: ClassVar[tuple[str, ...]] = ("remote_jid", "unread_messages")

    remote_jid: str = ""
    id: str | None = None
    name: str | None = None
    unread_messages: Number | None = None
    instance_id: str | None = None

    @property
    def jid(self) -> Jid | None:
        """The chat; None for a rename."""
        return jid_or_none(self.remote_jid)


class PresenceState(OpenEnum):
    """Presence of a person in a chat."""

    UNAVAILABLE = "unavailable"
    AVAILABLE = "available"
    COMPOSING = "composing"
    RECORDING = "recording"
    PAUSED = "paused"


class PresenceOf(Model):
    """Presence of one person."""

    shown: ClassVar[tuple[str, ...]] = ("last_known_presence",)

    last_known_presence: PresenceState | None = None
    last_seen: UnixTime | None = None


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
        return jid_or_none(self.id)


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
    """Details of a member."""

    shown: ClassVar[tuple[str, ...]] = ("jid",)

    jid: str = ""
    phone_number: str | None = None
    name: str | None = None
    img_url: str | None = None


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
    participants_data: tuple[ParticipantDetails, ...] = ()

    @property
    def chat(self) -> Jid | None:
        """The group."""
        return jid_or_none(self.id)


class LabelChange(Label):
    """A label that was created, renamed, recoloured or deleted; a deletion comes twice."""

    deleted: bool = False
    instance: str | None = None


class LabelLink(Model):
    """A label that was set on a chat or removed. ``type`` is ``add`` or ``remove``."""

    shown: ClassVar[tuple[str, ...]] = ("type", "chat_id", "label_id")

    instance: str | None = None
    type: str | None = None
    chat_id: str = ""
    label_id: str = ""


class CallStatus(OpenEnum):
    """State of a call."""

    OFFER = "offer"
    RINGING = "ringing"
    TIMEOUT = "timeout"
    REJECT = "reject"
    ACCEPT = "accept"
    TERMINATE = "terminate"


class CallChange(Model):
    """An incoming call or, on the socket only, a raw node about one.

    Attributes:
        from_: The caller, a phone's JID or a ``@lid``.
        event: ``CB:call`` or ``CB:ack,class:call`` of a raw node, else None.
        packet: The raw node ``{tag, attrs, content}``.
    """

    shown: ClassVar[tuple[str, ...]] = ("id", "status")

    id: str = ""
    chat_id: str | None = None
    from_: str | None = Field(default=None, alias="from")
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
        """The caller."""
        return jid_or_none(self.from_)


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
