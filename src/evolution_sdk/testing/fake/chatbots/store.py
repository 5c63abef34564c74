"""Where bots, default settings and sessions lie, and what every rule begins with."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator
from typing import Any

from evolution_sdk.testing.fake.errors import ErrorThrown, Thrown, bad_request, reading
from evolution_sdk.testing.fake.js import JsonObject, as_list
from evolution_sdk.testing.fake.router import Call
from evolution_sdk.testing.fake.state import Instance
from evolution_sdk.testing.fake.world import World

from .kinds import EVOLUTION_BOT, Kind

SESSIONS = "IntegrationSession"
CREDS = "OpenaiCreds"


def is_on(kind: Kind, world: World) -> bool:
    """Whether this kind is switched on server-wide; Evolution Bot always is."""
    return kind is EVOLUTION_BOT or kind.group in world.options.features


def require_on(kind: Kind, world: World) -> None:
    """Refuse a kind that is switched off.

    Raises:
        HttpThrown: 400.
    """
    if not is_on(kind, world):
        raise bad_request(f"{kind.label} is disabled")


def owner_of(call: Call) -> Instance:
    """The instance in the database that a request is about.

    Raises:
        ErrorThrown: There is none, because the query named another one than the path.
    """
    row = call.world.known(call.instance)
    if row is None:
        raise reading("id", "null")
    return row


@contextlib.contextmanager
def failing_as(message: str) -> Generator[None]:
    """Let every failure inside answer 500 with one text, as the server's catch blocks do."""
    try:
        yield
    except Thrown:
        raise ErrorThrown(message) from None


def rows(owner: Instance, table: str) -> list[JsonObject]:
    """The rows of an instance in a table, to read and to change."""
    return owner.tables.setdefault(table, [])


def rows_of_all(world: World, table: str) -> Iterator[JsonObject]:
    """The rows of every instance in a table."""
    for owner in world.rows():
        yield from rows(owner, table)


def row_by_id(world: World, table: str, row_id: object) -> JsonObject | None:
    """A row by its id, whichever instance it belongs to."""
    return next((row for row in rows_of_all(world, table) if row["id"] == row_id), None)


def settings_of(kind: Kind, owner: Instance) -> JsonObject | None:
    """The default settings of an instance, once there are any."""
    return owner.relations.get(settings_table(kind))


def settings_table(kind: Kind) -> str:
    """Where the default settings of a kind lie."""
    return f"{kind.group}Setting"


def is_ignored(ignored: Any, jid: str) -> bool:
    """Whether a JID, or all of its kind, is to be left alone."""
    names: list[Any] = as_list(ignored) or []
    return jid in names or any(
        domain in names and jid.endswith(domain) for domain in ("@g.us", "@s.whatsapp.net")
    )
