"""Chats, contacts, profiles, and what is done to messages after they were sent."""

from __future__ import annotations

from evolution_sdk._core.effect import Effect
from evolution_sdk._core.operation import Operation, TimeoutKind
from evolution_sdk.models.chat import (
    ArchiveAck,
    BlockAck,
    BusinessProfile,
    Chat,
    ChatRow,
    Contact,
    MediaContent,
    NumberCheck,
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

CHECK_WHATSAPP_NUMBERS = Operation(
    name="chat.check_whatsapp_numbers",
    method="POST",
    path="/chat/whatsappNumbers/{instance}",
    effect=Effect.READ,
    channels=("baileys",),
    read=list_of(NumberCheck),
)
MARK_MESSAGE_AS_READ = Operation(
    name="chat.mark_message_as_read",
    method="POST",
    path="/chat/markMessageAsRead/{instance}",
    effect=Effect.IDEMPOTENT,
    channels=("baileys",),
    read=ReadAck.from_wire,
)
ARCHIVE_CHAT = Operation(
    name="chat.archive_chat",
    method="POST",
    path="/chat/archiveChat/{instance}",
    effect=Effect.IDEMPOTENT,
    channels=("baileys",),
    read=ArchiveAck.from_wire,
)
MARK_CHAT_UNREAD = Operation(
    name="chat.mark_chat_unread",
    method="POST",
    path="/chat/markChatUnread/{instance}",
    effect=Effect.IDEMPOTENT,
    channels=("baileys",),
    read=UnreadAck.from_wire,
)
DELETE_MESSAGE_FOR_EVERYONE = Operation(
    name="chat.delete_message_for_everyone",
    method="DELETE",
    path="/chat/deleteMessageForEveryone/{instance}",
    effect=Effect.DESTRUCTIVE,
    channels=("baileys",),
    read=ProtocolMessage.from_wire,
    timeout=TimeoutKind.SEND,
)
FETCH_PROFILE_PICTURE_URL = Operation(
    name="chat.fetch_profile_picture_url",
    method="POST",
    path="/chat/fetchProfilePictureUrl/{instance}",
    effect=Effect.READ,
    read=ProfilePicture.from_wire,
)
GET_BASE64_FROM_MEDIA_MESSAGE = Operation(
    name="chat.get_base64_from_media_message",
    method="POST",
    path="/chat/getBase64FromMediaMessage/{instance}",
    effect=Effect.READ,
    channels=("baileys", "business"),
    read=MediaContent.from_wire,
    timeout=TimeoutKind.MEDIA,
)
UPDATE_MESSAGE = Operation(
    name="chat.update_message",
    method="POST",
    path="/chat/updateMessage/{instance}",
    effect=Effect.IDEMPOTENT,
    channels=("baileys",),
    read=ProtocolMessage.from_wire,
    timeout=TimeoutKind.SEND,
)
SEND_PRESENCE = Operation(
    name="chat.send_presence",
    method="POST",
    path="/chat/sendPresence/{instance}",
    effect=Effect.IDEMPOTENT,
    channels=("baileys",),
    read=PresenceAck.from_wire,
    timeout=TimeoutKind.SEND,
)
UPDATE_BLOCK_STATUS = Operation(
    name="chat.update_block_status",
    method="POST",
    path="/chat/updateBlockStatus/{instance}",
    effect=Effect.IDEMPOTENT,
    channels=("baileys",),
    read=BlockAck.from_wire,
)
FIND_CONTACTS = Operation(
    name="chat.find_contacts",
    method="POST",
    path="/chat/findContacts/{instance}",
    effect=Effect.READ,
    read=list_of(Contact),
)
FIND_MESSAGES = Operation(
    name="chat.find_messages",
    method="POST",
    path="/chat/findMessages/{instance}",
    effect=Effect.READ,
    read=MessageSearch.page_from_wire,
)
FIND_STATUS_MESSAGE = Operation(
    name="chat.find_status_message",
    method="POST",
    path="/chat/findStatusMessage/{instance}",
    effect=Effect.READ,
    read=list_of(StatusUpdate),
)
FIND_CHATS = Operation(
    name="chat.find_chats",
    method="POST",
    path="/chat/findChats/{instance}",
    effect=Effect.READ,
    read=list_of(Chat),
)
FIND_CHAT_BY_REMOTE_JID = Operation(
    name="chat.find_chat_by_remote_jid",
    method="GET",
    path="/chat/findChatByRemoteJid/{instance}",
    effect=Effect.READ,
    read=optional(ChatRow),
    query=("remoteJid",),
)
FETCH_BUSINESS_PROFILE = Operation(
    name="chat.fetch_business_profile",
    method="POST",
    path="/chat/fetchBusinessProfile/{instance}",
    effect=Effect.READ,
    channels=("baileys",),
    read=BusinessProfile.from_wire,
)
FETCH_PROFILE = Operation(
    name="chat.fetch_profile",
    method="POST",
    path="/chat/fetchProfile/{instance}",
    effect=Effect.READ,
    channels=("baileys",),
    read=Profile.from_wire,
)
UPDATE_PROFILE_NAME = Operation(
    name="chat.update_profile_name",
    method="POST",
    path="/chat/updateProfileName/{instance}",
    effect=Effect.IDEMPOTENT,
    channels=("baileys",),
    read=UpdateAck.from_wire,
)
UPDATE_PROFILE_STATUS = Operation(
    name="chat.update_profile_status",
    method="POST",
    path="/chat/updateProfileStatus/{instance}",
    effect=Effect.IDEMPOTENT,
    channels=("baileys",),
    read=UpdateAck.from_wire,
)
UPDATE_PROFILE_PICTURE = Operation(
    name="chat.update_profile_picture",
    method="POST",
    path="/chat/updateProfilePicture/{instance}",
    effect=Effect.IDEMPOTENT,
    channels=("baileys",),
    read=UpdateAck.from_wire,
    timeout=TimeoutKind.MEDIA,
)
REMOVE_PROFILE_PICTURE = Operation(
    name="chat.remove_profile_picture",
    method="DELETE",
    path="/chat/removeProfilePicture/{instance}",
    effect=Effect.DESTRUCTIVE,
    channels=("baileys",),
    read=UpdateAck.from_wire,
)
FETCH_PRIVACY_SETTINGS = Operation(
    name="chat.fetch_privacy_settings",
    method="GET",
    path="/chat/fetchPrivacySettings/{instance}",
    effect=Effect.READ,
    channels=("baileys",),
    read=PrivacySettings.from_wire,
)
UPDATE_PRIVACY_SETTINGS = Operation(
    name="chat.update_privacy_settings",
    method="POST",
    path="/chat/updatePrivacySettings/{instance}",
    effect=Effect.IDEMPOTENT,
    channels=("baileys",),
    read=UpdateAck.from_wire,
)
