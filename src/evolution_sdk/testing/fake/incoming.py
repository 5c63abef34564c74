"""Messages that arrive, with the contacts and chats that come with them."""

from __future__ import annotations

from typing import Any

from . import object_storage
from .chatbots.inbound import wake
from .inlining import inlined, upload
from .js import UNDEFINED, JsonObject, defined, iso
from .message_keys import stored_key, told_key
from .state import BAILEYS, BUSINESS, EVOLUTION, Instance, MessageRow, ServerState

_REMEMBERED_MS = 300_000


def receive(
    server: ServerState,
    instance: Instance,
    jid: str,
    message: JsonObject,
    kind: str,
    *,
    push_name: str | None,
    key_id: str | None,
    participant: str | None,
    content: bytes | None = None,
) -> str:
    """Let a message arrive, and return its WhatsApp id."""
    if content is not None:
        message = upload(server, message, kind, content)
    baileys = instance.integration == BAILEYS
    # Phones make other ids than WhatsApp Web; Meta and EVOLUTION have forms of their own.
    made = {
        BAILEYS: lambda: server.ids.whatsapp("3A"),
        BUSINESS: lambda: server.ids.wamid("in"),
        EVOLUTION: server.ids.uuid,
    }[instance.integration]()
    key_id = key_id or made
    if baileys:
        if _passed_over(server, instance, key_id, kind):
            return key_id
        key = stored_key(server, jid, key_id, participant)
    else:
        key = {"remoteJid": jid, "fromMe": False, "id": key_id}
        if participant is not None:
            key["participant"] = participant
    row = MessageRow(
        id=server.ids.row(),
        key=key,
        push_name=push_name,
        message_type=kind,
        message=message,
        timestamp=int(server.now_ms() / 1000),
        source="ios" if baileys else "unknown",
        status="DELIVERY_ACK" if baileys else None,
        participant=participant,
        visible_at_ms=server.now_ms(),
    )
    # The other channels store every message, whatever the setting says.
    if server.options.store_messages or not baileys:
        instance.add_message(row)
        object_storage.keep(server, instance, row)
    told = told_key(server, key)
    event = defined(
        key=told,
        pushName=push_name,
        **({"status": "DELIVERY_ACK"} if baileys else {}),
        message=inlined(server, instance, row.message),
        contextInfo=_beside(server, message) if baileys else UNDEFINED,
        messageType=kind,
        messageTimestamp=row.timestamp,
        instanceId=instance.id,
        source=row.source,
    )
    server.emit(instance, "messages.upsert", event)
    # In the server's order: message, contact, chat, then the chatbots.
    _remember_sender(server, instance, jid, push_name)
    wake(server, instance, told["remoteJid"], message, push_name)
    return key_id


def _passed_over(server: ServerState, instance: Instance, key_id: str, kind: str) -> bool:
    """Tell if the server leaves a message out: a repeat, or a vote that it cannot read."""
    profile = server.profile
    if kind == "pollUpdateMessage" and not profile.has("poll_votes_decrypted"):
        return True
    if profile.has("repeats_kept") or not profile.has("repeats_noticed"):
        return False
    before = instance.message(key_id)
    return before is not None and server.now_ms() - before.visible_at_ms <= _REMEMBERED_MS


def _beside(server: ServerState, message: JsonObject) -> Any:
    """Return the context information beside a message that arrived, where the version has it."""
    if server.profile.has("context_is_messages_own"):
        return message.get("messageContextInfo")
    return UNDEFINED


def _remember_sender(
    server: ServerState, instance: Instance, jid: str, push_name: str | None
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
    if instance.integration == BAILEYS:
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
