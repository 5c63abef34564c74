"""Rows of bots, default settings and sessions, and the checks that all routes share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from evolution_sdk.testing.fake.errors import bad_request, reading
from evolution_sdk.testing.fake.js import JsonObject, as_list
from evolution_sdk.testing.fake.router import RouteCall
from evolution_sdk.testing.fake.state import Instance, ServerState

from .kinds import EVOLUTION_BOT, Kind

SESSIONS = "IntegrationSession"
CREDS = "OpenaiCreds"


def is_on(kind: Kind, server: ServerState) -> bool:
    """Tell if a kind is switched on server-wide; Evolution Bot always is."""
    return kind is EVOLUTION_BOT or kind.group in server.options.features


def require_on(kind: Kind, server: ServerState) -> None:
    """Refuse a kind that is switched off.

    Raises:
        HttpThrown: 400.
    """
    if not is_on(kind, server):
        raise bad_request(f"{kind.label} is disabled")


def owner_of(call: RouteCall) -> Instance:
    """Find the row of the instance that a request is about.

    Raises:
        ErrorThrown: There is none, because the query named another one than the path.
    """
    row = call.server.known(call.instance)
    if row is None:
        raise reading("id", "null")
    return row


def rows_of(owner: Instance, table: str) -> list[JsonObject]:
    """Return the rows of an instance in a table, to read and to change."""
    return owner.tables.setdefault(table, [])


def rows_of_all(server: ServerState, table: str) -> Iterator[JsonObject]:
    """Iterate over the rows of every instance in a table."""
    for owner in server.rows():
        yield from rows_of(owner, table)


def row_by_id(server: ServerState, table: str, row_id: object) -> JsonObject | None:
    """Find a row by its id, in any instance; the server does not compare the owner."""
    return next((row for row in rows_of_all(server, table) if row["id"] == row_id), None)


def settings_of(kind: Kind, owner: Instance) -> JsonObject | None:
    """Return the default settings of an instance, or None before they are set."""
    return owner.relations.get(settings_table(kind))


def settings_table(kind: Kind) -> str:
    """Return the name of the table with the default settings of a kind."""
    return f"{kind.group}Setting"


def is_ignored(ignored: Any, jid: str) -> bool:
    """Tell if a bot must ignore a JID, by itself or by its domain."""
    names: list[Any] = as_list(ignored) or []
    # A domain in the list stands for all groups, or for all people.
    return jid in names or any(
        domain in names and jid.endswith(domain) for domain in ("@g.us", "@s.whatsapp.net")
    )
