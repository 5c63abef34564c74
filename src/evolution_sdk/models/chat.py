"""Answers about chats, contacts and profiles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from .base import IsoTime, Model, Number, UnixTime
from .message import StoredMessage
from .people import NamedByIds, PersonIds, real_name, row_ids
from .wire import decode_bytes


class NumberCheck(Model):
    """The check of one number. Match by ``number``: the server answers in an order of its own."""

    shown: ClassVar[tuple[str, ...]] = ("number", "exists", "jid")
    expected: ClassVar[tuple[str, ...]] = ("jid", "exists", "number")

    jid: str = ""
    exists: bool = False
    number: str = ""
    name: str | None = None
    # May be the literal text "lid" (`facts/observed.md` "Response shapes that vary" 10).
    lid: str | None = None


class ReadAck(Model):
    """The answer to marking messages as read; the server skips keys of ``@lid`` chats."""

    shown: ClassVar[tuple[str, ...]] = ("message", "read")
    expected: ClassVar[tuple[str, ...]] = ("read",)

    message: str = ""
    read: str = ""


class PlayedAck(Model):
    """The answer to marking voice notes as played; the server skips keys of ``@lid`` chats."""

    shown: ClassVar[tuple[str, ...]] = ("message", "played")
    expected: ClassVar[tuple[str, ...]] = ("played",)

    message: str = ""
    played: str = ""


class PollOption(Model):
    """The votes for one choice of a poll."""

    shown: ClassVar[tuple[str, ...]] = ("votes",)
    expected: ClassVar[tuple[str, ...]] = ("votes", "voters")

    votes: int = 0
    voters: tuple[str, ...] = ()


class PollResult(Model):
    """The count of a poll: its question, and the votes by choice."""

    shown: ClassVar[tuple[str, ...]] = ("total_votes",)
    expected: ClassVar[tuple[str, ...]] = ("name", "results")

    name: str = ""
    total_votes: int = 0
    results: Mapping[str, PollOption] = Field(default_factory=dict[str, PollOption])


class PollVotes(Model):
    """The answer to counting a poll."""

    shown: ClassVar[tuple[str, ...]] = ("poll",)
    expected: ClassVar[tuple[str, ...]] = ("poll",)

    poll: PollResult | None = None


class Channel(Model):
    """A channel of WhatsApp (``…@newsletter``) of which the server stores messages."""

    shown: ClassVar[tuple[str, ...]] = ("remote_jid",)
    expected: ClassVar[tuple[str, ...]] = ("remoteJid",)

    remote_jid: str = ""
    last_message_timestamp: UnixTime | None = None


class ChannelPage(Model):
    """One page of channels."""

    shown: ClassVar[tuple[str, ...]] = ("total", "current_page")
    expected: ClassVar[tuple[str, ...]] = ("records",)

    total: int = 0
    pages: int = 0
    current_page: int = 1
    limit: int = 0
    records: tuple[Channel, ...] = ()


class ArchiveAck(Model):
    """The answer to (un)archiving; ``archived`` is true in both cases."""

    shown: ClassVar[tuple[str, ...]] = ("chat_id", "archived")
    expected: ClassVar[tuple[str, ...]] = ("archived",)

    chat_id: str | None = None
    archived: bool = False


class UnreadAck(Model):
    """The answer to marking a chat unread."""

    shown: ClassVar[tuple[str, ...]] = ("chat_id", "marked_chat_unread")
    expected: ClassVar[tuple[str, ...]] = ("markedChatUnread",)

    chat_id: str | None = None
    marked_chat_unread: bool = False


class ProfilePicture(Model):
    """A profile picture. The URL is None if it is hidden or missing, or if the look-up failed."""

    shown: ClassVar[tuple[str, ...]] = ("wuid",)
    expected: ClassVar[tuple[str, ...]] = ("wuid",)

    wuid: str = ""
    profile_picture_url: str | None = None


class MediaSize(Model):
    """The size of a media file: bytes, and pixels."""

    shown: ClassVar[tuple[str, ...]] = ("file_length", "height", "width")

    file_length: Number | None = None
    height: Number | None = None
    width: Number | None = None


class MediaContent(Model):
    """A downloaded media file."""

    shown: ClassVar[tuple[str, ...]] = ("media_type", "file_name", "mimetype")
    expected: ClassVar[tuple[str, ...]] = ("base64",)

    media_type: str = ""
    file_name: str | None = None
    caption: str | None = None
    size: MediaSize | None = None
    mimetype: str | None = None
    base64: str = ""
    buffer: Any = None

    @property
    def content(self) -> bytes:
        """The bytes of the file; empty if the answer had none that could be decoded."""
        return decode_bytes(self.base64) or decode_bytes(self.buffer) or b""


class BlockAck(Model):
    """The answer to (un)blocking."""

    shown: ClassVar[tuple[str, ...]] = ("block",)
    expected: ClassVar[tuple[str, ...]] = ("block",)

    block: str = ""


class UpdateAck(Model):
    """The answer to a change of the profile or of the privacy settings."""

    shown: ClassVar[tuple[str, ...]] = ("update",)
    expected: ClassVar[tuple[str, ...]] = ("update",)

    update: str = ""
    data: Mapping[str, Any] | None = None


class Contact(NamedByIds):
    """A contact from the server's store.

    ``push_name`` is what the server found: the name in the address book, the verified name of a
    business, the name that the person chose, or the digits of the JID; see ``name``.
    """

    shown: ClassVar[tuple[str, ...]] = ("remote_jid", "type")
    expected: ClassVar[tuple[str, ...]] = ("remoteJid",)

    id: str | None = None
    remote_jid: str = ""
    push_name: str | None = None
    profile_pic_url: str | None = None
    created_at: IsoTime | None = None
    updated_at: IsoTime | None = None
    instance_id: str | None = None
    is_group: bool | None = None
    is_saved: bool | None = None
    type: str | None = None

    @property
    def name(self) -> str | None:
        """The name; None for the digits of the JID, which stand where no name is known."""
        return real_name(self._ids, self.push_name)

    @property
    def picture_url(self) -> str | None:
        """The URL of the picture; None if there is none, or if it is hidden."""
        return self.profile_pic_url

    @property
    def _ids(self) -> PersonIds:
        return row_ids(self.model_extra, self.remote_jid, self.id)


class Chat(NamedByIds):
    """A chat, built by the server from stored messages. ``id`` is the contact's, not the chat's."""

    shown: ClassVar[tuple[str, ...]] = ("remote_jid", "unread_count")
    expected: ClassVar[tuple[str, ...]] = ("remoteJid",)

    id: str | None = None
    remote_jid: str = ""
    push_name: str | None = None
    profile_pic_url: str | None = None
    updated_at: IsoTime | None = None
    window_start: IsoTime | None = None
    window_expires: IsoTime | None = None
    window_active: bool | None = None
    last_message: StoredMessage | None = None
    unread_count: Number | None = None
    is_saved: bool | None = None

    @property
    def _ids(self) -> PersonIds:
        return row_ids(self.model_extra, self.remote_jid)


class ChatRow(Model):
    """A chat's own row in the server's store."""

    shown: ClassVar[tuple[str, ...]] = ("remote_jid", "unread_messages")
    expected: ClassVar[tuple[str, ...]] = ("remoteJid",)

    id: str = ""
    remote_jid: str = ""
    name: str | None = None
    labels: Any = None
    created_at: IsoTime | None = None
    updated_at: IsoTime | None = None
    instance_id: str | None = None
    unread_messages: Number | None = None


class BusinessProfile(Model):
    """A business profile; or, with ``is_business`` False, the data of an ordinary number."""

    shown: ClassVar[tuple[str, ...]] = ("is_business", "wid", "category")
    expected: ClassVar[tuple[str, ...]] = ("isBusiness",)

    is_business: bool = False
    wid: str | None = None
    address: str | None = None
    description: str | None = None
    website: tuple[str, ...] | str | None = None
    email: str | None = None
    category: str | None = None
    message: str | None = None
    jid: str | None = None
    exists: bool | None = None
    number: str | None = None
    name: str | None = None
    lid: str | None = None


class Profile(Model):
    """A profile. After a failure of its own the server answers one of nulls; see ``degraded``."""

    shown: ClassVar[tuple[str, ...]] = ("wuid", "is_business")
    expected: ClassVar[tuple[str, ...]] = ("wuid",)

    wuid: str = ""
    name: str | None = None
    number_exists: bool | None = None
    picture: str | None = None
    status: Any = None
    is_business: bool | None = None
    email: str | None = None
    description: str | None = None
    website: tuple[str, ...] | str | None = None
    os: str | None = None

    @property
    def degraded(self) -> bool:
        """Tell whether the look-up failed inside the server (it answers 200, with nulls only)."""
        return self.number_exists is None


class PrivacySettings(Model):
    """The privacy settings of an account: for each part of it, the people who may see it."""

    shown: ClassVar[tuple[str, ...]] = (
        "readreceipts",
        "profile",
        "status",
        "online",
        "last",
        "groupadd",
    )
    expected: ClassVar[tuple[str, ...]] = ("readreceipts",)

    readreceipts: str | None = None
    profile: str | None = None
    status: str | None = None
    online: str | None = None
    last: str | None = None
    groupadd: str | None = None
