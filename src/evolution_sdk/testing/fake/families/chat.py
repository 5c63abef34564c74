"""``/chat/*``: what a channel does, and what the database answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evolution_sdk.testing.fake import progress, store
from evolution_sdk.testing.fake.channels import on_channel
from evolution_sdk.testing.fake.js import JsonObject, get, truthy
from evolution_sdk.testing.fake.reply import json_reply
from evolution_sdk.testing.fake.router import Call, Handler, Route
from evolution_sdk.testing.fake.schema import Schema
from evolution_sdk.testing.fake.schemas import chat as schemas
from evolution_sdk.testing.fake.state import Instance
from evolution_sdk.testing.fake.world import World


def _stored(member: str, find: Callable[[World, Instance, JsonObject], Any]) -> Handler:
    """A handler that reads the store; with ``auto_ack`` messages move on first."""

    def handler(call: Call) -> Any:
        instance = call.world.running(call.instance, member)
        if call.world.options.auto_ack:
            progress.advance(call.world, instance)
        return find(call.world, instance, call.body)

    return handler


def _chat_by_jid(call: Call) -> Any:
    jid = get(call.query, "remoteJid")
    if not truthy(jid):
        return json_reply(400, {"error": "remoteJid is a required query parameter"})
    return call.world.running(call.instance, "findChatByRemoteJid").chat(str(jid))


def _route(
    operation: str,
    path: str,
    handler: Handler | str,
    schema: Schema | None = None,
    *,
    method: str = "POST",
    status: int = 200,
    bare_errors: bool = False,
    merge_query: bool = True,
) -> Route:
    """A chat route; a handler given as text is a method of the instance's channel."""
    return Route(
        f"chat.{operation}",
        method,
        f"/chat/{path}/{{instance}}",
        on_channel(handler) if isinstance(handler, str) else handler,
        status=status,
        schema=schema,
        bare_errors=bare_errors,
        merge_query=merge_query,
    )


ROUTES = [
    _route(
        "check_whatsapp_numbers", "whatsappNumbers", "whatsappNumber", schemas.NUMBERS,
        bare_errors=True,
    ),
    _route("mark_message_as_read", "markMessageAsRead", "markMessageAsRead", schemas.READ,
           status=201),
    _route("archive_chat", "archiveChat", "archiveChat", schemas.ARCHIVE, status=201),
    _route("mark_chat_unread", "markChatUnread", "markChatUnread", schemas.UNREAD, status=201),
    _route("delete_message_for_everyone", "deleteMessageForEveryone", "deleteMessage",
           schemas.DELETE, method="DELETE", status=201),
    _route("fetch_profile_picture_url", "fetchProfilePictureUrl", "profilePicture",
           schemas.PICTURE),
    _route("get_base64_from_media_message", "getBase64FromMediaMessage",
           "getBase64FromMediaMessage", status=201),
    _route("update_message", "updateMessage", "updateMessage", schemas.UPDATE),
    _route("send_presence", "sendPresence", "sendPresence", schemas.SEND_PRESENCE, status=201),
    _route("update_block_status", "updateBlockStatus", "blockUser", schemas.BLOCK, status=201),
    _route("find_contacts", "findContacts",
           _stored("fetchContacts", lambda _, i, q: store.find_contacts(i, q)),
           schemas.FIND_CONTACTS),
    _route("find_messages", "findMessages", _stored("fetchMessages", store.find_messages),
           schemas.FIND_MESSAGES),
    _route("find_status_message", "findStatusMessage",
           _stored("fetchStatusMessage", lambda _, i, q: store.find_statuses(i, q)),
           schemas.FIND_STATUS),
    _route("find_chats", "findChats", _stored("fetchChats", store.find_chats),
           schemas.FIND_CONTACTS),
    _route("find_chat_by_remote_jid", "findChatByRemoteJid", _chat_by_jid, method="GET",
           merge_query=False),
    _route("fetch_business_profile", "fetchBusinessProfile", "fetchBusinessProfile",
           schemas.PICTURE),
    _route("fetch_profile", "fetchProfile", "fetchProfile", schemas.PROFILE),
    _route("update_profile_name", "updateProfileName", "updateProfileName",
           schemas.PROFILE_NAME),
    _route("update_profile_status", "updateProfileStatus", "updateProfileStatus",
           schemas.PROFILE_STATUS),
    _route("update_profile_picture", "updateProfilePicture", "updateProfilePicture",
           schemas.PICTURE),
    _route("remove_profile_picture", "removeProfilePicture", "removeProfilePicture",
           schemas.PICTURE, method="DELETE"),
    _route("fetch_privacy_settings", "fetchPrivacySettings", "fetchPrivacySettings",
           method="GET"),
    _route("update_privacy_settings", "updatePrivacySettings", "updatePrivacySettings",
           schemas.PRIVACY, status=201),
]  # fmt: skip
