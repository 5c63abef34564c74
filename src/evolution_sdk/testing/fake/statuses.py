"""Statuses of sent messages: sent, delivered, read."""

from __future__ import annotations

from .arrange_errors import ArrangementError
from .js import JsonObject
from .message_table import MessageRow
from .state import BAILEYS, BUSINESS, EVOLUTION, Instance, ServerState

STEPS: dict[str, tuple[str, ...]] = {
    BAILEYS: ("SERVER_ACK", "DELIVERY_ACK", "READ"),
    BUSINESS: ("SENT", "DELIVERED", "READ"),
    EVOLUTION: (),
}
"""Statuses of an own message in their usual order, by channel; EVOLUTION reports none."""

FURTHER: dict[str, tuple[str, ...]] = {
    BAILEYS: ("ERROR", "PENDING", "PLAYED"),
    BUSINESS: ("FAILED",),
    EVOLUTION: (),
}
"""Statuses beside the usual ones, which only a test that names them reports."""


def add_update(server: ServerState, instance: Instance, row: MessageRow, status: str) -> JsonObject:
    """Add a MessageUpdate row; the message's own row keeps its status."""
    business = instance.integration == BUSINESS
    jid = row.key.get("remoteJid")
    update: JsonObject = {
        "id": server.ids.row(),
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


def refusal_of(instance: Instance, jid: str) -> int | None:
    """Return the code with which WhatsApp refuses a message to a chat; None if it does not.

    Baileys reports it as status ERROR with the code in ``messageStubParameters`` (`handleBadAck` in
    its messages-recv.ts), which every recorded server drops (`facts/versions/baileys.md`).
    """
    if instance.integration != BAILEYS or not instance.refuses:
        return None
    if jid in instance.refuses:
        return instance.refuses[jid]
    # The lock is about chats of two that the other side has not written in.
    if not jid.endswith(("@s.whatsapp.net", "@lid")):
        return None
    wrote = any(not row.key.get("fromMe") for row in instance.table.of_chat(jid))
    return None if wrote else instance.refuses.get(None)


def deliver(server: ServerState, instance: Instance, row: MessageRow, status: str) -> None:
    """Report a new status of a message.

    Raises:
        ValueError: The channel has no such status.
    """
    allowed = STEPS[instance.integration] + FURTHER[instance.integration]
    if status not in allowed:
        raise ArrangementError(
            f"status: {instance.integration} reports "
            f"{', '.join(allowed) or 'no statuses'}, not {status!r}.",
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
    if instance.integration == BAILEYS and not server.profile.has("alternative_keys"):
        # The oldest servers put the chat there, groups included.
        event["participant"] = row.key.get("remoteJid")
    # A server that stores no updates still announces them.
    if server.options.store_message_updates:
        add_update(server, instance, row, status)
    else:
        row.updates.append({"status": status})
    server.emit(instance, "messages.update", event)
    if instance.integration == BAILEYS:
        tell_chat(server, instance, str(row.key.get("remoteJid")))


def tell_chat(server: ServerState, instance: Instance, jid: str) -> None:
    """Announce the chat of a message that was updated, if it is known, as without unread ones."""
    chat = instance.chat(jid)
    if chat is None:
        return
    told: JsonObject = {"remoteJid": jid, "instanceId": instance.id, "unreadMessages": 0}
    if not server.profile.has("alternative_keys"):
        # The oldest servers forget the name of the chat along the way.
        told["name"] = ""
    chat.update({name: value for name, value in told.items() if name != "instanceId"})
    server.emit(instance, "chats.upsert", [told])


def advance(server: ServerState, instance: Instance) -> int:
    """Move every sent message one status further, and return the number of those that moved."""
    steps = STEPS[instance.integration]

    def reached(row: MessageRow) -> int:
        done = [u["status"] for u in row.updates if u["status"] in steps]
        # The furthest status counts: a test may have reported READ before DELIVERY_ACK.
        return max((steps.index(status) + 1 for status in done), default=0)

    def finished(row: MessageRow) -> bool:
        stays = row.status == "DELETED" or row.refused_code is not None
        return stays or not row.key.get("fromMe") or reached(row) >= len(steps)

    moved, now_ms = 0, server.now_ms()
    for row in instance.table.moving(finished):
        if row.visible_at_ms <= now_ms:
            deliver(server, instance, row, steps[reached(row)])
            moved += 1
    return moved
