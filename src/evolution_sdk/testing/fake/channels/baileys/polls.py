"""Polls on WHATSAPP-BAILEYS: who chose what, as the server counts it."""

from __future__ import annotations

from evolution_sdk.testing.fake.errors import Thrown, internal, not_found, reading
from evolution_sdk.testing.fake.js import JsonObject, as_list, get
from evolution_sdk.testing.fake.message_table import MessageRow
from evolution_sdk.testing.fake.router import RouteCall
from evolution_sdk.testing.fake.state import Instance

_KINDS = ("pollCreationMessage", "pollCreationMessageV3")
_VOTE = "pollUpdateMessage"


def votes(call: RouteCall, instance: Instance) -> JsonObject:
    """Count the votes of a poll.

    The server takes every voter for the own account (`facts/versions/baileys.md` "Stored rows
    against events"), so that the newest vote is the only one.

    Raises:
        HttpThrown: 500 with the server's words and the cause.
    """
    try:
        poll = _poll(instance, get(call.body, "message", "key", "id"))
        if not instance.has_client:
            raise reading("user")
    except Thrown as thrown:
        raise internal("Error decrypting poll votes", thrown.text) from None
    node = next(node for kind in _KINDS if (node := poll.message.get(kind)) is not None)
    names = [option["optionName"] for option in node["options"]]
    found = [
        row
        for row in instance.messages
        if row.message_type == _VOTE
        and get(row.message, _VOTE, "pollCreationMessageKey", "id") == poll.key["id"]
    ]
    newest = max(found, key=lambda row: row.timestamp, default=None)
    chosen = [] if newest is None else _chosen(newest)
    voter = instance.owner_jid
    results = {
        name: {"votes": int(name in chosen), "voters": [voter] if name in chosen else []}
        for name in names
    }
    return {"poll": {"name": node["name"], "totalVotes": int(bool(chosen)), "results": results}}


def _poll(instance: Instance, key_id: object) -> MessageRow:
    row = instance.message(key_id)
    # The exception is a plain object, whose text is lost.
    if row is None or not any(get(row.message, kind, "options") for kind in _KINDS):
        raise not_found("Poll options not found")
    return row


def _chosen(row: MessageRow) -> list[str]:
    given = as_list(get(row.message, _VOTE, "vote", "selectedOptions")) or []
    return [name for name in given if isinstance(name, str)]
