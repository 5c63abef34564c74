"""How a sent message goes on: sent, delivered, read; and messages that arrive."""

from __future__ import annotations

from . import storage
from .arranging import ArrangementError
from .chatbots.inbound import wake
from .js import JsonObject, defined, iso
from .state import BAILEYS, BUSINESS, EVOLUTION, Instance, MessageRow
from .world import World

STEPS: dict[str, tuple[str, ...]] = {
    BAILEYS: ("SERVER_ACK", "DELIVERY_ACK", "READ"),
    BUSINESS: ("SENT", "DELIVERED", "READ"),
    EVOLUTION: (),
}
"""The usual progress of an own message, by channel; EVOLUTION reports none."""

FURTHER: dict[str, tuple[str, ...]] = {
    BAILEYS: ("ERROR", "PENDING", "PLAYED"),
    BUSINESS: ("FAILED",),
    EVOLUTION: (),
}


def add_update(world: World, instance: Instance, row: MessageRow, status: str) -> JsonObject:
    """Add a MessageUpdate row; the message's own row keeps its status."""
    business = instance.integration == BUSINESS
    jid = row.key.get("remoteJid")
    update: JsonObject = {
        "id": world.ids.row(),
        "keyId": row.key["id"],
        "remoteJid": jid,
        # Business marks even own messages as not own.
        "fromMe": False if business else row.key.get("fromMe", False),
        "participant": jid if business else row.key.get("participant"),
        "pollUpdates": None,
        "status": status,
        "messageId": row.id,
        "instanceId": instance.id,
    }
    instance.updates.append(update)
    row.updates.append(update)
    return update


def deliver(world: World, instance: Instance, row: MessageRow, status: str) -> None:
    """Report a new status of a message.

    Raises:
        ValueError: The channel has no such status.
    """
    allowed = STEPS[instance.integration] + FURTHER[instance.integration]
    if status not in allowed:
        raise ArrangementError(
            f"{instance.integration} reports {', '.join(allowed) or 'no statuses'}, not {status}",
            variable="status",
        )
    event: JsonObject = {
        "keyId": row.key["id"],
        "remoteJid": row.key.get("remoteJid"),
        "fromMe": instance.integration != BUSINESS and row.key.get("fromMe", False),
        "status": status,
        "instanceId": instance.id,
        "messageId": row.id,
    }
    if world.options.store_message_updates:
        add_update(world, instance, row, status)
    else:
        row.updates.append({"status": status})
    world.emit(instance, "messages.update", event)


def advance(world: World, instance: Instance) -> int:
    """Move every sent message one step further; returns how many moved."""
    steps = STEPS[instance.integration]
    moved = 0
    for row in instance.visible(world.now_ms()):
        done = [u["status"] for u in row.updates if u["status"] in steps]
        reached = max((steps.index(status) + 1 for status in done), default=0)
        if row.key.get("fromMe") and reached < len(steps) and row.status != "DELETED":
            deliver(world, instance, row, steps[reached])
            moved += 1
    return moved


def receive(world: World, instance: Instance, jid: str, message: JsonObject, kind: str, *,
            push_name: str | None, key_id: str | None, participant: str | None) -> str:  # fmt: skip
    """Let a message arrive; returns its WhatsApp id."""
    baileys = instance.integration == BAILEYS
    made = {
        BAILEYS: lambda: world.ids.whatsapp("3A"),
        BUSINESS: lambda: world.ids.wamid("in"),
        EVOLUTION: world.ids.uuid,
    }[instance.integration]()
    key: JsonObject = {"remoteJid": jid, "fromMe": False, "id": key_id or made}
    if participant is not None:
        key["participant"] = participant
    row = MessageRow(
        id=world.ids.row(),
        key=key,
        push_name=push_name,
        message_type=kind,
        message=message,
        timestamp=int(world.now_ms() / 1000),
        source="ios" if baileys else "unknown",
        status="DELIVERY_ACK" if baileys else None,
        participant=participant,
        visible_at_ms=world.now_ms(),
    )
    if world.options.store_messages or not baileys:
        instance.add_message(row)
        storage.keep(world, instance, row)
    event = defined(
        key=key,
        pushName=push_name,
        **({"status": "DELIVERY_ACK"} if baileys else {}),
        message=message,
        messageType=kind,
        messageTimestamp=row.timestamp,
        instanceId=instance.id,
        source=row.source,
    )
    world.emit(instance, "messages.upsert", event)
    _meet(world, instance, jid, push_name)
    wake(world, instance, jid, message, push_name)
    return str(key["id"])


def _meet(world: World, instance: Instance, jid: str, push_name: str | None) -> None:
    """Keep the sender as contact and chat; Business announces contacts without keeping them."""
    data: JsonObject = {"remoteJid": jid, "pushName": push_name, "instanceId": instance.id}
    if instance.integration == BUSINESS:
        world.emit(instance, "contacts.upsert", data)
        return
    now = world.now_ms()
    if instance.integration == BAILEYS:
        world.network.cache(jid, now)
        data["profilePicUrl"] = world.network.profile(jid).picture
    known = instance.contact(jid)
    if known is None:
        add_contact(world, instance, jid, push_name, data.get("profilePicUrl"))
    else:
        known.update(pushName=push_name or known["pushName"], updatedAt=iso(now))
    baileys_again = instance.integration == BAILEYS and known is not None
    world.emit(instance, "contacts.update" if baileys_again else "contacts.upsert", data)
    chat = instance.chat(jid)
    if chat is None or instance.integration == EVOLUTION:
        # EVOLUTION adds a row for every message; look-ups find the first.
        chat = add_chat(world, instance, jid, push_name)
        plain = {"remoteJid": jid, "instanceId": instance.id}
        world.emit(instance, "chats.upsert", plain)
    if instance.integration == BAILEYS:
        chat["unreadMessages"] += 1


def add_contact(world: World, instance: Instance, jid: str, push_name: str | None,
                picture: str | None) -> JsonObject:  # fmt: skip
    """Store a contact."""
    at = iso(world.now_ms())
    contact: JsonObject = {
        "id": world.ids.row(),
        "remoteJid": jid,
        "pushName": push_name,
        "profilePicUrl": picture,
        "createdAt": at,
        "updatedAt": at,
        "instanceId": instance.id,
    }
    instance.contacts.append(contact)
    return contact


def add_chat(world: World, instance: Instance, jid: str, name: str | None) -> JsonObject:
    """Store a chat; only Baileys names it."""
    at = iso(world.now_ms())
    chat: JsonObject = {
        "id": world.ids.row(),
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
