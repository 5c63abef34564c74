"""Sessions: which bot is talking with whom."""

from __future__ import annotations

from typing import Any

from evolution_sdk.testing.fake.errors import ErrorThrown, Thrown
from evolution_sdk.testing.fake.js import JsonObject, iso
from evolution_sdk.testing.fake.router import Call
from evolution_sdk.testing.fake.state import Instance
from evolution_sdk.testing.fake.tables import Column, insert, text
from evolution_sdk.testing.fake.world import World

from . import store
from .kinds import TYPEBOT, Kind

_COLUMNS = {
    "sessionId": text(255, required=True),
    "remoteJid": text(100, required=True),
    "pushName": text(),
    "status": text(),
    "awaitUser": Column("bool", default=False),
    "context": Column("json"),
    "type": text(100),
    "parameters": Column("json"),
    "botId": text(),
}


def open_session(world: World, owner: Instance, kind: Kind, bot: JsonObject, jid: str,
                 **values: Any) -> JsonObject | None:  # fmt: skip
    """Begin a session.

    Args:
        world: The server.
        owner: The instance.
        kind: Which chatbot.
        bot: Which bot of it.
        jid: With whom.
        **values: What differs from the usual session.

    Returns:
        The session; None when the database refuses it, which is only logged.
    """
    usual = {"sessionId": jid, "remoteJid": jid, "status": "opened", "type": kind.session_type}
    wanted = {**usual, "botId": bot["id"], **values}
    try:
        session = insert(world, owner, _COLUMNS, wanted, "integrationSession.create()")
    except Thrown:
        return None
    store.rows(owner, store.SESSIONS).append(session)
    return session


def newest(candidates: list[JsonObject], jid: object) -> JsonObject | None:
    """The session that began last with somebody."""
    return next((row for row in reversed(candidates) if row["remoteJid"] == jid), None)


def touch(world: World, session: JsonObject, **changes: Any) -> None:
    """Change a session."""
    session.update(changes, updatedAt=iso(world.now_ms()))


def forget(owner: Instance, jid: object) -> None:
    """Delete the sessions of an instance with somebody, whichever bot's they are."""
    kept = [row for row in store.rows(owner, store.SESSIONS) if row["remoteJid"] != jid]
    store.rows(owner, store.SESSIONS)[:] = kept


def fetch_sessions(kind: Kind, call: Call) -> Any:
    """``GET /<bot>/fetchSessions``: of one bot, or of all of the kind for an unknown id.

    Raises:
        ErrorThrown: 500 for a bot of another instance.
    """
    store.require_on(kind, call.world)
    with store.failing_as("Error fetching sessions"):
        owner = store.owner_of(call)
        bot = store.row_by_id(call.world, kind.group, call.params[kind.parameter])
        if bot is not None and bot["instanceId"] != owner.id:
            raise ErrorThrown(f"{kind.label} not found")
    return [
        row
        for row in store.rows(owner, store.SESSIONS)
        if row["type"] == kind.session_type and (bot is None or row["botId"] == bot["id"])
    ]


def change_status(kind: Kind, call: Call) -> Any:
    """``POST /<bot>/changeStatus``: of sessions of every kind.

    Closing and deleting reach the sessions of all instances, a server bug; opening and pausing
    only those of this one, and count them.
    """
    store.require_on(kind, call.world)
    jid, status = call.body["remoteJid"], call.body["status"]
    with store.failing_as(f"Error changing {kind.label} status"):
        owner = store.owner_of(call)
        if kind is TYPEBOT:
            session = newest(list(store.rows_of_all(call.world, store.SESSIONS)), jid)
            announce(call.world, call.world.running(call.instance, "sendDataWebhook"),
                     jid, status, session)  # fmt: skip
    bot: JsonObject = {"remoteJid": jid, "status": status}
    keep_open = (store.settings_of(kind, owner) or {}).get("keepOpen")
    if status == "delete" or (status == "closed" and not keep_open):
        for other in call.world.rows():
            forget(other, jid)
    else:
        reached = (
            store.rows_of_all(call.world, store.SESSIONS)
            if status == "closed"
            else store.rows(owner, store.SESSIONS)
        )
        found = [row for row in reached if row["remoteJid"] == jid]
        for row in found:
            touch(call.world, row, status=status)
        if status != "closed":
            bot["session"] = {"count": len(found)}
    if status == "delete":
        return {"bot": bot}
    return {"bot": {"instanceName": call.instance, **call.query, "bot": bot}}


def announce(world: World, instance: Instance, jid: object, status: str,
             session: JsonObject | None) -> None:  # fmt: skip
    """Tell of a Typebot session."""
    data = {"remoteJid": jid, "status": status, "session": session}
    world.emit(instance, "typebot.change-status", data)
