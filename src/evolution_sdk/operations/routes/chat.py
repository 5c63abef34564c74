"""Chats, contacts, profiles, and what is done to messages after they were sent."""

from __future__ import annotations

from evolution_sdk._base.effect import Effect
from evolution_sdk.media import MediaKind
from evolution_sdk.media._plan import MediaRule
from evolution_sdk.models.chat import (
    ArchiveAck,
    BlockAck,
    BusinessProfile,
    ChannelPage,
    Chat,
    ChatRow,
    Contact,
    MediaContent,
    NumberCheck,
    PlayedAck,
    PollVotes,
    PrivacySettings,
    Profile,
    ProfilePicture,
    ReadAck,
    UnreadAck,
    UpdateAck,
)
from evolution_sdk.models.instance import PresenceAck
from evolution_sdk.models.message import MessageSearch, ProtocolMessage, StatusUpdate
from evolution_sdk.models.readers import list_of, optional
from evolution_sdk.operations.error_facts import ErrorFacts
from evolution_sdk.operations.operation import TimeoutKind

from ._declare import BAILEYS, NO_MULTIPART, Family

_OWN_PICTURE = ErrorFacts(habits=frozenset({"changes_own_picture"}))
_chat = Family("chat", session=True)

CHECK_WHATSAPP_NUMBERS = _chat(
    "check_whatsapp_numbers",
    "POST",
    "whatsappNumbers",
    Effect.READ,
    list_of(NumberCheck),
    channels=BAILEYS,
    paced_as="checks",
    cached_as="number",
    teaches_lids=True,
    errors=ErrorFacts(bare=True),
)
MARK_MESSAGE_AS_READ = _chat(
    "mark_message_as_read",
    "POST",
    "markMessageAsRead",
    Effect.IDEMPOTENT,
    ReadAck.from_wire,
    channels=BAILEYS,
)
ARCHIVE_CHAT = _chat(
    "archive_chat", "POST", "archiveChat", Effect.IDEMPOTENT, ArchiveAck.from_wire, channels=BAILEYS
)
MARK_CHAT_UNREAD = _chat(
    "mark_chat_unread",
    "POST",
    "markChatUnread",
    Effect.IDEMPOTENT,
    UnreadAck.from_wire,
    channels=BAILEYS,
)
DELETE_MESSAGE_FOR_EVERYONE = _chat(
    "delete_message_for_everyone",
    "DELETE",
    "deleteMessageForEveryone",
    Effect.DESTRUCTIVE,
    ProtocolMessage.from_wire,
    channels=BAILEYS,
    timeout=TimeoutKind.SEND,
    errors=ErrorFacts(habits=frozenset({"reads_own_id"})),
)
FETCH_PROFILE_PICTURE_URL = _chat(
    "fetch_profile_picture_url",
    "POST",
    "fetchProfilePictureUrl",
    Effect.READ,
    ProfilePicture.from_wire,
    cached_as="picture",
)
GET_BASE64_FROM_MEDIA_MESSAGE = _chat(
    "get_base64_from_media_message",
    "POST",
    "getBase64FromMediaMessage",
    Effect.READ,
    MediaContent.from_wire,
    channels=("baileys", "business"),
    timeout=TimeoutKind.MEDIA,
    slow=True,
    errors=ErrorFacts(habits=frozenset({"fetches_media"})),
)
UPDATE_MESSAGE = _chat(
    "update_message",
    "POST",
    "updateMessage",
    Effect.IDEMPOTENT,
    ProtocolMessage.from_wire,
    channels=BAILEYS,
    timeout=TimeoutKind.SEND,
)
SEND_PRESENCE = _chat(
    "send_presence",
    "POST",
    "sendPresence",
    Effect.IDEMPOTENT,
    PresenceAck.from_wire,
    channels=BAILEYS,
    timeout=TimeoutKind.SEND,
    errors=ErrorFacts(habits=frozenset({"reads_own_name"})),
)
UPDATE_BLOCK_STATUS = _chat(
    "update_block_status",
    "POST",
    "updateBlockStatus",
    Effect.IDEMPOTENT,
    BlockAck.from_wire,
    channels=BAILEYS,
)
FIND_CONTACTS = _chat(
    "find_contacts",
    "POST",
    "findContacts",
    Effect.READ,
    list_of(Contact),
    session=False,
    fields_since={"where.id": "2.3.7", "where.pushName": "2.3.7"},
    teaches_lids=True,
)
FIND_MESSAGES = _chat(
    "find_messages",
    "POST",
    "findMessages",
    Effect.READ,
    MessageSearch.page_from_wire,
    session=False,
    teaches_lids=True,
)
FIND_STATUS_MESSAGE = _chat(
    "find_status_message",
    "POST",
    "findStatusMessage",
    Effect.READ,
    list_of(StatusUpdate),
    session=False,
)
FIND_CHATS = _chat(
    "find_chats", "POST", "findChats", Effect.READ, list_of(Chat), session=False, teaches_lids=True
)
FIND_CHAT_BY_REMOTE_JID = _chat(
    "find_chat_by_remote_jid",
    "GET",
    "findChatByRemoteJid",
    Effect.READ,
    optional(ChatRow),
    query=("remoteJid",),
    session=False,
    since="2.3",
)
FIND_CHANNELS = _chat(
    "find_channels",
    "POST",
    "findChannels",
    Effect.READ,
    ChannelPage.from_wire,
    channels=BAILEYS,
    session=False,
    since="2.4",
)
MARK_MESSAGE_AS_PLAYED = _chat(
    "mark_message_as_played",
    "POST",
    "markMessageAsPlayed",
    Effect.IDEMPOTENT,
    PlayedAck.from_wire,
    channels=BAILEYS,
    since="2.4",
)
# Decrypts what the store has of the poll and its votes.
GET_POLL_VOTE = _chat(
    "get_poll_vote",
    "POST",
    "getPollVote",
    Effect.READ,
    PollVotes.from_wire,
    channels=BAILEYS,
    since="2.4",
)
FETCH_BUSINESS_PROFILE = _chat(
    "fetch_business_profile",
    "POST",
    "fetchBusinessProfile",
    Effect.READ,
    BusinessProfile.from_wire,
    channels=BAILEYS,
)
FETCH_PROFILE = _chat(
    "fetch_profile", "POST", "fetchProfile", Effect.READ, Profile.from_wire, channels=BAILEYS
)
UPDATE_PROFILE_NAME = _chat(
    "update_profile_name",
    "POST",
    "updateProfileName",
    Effect.IDEMPOTENT,
    UpdateAck.from_wire,
    channels=BAILEYS,
)
UPDATE_PROFILE_STATUS = _chat(
    "update_profile_status",
    "POST",
    "updateProfileStatus",
    Effect.IDEMPOTENT,
    UpdateAck.from_wire,
    channels=BAILEYS,
)
UPDATE_PROFILE_PICTURE = _chat(
    "update_profile_picture",
    "POST",
    "updateProfilePicture",
    Effect.IDEMPOTENT,
    UpdateAck.from_wire,
    channels=BAILEYS,
    timeout=TimeoutKind.MEDIA,
    media=MediaRule("picture", MediaKind.IMAGE, NO_MULTIPART),
    errors=_OWN_PICTURE,
)
REMOVE_PROFILE_PICTURE = _chat(
    "remove_profile_picture",
    "DELETE",
    "removeProfilePicture",
    Effect.DESTRUCTIVE,
    UpdateAck.from_wire,
    channels=BAILEYS,
    errors=_OWN_PICTURE,
)
FETCH_PRIVACY_SETTINGS = _chat(
    "fetch_privacy_settings",
    "GET",
    "fetchPrivacySettings",
    Effect.READ,
    PrivacySettings.from_wire,
    channels=BAILEYS,
)
UPDATE_PRIVACY_SETTINGS = _chat(
    "update_privacy_settings",
    "POST",
    "updatePrivacySettings",
    Effect.IDEMPOTENT,
    UpdateAck.from_wire,
    channels=BAILEYS,
)
