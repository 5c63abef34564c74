"""Messages that arrive, with the contacts and chats that come with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from . import object_storage
from .chatbots.inbound import wake
from .inlining import inlined, upload
from .js import UNDEFINED, JsonObject, as_object, defined, get, iso, or_undefined
from .message_keys import stored_key, told_key
from .message_table import MessageRow
from .state import BAILEYS, BUSINESS, EVOLUTION, Instance, ServerState, stored

_REMEMBERED_MS = 300_000


@dataclass(frozen=True, slots=True)
class Arrival:
    """Details of a message that arrives, beside its content.

    Attributes:
        push_name: The sender's own name.
        key_id: Its WhatsApp id; made up when None.
        participant: JID of the author in a group.
        from_me: Whether the own phone has sent it.
        context: What it quotes and whom it mentions.
        poll_updates: The poll's options with their voters.
    """

    push_name: str | None = None
    key_id: str | None = None
    participant: str | None = None
    from_me: bool = False
    context: JsonObject | None = None
    poll_updates: list[JsonObject] | None = None


def receive(
    server: ServerState,
    instance: Instance,
    jid: str,
    message: JsonObject,
    kind: str,
    arrival: Arrival,
    content: bytes | None = None,
) -> str:
    """Let a message arrive, and return its WhatsApp id.

    Args:
        server: The server.
        instance: The instance that receives it.
        jid: The chat.
        message: Its content; bytes in it are told and stored as the server does.
        kind: Its ``messageType``.
        arrival: What else is told of it.
        content: The file of a media message.
    """
    if content is not None:
        message = upload(server, message, kind, content)
    message = _with_context(message, kind, arrival.context)
    baileys = instance.integration == BAILEYS
    key_id = arrival.key_id or _made_id(server, instance)
    if baileys:
        if _passed_over(server, instance, key_id, kind):
            return key_id
        key = stored_key(server, jid, key_id, arrival.participant, from_me=arrival.from_me)
    else:
        key = {"remoteJid": jid, "fromMe": arrival.from_me, "id": key_id}
        if arrival.participant is not None:
            key["participant"] = arrival.participant
    status = ("SERVER_ACK" if arrival.from_me else "DELIVERY_ACK") if baileys else None
    beside = _beside(server, message, kind, arrival.context) if baileys else UNDEFINED
    row = MessageRow(
        id=server.ids.row(),
        key=key,
        push_name=arrival.push_name,
        message_type=kind,
        message=stored(message),
        timestamp=int(server.now_ms() / 1000),
        source="ios" if baileys else "unknown",
        context_info=None if beside is UNDEFINED else stored(beside),
        status=status,
        participant=arrival.participant,
        visible_at_ms=server.now_ms(),
    )
    # The other channels store every message, whatever the setting says.
    if server.options.store_messages or not baileys:
        instance.add_message(row)
        object_storage.keep(server, instance, row)
    told = told_key(server, key)
    event = defined(
        key=told,
        pushName=arrival.push_name,
        status=UNDEFINED if status is None else status,
        message=inlined(server, instance, _told_content(message, row)),
        contextInfo=beside,
        messageType=kind,
        messageTimestamp=row.timestamp,
        instanceId=instance.id,
        source=row.source,
        pollUpdates=or_undefined(arrival.poll_updates),
    )
    server.emit(instance, "messages.upsert", event)
    # In the server's order: message, contact, chat, then the chatbots.
    _remember_sender(
        server, instance, jid, "" if arrival.from_me else arrival.push_name, own=arrival.from_me
    )
    if not arrival.from_me:
        wake(server, instance, told["remoteJid"], message, arrival.push_name)
    return key_id


def _made_id(server: ServerState, instance: Instance) -> str:
    # Phones make other ids than WhatsApp Web; Meta and EVOLUTION have forms of their own.
    if instance.integration == BAILEYS:
        return server.ids.whatsapp("3A")
    return server.ids.wamid("in") if instance.integration == BUSINESS else server.ids.uuid()


def _told_content(message: JsonObject, row: MessageRow) -> JsonObject:
    """Return the content for the event: the row's, where storage has added something to it."""
    url = row.message.get("mediaUrl")
    return message if url is None else {**message, "mediaUrl": url}


def _passed_over(server: ServerState, instance: Instance, key_id: str, kind: str) -> bool:
    """Tell if the server leaves a message out: a repeat, or a vote that it cannot read."""
    profile = server.profile
    if kind == "pollUpdateMessage" and not profile.has("poll_votes_decrypted"):
        return True
    if profile.has("repeats_kept") or not profile.has("repeats_noticed"):
        return False
    before = instance.message(key_id)
    return before is not None and server.now_ms() - before.visible_at_ms <= _REMEMBERED_MS


_TEXT: Final = "conversation"
# Kinds whose protobuf has no context information; all others say null where they have none.
_WITHOUT_CONTEXT: Final = frozenset(
    {
        _TEXT, "reactionMessage", "pollUpdateMessage", "protocolMessage", "editedMessage",
        "ephemeralMessage", "viewOnceMessage", "viewOnceMessageV2", "viewOnceMessageV2Extension",
        "documentWithCaptionMessage", "lottieStickerMessage", "pinInChatMessage",
        "keepInChatMessage", "encCommentMessage", "secretEncryptedMessage", "unknown",
    }
)  # fmt: skip


def _with_context(message: JsonObject, kind: str, context: JsonObject | None) -> JsonObject:
    """Put context information into the content; the server takes it out of texts."""
    node = as_object(message.get(kind))
    if context is None or kind == _TEXT or node is None:
        return message
    return {**message, kind: {**node, "contextInfo": context}}


def _beside(server: ServerState, message: JsonObject, kind: str, context: JsonObject | None) -> Any:
    """Return the context information beside a message that arrived, where the version has it."""
    if server.profile.has("context_is_messages_own"):
        return message.get("messageContextInfo")
    inside = context if context is not None else get(message, kind, "contextInfo")
    if inside is UNDEFINED and kind not in _WITHOUT_CONTEXT and as_object(message.get(kind)):
        return None
    return inside


def _remember_sender(
    server: ServerState,
    instance: Instance,
    jid: str,
    push_name: str | None,
    *,
    own: bool = False,
) -> None:
    """Keep the sender as contact and chat; Business announces contacts without keeping them."""
    data: JsonObject = {"remoteJid": jid, "pushName": push_name, "instanceId": instance.id}
    # The server forgets to await the write, so that every message finds the contact new.
    if instance.integration == BUSINESS:
        server.emit(instance, "contacts.upsert", data)
        return
    now = server.now_ms()
    if instance.integration == BAILEYS:
        # Whoever writes is on WhatsApp: a later send needs no look-up.
        server.network.cache(jid, now)
        data["profilePicUrl"] = server.network.profile(jid).picture
    known = instance.contact(jid)
    if known is None:
        add_contact(server, instance, jid, push_name, data.get("profilePicUrl"))
    else:
        # A message without a name keeps the name that is known.
        known.update(pushName=push_name or known["pushName"], updatedAt=iso(now))
    baileys_again = instance.integration == BAILEYS and known is not None
    server.emit(instance, "contacts.update" if baileys_again else "contacts.upsert", data)
    chat = instance.chat(jid)
    if chat is None or instance.integration == EVOLUTION:
        # EVOLUTION adds a row for every message; look-ups find the first.
        chat = add_chat(server, instance, jid, push_name)
        plain = {"remoteJid": jid, "instanceId": instance.id}
        server.emit(instance, "chats.upsert", plain)
    # Only a phone counts unread messages.
    if instance.integration == BAILEYS and not own:
        chat["unreadMessages"] += 1


def add_contact(
    server: ServerState, instance: Instance, jid: str, push_name: str | None, picture: str | None
) -> JsonObject:
    """Store a contact."""
    at = iso(server.now_ms())
    contact: JsonObject = {
        "id": server.ids.row(),
        "remoteJid": jid,
        "pushName": push_name,
        "profilePicUrl": picture,
        "createdAt": at,
        "updatedAt": at,
        "instanceId": instance.id,
    }
    instance.contacts.append(contact)
    return contact


def add_chat(server: ServerState, instance: Instance, jid: str, name: str | None) -> JsonObject:
    """Store a chat; only Baileys stores its name."""
    at = iso(server.now_ms())
    chat: JsonObject = {
        "id": server.ids.row(),
        "remoteJid": jid,
        "name": name if instance.integration == BAILEYS else None,
        "labels": None,
        "createdAt": at,
        "updatedAt": at,
        "instanceId": instance.id,
        "unreadMessages": 0,
    }
    instance.chats.append(chat)
    return chat
