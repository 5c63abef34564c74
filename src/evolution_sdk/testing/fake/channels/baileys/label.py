"""Labels and calls on WHATSAPP-BAILEYS."""

from __future__ import annotations

from typing import Any

from evolution_sdk.testing.fake import incoming
from evolution_sdk.testing.fake.channels.base import Method, to_jid
from evolution_sdk.testing.fake.errors import ErrorThrown, Thrown, bad_request, not_found
from evolution_sdk.testing.fake.js import JsonObject, defined, get
from evolution_sdk.testing.fake.router import RouteCall
from evolution_sdk.testing.fake.state import Instance

from . import socket
from .numbers import check_numbers

_NO_INDEX = (
    "\nInvalid `prisma.$executeRawUnsafe()` invocation:\n\n\nRaw query failed. Code: `42P10`. "
    "Message: `there is no unique or exclusion constraint matching the ON CONFLICT specification`"
)
_MEMBERS = {"add": "addChatLabel", "remove": "removeChatLabel"}


def _labels(_: RouteCall, instance: Instance) -> list[JsonObject]:
    return [
        {
            "color": row["color"],
            "name": row["name"],
            "id": row["labelId"],
            "predefinedId": row["predefinedId"],
        }
        for row in instance.tables.get("Label", ())
    ]


def _handle(call: RouteCall, instance: Instance) -> JsonObject:
    found = check_numbers(call.server, instance, [call.body["number"]])[0]
    if not found["exists"]:
        raise not_found("Number is not on WhatsApp")
    action, label, jid = call.body["action"], call.body["labelId"], found["jid"]
    try:
        socket.patch_chat(instance, _MEMBERS[action])
        # WhatsApp has the label from here on, even if the database then fails.
        put = instance.labelled.setdefault(jid, set())
        (put.add if action == "add" else put.discard)(label)
        _store_labels(call, instance, jid)
    except Thrown as thrown:
        raise bad_request(f"Unable to {action} label to chat", thrown.text) from None
    data = {"instance": instance.name, "type": action, "chatId": jid, "labelId": label}
    call.server.emit(instance, "labels.association", data)
    return {"numberJid": jid, "labelId": label, action: True}


def _store_labels(call: RouteCall, instance: Instance, jid: str) -> None:
    """Note the labels in the chat's row; WhatsApp has the change already if this fails."""
    if not call.server.label_bookkeeping:
        raise ErrorThrown(_NO_INDEX, name="PrismaClientKnownRequestError")
    chat = instance.chat(jid) or incoming.add_chat(call.server, instance, jid, None)
    chat["labels"] = sorted(instance.labelled[jid])


def _offer_call(call: RouteCall, _: Instance) -> JsonObject:
    """Answer with the server's stub; no call is placed."""
    if not call.server.profile.has("calls_have_ids"):
        return {}
    body: Any = call.body
    return defined(
        id="123",
        jid=to_jid(body["number"]),
        isVideo=get(body, "isVideo"),
        callDuration=body["callDuration"],
    )


METHODS: dict[str, Method] = {
    "fetchLabels": _labels,
    "handleLabel": _handle,
    "offerCall": _offer_call,
}
