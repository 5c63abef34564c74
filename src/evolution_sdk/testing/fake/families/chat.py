"""Routes of ``/chat/*``, answered by the channel or by the database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evolution_sdk.testing.fake import queries, statuses
from evolution_sdk.testing.fake.channels import on_channel
from evolution_sdk.testing.fake.js import JsonObject, get, truthy
from evolution_sdk.testing.fake.reply import json_reply
from evolution_sdk.testing.fake.router import Handler, Route, RouteCall
from evolution_sdk.testing.fake.schema import Schema
from evolution_sdk.testing.fake.schemas import chat as schemas
from evolution_sdk.testing.fake.state import Instance, ServerState


def _stored(member: str, find: Callable[[ServerState, Instance, JsonObject], Any]) -> Handler:
    """Make a handler that reads the store; with ``auto_ack`` messages move on first."""

    def handler(call: RouteCall) -> Any:
        instance = call.server.running(call.instance, member)
        if call.server.options.auto_ack:
            statuses.advance(call.server, instance)
        return find(call.server, instance, call.body)

    return handler


def _chat_by_jid(call: RouteCall) -> Any:
    # The one route whose error has shape D of `facts/semantics.md` §2.
    jid = get(call.query, "remoteJid")
    if not truthy(jid):
        return json_reply(400, {"error": "remoteJid is a required query parameter"})
    return call.server.running(call.instance, "findChatByRemoteJid").chat(str(jid))


def _route(
    operation: str,
    handler: Handler | str,
    schema: Schema | None = None,
    *,
    status: int = 200,
    bare_errors: bool = False,
    merge_query: bool = True,
) -> Route:
    """Make a chat route; a handler given as text is a method of the instance's channel."""
    return Route(
        f"chat.{operation}",
        on_channel(handler) if isinstance(handler, str) else handler,
        status=status,
        schema=schema,
        bare_errors=bare_errors,
        merge_query=merge_query,
    )


ROUTES = [
    _route(
        "check_whatsapp_numbers",
        "whatsappNumber",
        schemas.NUMBERS,
        bare_errors=True,
    ),
    _route("mark_message_as_read", "markMessageAsRead", schemas.READ, status=201),
    _route("mark_message_as_played", "markMessageAsPlayed", schemas.PLAYED, status=201),
    _route("get_poll_vote", "baileysDecryptPollVote", schemas.POLL_VOTE),
    _route("find_channels", "fetchChannels", schemas.FIND_CONTACTS),
    _route("archive_chat", "archiveChat", schemas.ARCHIVE, status=201),
    _route("mark_chat_unread", "markChatUnread", schemas.UNREAD, status=201),
    _route("delete_message_for_everyone", "deleteMessage", schemas.DELETE, status=201),
    _route("fetch_profile_picture_url", "profilePicture", schemas.PICTURE),
    _route("get_base64_from_media_message", "getBase64FromMediaMessage", status=201),
    _route("update_message", "updateMessage", schemas.UPDATE),
    _route("send_presence", "sendPresence", schemas.SEND_PRESENCE, status=201),
    _route("update_block_status", "blockUser", schemas.BLOCK, status=201),
    _route(
        "find_contacts",
        _stored("fetchContacts", queries.find_contacts),
        schemas.FIND_CONTACTS,
    ),
    _route("find_messages", _stored("fetchMessages", queries.find_messages), schemas.FIND_MESSAGES),
    _route(
        "find_status_message",
        _stored("fetchStatusMessage", queries.find_statuses),
        schemas.FIND_STATUS,
    ),
    _route("find_chats", _stored("fetchChats", queries.find_chats), schemas.FIND_CONTACTS),
    _route("find_chat_by_remote_jid", _chat_by_jid, merge_query=False),
    _route("fetch_business_profile", "fetchBusinessProfile", schemas.PICTURE),
    _route("fetch_profile", "fetchProfile", schemas.PROFILE),
    _route("update_profile_name", "updateProfileName", schemas.PROFILE_NAME),
    _route("update_profile_status", "updateProfileStatus", schemas.PROFILE_STATUS),
    _route("update_profile_picture", "updateProfilePicture", schemas.PICTURE),
    _route("remove_profile_picture", "removeProfilePicture", schemas.PICTURE),
    _route("fetch_privacy_settings", "fetchPrivacySettings"),
    _route("update_privacy_settings", "updatePrivacySettings", schemas.PRIVACY, status=201),
]
