"""Chats and stored messages on WHATSAPP-BAILEYS."""

from __future__ import annotations

import base64
from typing import Any

from evolution_sdk.testing.fake.channels.base import Method, as_400, to_jid
from evolution_sdk.testing.fake.errors import (
    ErrorThrown,
    HttpThrown,
    TextThrown,
    Thrown,
    bad_request,
    database_error,
    internal,
    reading,
)
from evolution_sdk.testing.fake.js import (
    UNDEFINED,
    JsonObject,
    as_list,
    as_object,
    defined,
    get,
    to_number,
    truthy,
)
from evolution_sdk.testing.fake.media import extension_of
from evolution_sdk.testing.fake.message_table import MessageRow
from evolution_sdk.testing.fake.numbers import is_channel, is_group, is_user
from evolution_sdk.testing.fake.router import RouteCall
from evolution_sdk.testing.fake.state import Instance
from evolution_sdk.testing.fake.statuses import add_update

from . import polls, socket
from .numbers import check_numbers, recipient

_WRAPPERS = (
    "ephemeralMessage",
    "documentWithCaptionMessage",
    "viewOnceMessage",
    "viewOnceMessageV2",
)
_PAGE_SIZE = 50
_MEDIA = (
    "imageMessage",
    "documentMessage",
    "audioMessage",
    "videoMessage",
    "stickerMessage",
    "ptvMessage",
)


def _numbers(call: RouteCall, instance: Instance) -> list[JsonObject]:
    numbers = as_list(get(call.body, "numbers"))
    if numbers is None:
        # Without a list the loop over it throws, before any number is looked up.
        raise reading("forEach")
    return check_numbers(call.server, instance, numbers)


def _failed(words: str, thrown: Thrown) -> HttpThrown:
    return internal(words, thrown.text)


def _mark_read(call: RouteCall, instance: Instance) -> JsonObject:
    keys = call.body["readMessages"]
    try:
        socket.query(instance, "readMessages")
    except Thrown as thrown:
        raise _failed("Read messages fail", thrown) from None
    for key in keys:
        # Keys of other kinds, LIDs among them, are skipped without a word.
        if is_group(key["remoteJid"]) or is_user(key["remoteJid"]):
            chat = instance.chat(key["remoteJid"])
            if chat is not None:
                chat["unreadMessages"] = 0
    return {"message": "Read messages", "read": "success"}


def _mark_played(_: RouteCall, instance: Instance) -> JsonObject:
    try:
        socket.query(instance, "sendReceipts")
    except Thrown as thrown:
        raise _failed("Mark messages as played fail", thrown) from None
    return {"message": "Played messages", "played": "success"}


def _archive(call: RouteCall, instance: Instance) -> JsonObject:
    words = "An error occurred while archiving the chat. Open a calling."
    chat = _modify(call, instance, {"archived": False, "message": [words]})
    return {"chatId": chat, "archived": True}


def _mark_unread(call: RouteCall, instance: Instance) -> JsonObject:
    words = "An error occurred while marked unread the chat. Open a calling."
    chat = _modify(call, instance, {"markedChatUnread": False, "message": [words]})
    return {"chatId": chat, "markedChatUnread": True}


def _modify(call: RouteCall, instance: Instance, failure: JsonObject) -> Any:
    """Change a chat's app state; its id comes from the last message."""
    last, chat = get(call.body, "lastMessage"), get(call.body, "chat")
    try:
        if not truthy(last):
            if truthy(chat):
                # The look-up compares the whole key with an object: the database refuses.
                raise database_error(
                    "this.prismaRepository.message.findMany()",
                    "Unknown argument `remoteJid`. Available options are marked with ?.",
                )
            # With neither, the server writes to a message that does not exist.
            raise ErrorThrown(
                "Cannot set properties of undefined (setting 'messageTimestamp')", name="TypeError"
            )
        chat = get(last, "key", "remoteJid")
        to_jid(chat)
        socket.patch_chat(instance, "chatModify")
    except Thrown as thrown:
        message = [*failure["message"], thrown.text]
        raise internal({**failure, "message": message}) from None
    return chat


def _protocol_answer(call: RouteCall, jid: str, protocol: JsonObject) -> JsonObject:
    """Answer edits and revocations like Baileys: raw protobuf JSON, with numbers as text."""
    return {
        "key": {"remoteJid": jid, "fromMe": True, "id": call.server.ids.whatsapp()},
        "message": {"protocolMessage": protocol},
        "messageTimestamp": str(int(call.server.now_ms() / 1000)),
        "status": "PENDING",
    }


def _delete(call: RouteCall, instance: Instance) -> JsonObject:
    body = call.body
    try:
        socket.send(instance)
    except Thrown as thrown:
        raise _failed("Error while deleting message for everyone", thrown) from None
    members = ("remoteJid", "fromMe", "id", "participant")
    key = defined(**{name: get(body, name) for name in members})
    answer = _protocol_answer(call, body["remoteJid"], {"key": key, "type": "REVOKE"})
    # WhatsApp has taken the revocation, stored message or not.
    row = instance.message(body["id"])
    if row is not None:
        _revoke(call, instance, row)
    return answer


def _revoke(call: RouteCall, instance: Instance, row: MessageRow) -> None:
    server = call.server
    # A revoked row stays and is marked, unless the server deletes for good.
    if server.options.logical_delete:
        row.key = {**row.key, "deleted": True}
        row.status = "DELETED"
        if server.options.store_message_updates:
            add_update(server, instance, row, "DELETED")
    else:
        instance.remove_message(row)
    event = {
        "id": row.id,
        "instanceId": instance.id,
        "key": row.key,
        "messageType": row.message_type,
        "status": "DELETED",
        "source": row.source,
        "messageTimestamp": row.timestamp,
        "pushName": row.push_name,
        "participant": row.participant,
        "message": row.content,
    }
    server.emit(instance, "messages.delete", event)


def _edited_content(row: MessageRow | None, text: Any) -> JsonObject | None:
    """Make the content of an edit: text, or media with a new caption; None for anything else."""
    if row is None:
        return None
    if row.message_type in ("conversation", "extendedTextMessage"):
        return {"extendedTextMessage": {"text": text}}
    if row.message_type in ("imageMessage", "videoMessage"):
        node = row.message.get(row.message_type, {})
        return {row.message_type: {**node, "caption": text}}
    return None


def _update(call: RouteCall, instance: Instance) -> JsonObject:
    server, body = call.server, call.body
    jid = to_jid(get(body, "number"))
    text, key = get(body, "text"), get(body, "key")
    # A server that stores nothing edits blindly, and every message as a text.
    row = instance.message(get(key, "id")) if server.options.store_messages else None
    edited = (
        _edited_content(row, text)
        if server.options.store_messages
        else {"extendedTextMessage": {"text": text}}
    )
    if edited is None:
        raise bad_request("Message not compatible")
    # Compared exactly: the other spelling of a number, or its LID, does not match.
    if row is not None and row.key.get("remoteJid") != jid:
        raise bad_request("RemoteJid does not match")
    socket.send(instance)
    now = server.now_ms()
    protocol = {
        "key": key,
        "type": "MESSAGE_EDIT",
        "editedMessage": edited,
        "timestampMs": str(int(now)),
    }
    # The event has the numbers of the same message as numbers.
    event = {**protocol, "type": 14, "timestampMs": int(now)}
    server.emit(instance, "send.message.update", event)
    if row is not None:
        _store_edit(call, instance, row, text)
    return _protocol_answer(call, jid, protocol)


def _store_edit(call: RouteCall, instance: Instance, row: MessageRow, text: Any) -> None:
    if row.message_type == "conversation":
        row.message = {**row.message, "conversation": text}
    else:
        node = row.message.get(row.message_type, {})
        row.message = {**row.message, row.message_type: {**node, "caption": text}}
    row.status = "EDITED"
    # The row's time moves with the edit: an edited message jumps to the top of listings.
    row.timestamp = int(call.server.now_ms() / 1000)
    if call.server.options.store_message_updates:
        add_update(call.server, instance, row, "EDITED")


def _base64(call: RouteCall, instance: Instance) -> JsonObject:
    try:
        return _download(call, instance)
    except Thrown as thrown:
        raise as_400(thrown) from None


def _download(call: RouteCall, instance: Instance) -> JsonObject:
    given = get(call.body, "message")
    # Without a message the server reads its key, and names that in the error.
    if given is UNDEFINED or given is None:
        raise reading("key", "null" if given is None else "undefined")
    key = get(given, "key")
    message = as_object(get(given, "message"))
    if message is None:
        message = _looked_up(instance, key)
    # Unwrapped in this order, each at most once.
    for wrapper in _WRAPPERS:
        message = as_object(get(message, wrapper, "message")) or message
    kind = next((name for name in _MEDIA if truthy(get(message, name))), None)
    if kind is None:
        if list(message) == ["messageContextInfo"]:
            raise TextThrown("The message is messageContextInfo")
        raise TextThrown("The message is not of the media type")
    return _media_answer(call, kind, message[kind], get(key, "id"))


def _looked_up(instance: Instance, key: Any) -> JsonObject:
    if key is UNDEFINED or key is None:
        # Its failed look-up yields a message without contents.
        raise reading(_WRAPPERS[0])
    row = instance.message(get(key, "id"))
    if row is None:
        raise TextThrown("Message not found")
    return row.message


def _media_answer(call: RouteCall, kind: str, node: Any, key_id: Any) -> JsonObject:
    data = call.server.network.uploads.get(get(node, "directPath"))
    # Only uploads of this fake can be downloaded; every other path is gone from WhatsApp's servers.
    if data is None:
        url = f"https://mmg.whatsapp.net{node.get('directPath')}"
        raise ErrorThrown(f"Failed to fetch stream from {url}")
    # Nothing is converted: only the type says that it was.
    to_mp4 = truthy(get(call.body, "convertToMp4")) and kind == "audioMessage"
    mimetype = get(node, "mimetype")
    name = get(node, "fileName")
    return defined(
        mediaType=kind,
        fileName=name if truthy(name) else f"{key_id}.{extension_of(mimetype)}",
        caption=get(node, "caption"),
        size=defined(
            fileLength=get(node, "fileLength"),
            height=get(node, "height"),
            width=get(node, "width"),
        ),
        mimetype="audio/mp4" if to_mp4 else mimetype,
        base64=base64.b64encode(data).decode(),
        buffer=None,
    )


def _channels(call: RouteCall, instance: Instance) -> JsonObject:
    """List the channels that have written; ``where`` is ignored."""
    size = get(call.body, "limit")
    size = get(call.body, "rows") if size in (UNDEFINED, None) else size
    limit = int(to_number(_PAGE_SIZE if size in (UNDEFINED, None) else size))
    given = get(call.body, "page")
    page = int(to_number(1 if given in (UNDEFINED, None) else given))
    written = {jid: rows[-1] for jid, rows in instance.table.chats().items() if is_channel(jid)}
    # Newest first; of the same second, the one that was stored first.
    ranked = sorted(written.items(), key=lambda item: item[1][:2], reverse=True)
    newest = {jid: row.timestamp for jid, (_, _, row) in ranked}
    found = [{"remoteJid": jid, "lastMessageTimestamp": at} for jid, at in newest.items()]
    start = (page - 1) * limit
    return {
        "total": len(found),
        "pages": -(-len(found) // limit),
        "currentPage": page,
        "limit": limit,
        "records": found[start : start + limit],
    }


def _send_presence(call: RouteCall, instance: Instance) -> JsonObject:
    body = call.body
    try:
        recipient(call.server, instance, body["number"])
        socket.query(instance, "presenceSubscribe")
    except Thrown as thrown:
        raise as_400(thrown) from None
    # The delay is the presence itself: the answer comes when it ends.
    call.hold_ms = max(0.0, float(body["delay"]))
    return {"presence": body["presence"]}


def _block(call: RouteCall, instance: Instance) -> JsonObject:
    try:
        jid = recipient(call.server, instance, call.body["number"])
        socket.query(instance, "updateBlockStatus")
    except Thrown as thrown:
        raise _failed("Error blocking user", thrown) from None
    if call.body["status"] == "block":
        instance.blocked.add(jid)
    else:
        instance.blocked.discard(jid)
    return {"block": "success"}


METHODS: dict[str, Method] = {
    "whatsappNumber": _numbers,
    "markMessageAsRead": _mark_read,
    "markMessageAsPlayed": _mark_played,
    "baileysDecryptPollVote": polls.votes,
    "fetchChannels": _channels,
    "archiveChat": _archive,
    "markChatUnread": _mark_unread,
    "deleteMessage": _delete,
    "updateMessage": _update,
    "getBase64FromMediaMessage": _base64,
    "sendPresence": _send_presence,
    "blockUser": _block,
}
