"""Sessions between bots and people."""

from __future__ import annotations

from typing import Any

from evolution_sdk.testing.fake.errors import ErrorThrown, Thrown, failing_as
from evolution_sdk.testing.fake.js import JsonObject, iso
from evolution_sdk.testing.fake.router import RouteCall
from evolution_sdk.testing.fake.state import Instance, ServerState
from evolution_sdk.testing.fake.tables import Column, insert, text

from . import rows
from .kinds import OPENAI, TYPEBOT, Kind

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


def open_session(
    server: ServerState, owner: Instance, kind: Kind, bot: JsonObject, jid: str, **values: Any
) -> JsonObject | None:
    """Begin a session.

    Args:
        server: The server.
        owner: The instance.
        kind: The kind of chatbot.
        bot: The bot.
        jid: JID of the person.
        **values: Members that differ from the usual session.

    Returns:
        The session; None when the database refuses it, which is only logged.
    """
    usual = {"sessionId": jid, "remoteJid": jid, "status": "opened", "type": kind.session_type}
    wanted = {**usual, "botId": bot["id"], **values}
    try:
        session = insert(server, owner, _COLUMNS, wanted, "integrationSession.create()")
    except Thrown:
        return None
    rows.rows_of(owner, rows.SESSIONS).append(session)
    return session


def newest(candidates: list[JsonObject], jid: object) -> JsonObject | None:
    """Find the newest session with a person."""
    return next((row for row in reversed(candidates) if row["remoteJid"] == jid), None)


def touch(server: ServerState, session: JsonObject, **changes: Any) -> None:
    """Change a session."""
    session.update(changes, updatedAt=iso(server.now_ms()))


def forget(owner: Instance, jid: object) -> None:
    """Delete all sessions of an instance with a person, of any bot."""
    kept = [row for row in rows.rows_of(owner, rows.SESSIONS) if row["remoteJid"] != jid]
    rows.rows_of(owner, rows.SESSIONS)[:] = kept


def fetch_sessions(kind: Kind, call: RouteCall) -> Any:
    """List the sessions of one bot, or of all of its kind for an unknown id.

    Raises:
        ErrorThrown: 500 for a bot of another instance.
    """
    rows.require_on(kind, call.server)
    with failing_as("Error fetching sessions"):
        owner = rows.owner_of(call)
        bot = rows.row_by_id(call.server, kind.group, call.params[kind.parameter])
        if bot is not None and bot["instanceId"] != owner.id:
            raise ErrorThrown(f"{kind.label} not found")
    return [
        row
        for row in rows.rows_of(owner, rows.SESSIONS)
        if row["type"] == kind.session_type and (bot is None or row["botId"] == bot["id"])
    ]


def change_status(kind: Kind, call: RouteCall) -> Any:
    """Change the status of a person's sessions, with bots of every kind.

    Closing and deleting reach the sessions of all instances, a server bug; opening and pausing
    only those of this one, and count them.
    """
    rows.require_on(kind, call.server)
    jid, status = call.body["remoteJid"], call.body["status"]
    with failing_as(f"Error changing {kind.label} status"):
        owner = rows.owner_of(call)
        # Announced before anything changes, and only for Typebot.
        if kind is TYPEBOT:
            session = newest(list(rows.rows_of_all(call.server, rows.SESSIONS)), jid)
            announce(call.server, call.server.running(call.instance, "sendDataWebhook"),
                     jid, status, session)  # fmt: skip
    bot: JsonObject = {"remoteJid": jid, "status": status}
    keep_open = (rows.settings_of(kind, owner) or {}).get("keepOpen")
    # Closing deletes, too, unless the settings keep sessions open.
    if status == "delete" or (status == "closed" and not keep_open):
        for other in call.server.rows():
            forget(other, jid)
    else:
        reached = (
            rows.rows_of_all(call.server, rows.SESSIONS)
            if status == "closed"
            else rows.rows_of(owner, rows.SESSIONS)
        )
        found = [row for row in reached if row["remoteJid"] == jid]
        for row in found:
            touch(call.server, row, status=status)
        # The count is missing in the answer to a close, as recorded.
        if status != "closed":
            bot["session"] = {"count": len(found)}
    key = bot_key(kind, call.server)
    # Typebot named the instance here, too, while it had a key of its own.
    if status == "delete" and not (kind is TYPEBOT and key != "bot"):
        return {key: bot}
    return {key: {"instanceName": call.instance, **call.query, key: bot}}


def bot_key(kind: Kind, server: ServerState) -> str:
    """Name the member of answers that holds the bot."""
    own = kind in (TYPEBOT, OPENAI) and not server.profile.has("session_key_bot")
    return kind.group if own else "bot"


def announce(
    server: ServerState, instance: Instance, jid: object, status: str, session: JsonObject | None
) -> None:
    """Announce the status of a Typebot session."""
    data = {"remoteJid": jid, "status": status, "session": session}
    server.emit(instance, "typebot.change-status", data)
