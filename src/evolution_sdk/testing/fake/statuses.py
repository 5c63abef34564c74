"""Statuses of sent messages: sent, delivered, read."""

from __future__ import annotations

from .arrange_errors import ArrangementError
from .js import JsonObject
from .state import BAILEYS, BUSINESS, EVOLUTION, Instance, MessageRow, ServerState

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
        event["participant"] = row.key.get("participant", row.key.get("remoteJid"))
    # A server that stores no updates still announces them.
    if server.options.store_message_updates:
        add_update(server, instance, row, status)
    else:
        row.updates.append({"status": status})
    server.emit(instance, "messages.update", event)


def advance(server: ServerState, instance: Instance) -> int:
    """Move every sent message one status further, and return the number of those that moved."""
    steps = STEPS[instance.integration]
    moved = 0
    for row in instance.visible(server.now_ms()):
        done = [u["status"] for u in row.updates if u["status"] in steps]
        # The furthest status counts: a test may have reported READ before DELIVERY_ACK.
        reached = max((steps.index(status) + 1 for status in done), default=0)
        if row.key.get("fromMe") and reached < len(steps) and row.status != "DELETED":
            deliver(server, instance, row, steps[reached])
            moved += 1
    return moved
