"""Bodies of the /chat routes, checked before they leave."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, PlainSerializer, model_validator

from .base import MisfitError, RequestModel, to_iso
from .requests_message import KeyRef, Picture
from .requests_text import Correspondent

_SEARCH: Mapping[str, str] = {
    "offset": "page_size",
    "where.message_timestamp": "since/until",
    "where.key": "",
    "where": "",
}
PresenceState = Literal["unavailable", "available", "composing", "recording", "paused"]
PrivacyValue = Literal["all", "contacts", "contact_blacklist", "none"]


class WhatsappNumbersRequest(RequestModel):
    """Numbers to check: at least one, each only once. The server rejects an empty list."""

    numbers: tuple[Correspondent, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _unique(self) -> Self:
        if len(set(self.numbers)) != len(self.numbers):
            raise ValueError("numbers: each number only once")
        return self


class ReadMessagesRequest(RequestModel):
    """Keys of the messages to mark as read."""

    called: ClassVar[Mapping[str, str]] = {"read_messages": "messages"}

    read_messages: tuple[KeyRef, ...] = Field(min_length=1)


class PlayedMessagesRequest(RequestModel):
    """Keys of the voice notes to mark as played."""

    called: ClassVar[Mapping[str, str]] = {"played_messages": "messages"}

    played_messages: tuple[KeyRef, ...] = Field(min_length=1)


class PollKey(RequestModel):
    """The key of a poll: the server looks it up by its id alone."""

    id: str = Field(min_length=1)


class PollRef(RequestModel):
    """The poll whose votes are counted."""

    key: PollKey


class PollVotesRequest(RequestModel):
    """A poll to count, and the chat that it is in."""

    message: PollRef
    remote_jid: str = Field(min_length=1)


class FindChannelsRequest(RequestModel):
    """A page of channels; the server validates a filter and then ignores it, so there is none."""

    page: int | None = Field(default=None, ge=1, strict=True)
    limit: int | None = Field(default=None, ge=1, strict=True)


class LastMessage(RequestModel):
    """The chat's newest message.

    Its time is always sent, in seconds: the server's default is in milliseconds, which is wrong
    (`facts/semantics.md` §9).
    """

    key: KeyRef
    message_timestamp: int = Field(gt=0)


class ArchiveChatRequest(RequestModel):
    """A chat to archive. ``last_message`` is mandatory: 2.3.6 fails (500) with ``chat`` alone."""

    archive: bool
    last_message: LastMessage
    chat: str | None = None


class MarkUnreadRequest(RequestModel):
    """A chat to mark as unread, named by its newest message."""

    last_message: LastMessage
    chat: str | None = None


class NumberRequest(RequestModel):
    """The body of a route that takes one number."""

    number: Correspondent


class OptionalNumberRequest(RequestModel):
    """The body of a route that takes a number, or none for the account itself."""

    number: Correspondent | None = None


class MediaMessageKey(RequestModel):
    """The id of a stored message."""

    id: str = Field(min_length=1)


class MediaMessageRef(RequestModel):
    """A stored message, named by its WhatsApp id; on BUSINESS the message itself."""

    key: MediaMessageKey
    message_type: str | None = None
    message: Mapping[str, Any] | None = None


class MediaBase64Request(RequestModel):
    """The message whose media to download."""

    message: MediaMessageRef
    convert_to_mp4: bool | None = None


class UpdateMessageRequest(RequestModel):
    """An edit. ``number`` must equal the stored JID exactly, so it is taken from the key."""

    called: ClassVar[Mapping[str, str]] = {"key": "message"}

    number: str
    text: str = Field(min_length=1)
    key: KeyRef


class PresenceRequest(RequestModel):
    """A presence for the whole account."""

    presence: PresenceState


class SendPresenceRequest(RequestModel):
    """A presence in one chat; the server answers after ``delay`` milliseconds."""

    called: ClassVar[Mapping[str, str]] = {"delay": "delay_ms"}

    number: Correspondent
    delay: int = Field(ge=0)
    presence: PresenceState


class BlockRequest(RequestModel):
    """A number to block or unblock."""

    number: Correspondent
    status: Literal["block", "unblock"]


class ProfileNameRequest(RequestModel):
    """The account's name."""

    name: str = Field(min_length=1)


class ProfileStatusRequest(RequestModel):
    """The account's about text."""

    status: str


class ProfilePictureRequest(RequestModel):
    """The account's picture, as URL or plain base64."""

    picture: Picture


class PrivacyRequest(RequestModel):
    """The privacy settings, of which the server demands all six (`facts/semantics.md` §9)."""

    readreceipts: Literal["all", "none"]
    profile: PrivacyValue
    status: PrivacyValue
    online: Literal["all", "match_last_seen"]
    last: PrivacyValue
    groupadd: PrivacyValue


AwareTime = Annotated[datetime, PlainSerializer(to_iso, return_type=str)]


class TimeRange(RequestModel):
    """A time range with both ends: the server ignores a range with only one."""

    gte: AwareTime
    lte: AwareTime

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.gte.tzinfo is None or self.lte.tzinfo is None:
            raise ValueError("times must be aware (have a time zone)")
        if self.gte > self.lte:
            raise ValueError("gte must not be after lte")
        return self


class KeyFilter(RequestModel):
    """Filters on a message's key. The server ignores ``from_me`` False, so it is not accepted."""

    id: str | None = None
    remote_jid: str | None = None
    from_me: Literal[True] | None = None
    participant: str | None = None
    remote_jid_alt: str | None = None


class MessageFilter(RequestModel):
    """Filters for stored messages; only those that the server honours."""

    id: str | None = None
    key: KeyFilter | None = None
    message_type: str | None = None
    source: str | None = None
    message_timestamp: TimeRange | None = None


class FindMessagesRequest(RequestModel):
    """A page of stored messages; the server calls the page size ``offset``."""

    called: ClassVar[Mapping[str, str]] = _SEARCH

    where: MessageFilter | None = None
    offset: int = Field(default=50, ge=1)
    page: int = Field(default=1, ge=1)


class StatusFilter(RequestModel):
    """Filters for status rows; ``id`` is the message's WhatsApp id."""

    id: str | None = None
    remote_jid: str | None = None


class FindStatusRequest(RequestModel):
    """A page of status rows."""

    called: ClassVar[Mapping[str, str]] = _SEARCH

    where: StatusFilter | None = None
    offset: int = Field(default=50, ge=1)
    page: int = Field(default=1, ge=1)


class ContactFilter(RequestModel):
    """The one filter for contacts that 2.3.6 honours."""

    remote_jid: str | None = None


class FindContactsRequest(RequestModel):
    """A page of contacts. ``page`` needs ``offset``: the server fails (500) without it."""

    called: ClassVar[Mapping[str, str]] = _SEARCH

    where: ContactFilter | None = None
    offset: int | None = Field(default=None, ge=1)
    page: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _page_needs_size(self) -> Self:
        if self.page is not None and self.offset is None:
            raise MisfitError("offset", "page needs page_size")
        return self


class ChatFilter(RequestModel):
    """Filters for chats."""

    remote_jid: str | None = None
    message_timestamp: TimeRange | None = None


class FindChatsRequest(RequestModel):
    """A page of chats; this route pages by ``take`` and ``skip``."""

    called: ClassVar[Mapping[str, str]] = _SEARCH

    where: ChatFilter | None = None
    take: int | None = Field(default=None, ge=1)
    skip: int | None = Field(default=None, ge=0)
