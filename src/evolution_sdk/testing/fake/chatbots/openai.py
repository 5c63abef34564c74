"""OpenAI's keys and models, which the other chatbots do not have."""

from __future__ import annotations

from typing import Any

from evolution_sdk.testing.fake.errors import ErrorThrown, bad_request, database_error, failing_as
from evolution_sdk.testing.fake.js import JsonObject, get, truthy
from evolution_sdk.testing.fake.router import RouteCall
from evolution_sdk.testing.fake.tables import insert, text

from . import rows
from .kinds import OPENAI

_COLUMNS = {"name": text(255), "apiKey": text(255)}
_INSERT = "this.credsRepository.create()"


def create_creds(call: RouteCall) -> Any:
    """Store a key; keys and names are unique on the server, names with a vaguer error."""
    rows.require_on(OPENAI, call.server)
    owner = rows.owner_of(call)
    name, key = call.body["name"], call.body["apiKey"]
    if not key:
        raise bad_request("API Key is required")
    if not name:
        raise bad_request("Name is required")
    known = list(rows.rows_of_all(call.server, rows.CREDS))
    # At first there was one text for every double.
    told = call.server.profile.has("unknown_bots_are_null")
    if not told and any(key == row["apiKey"] or name == row["name"] for row in known):
        raise ErrorThrown("Error creating openai creds")
    if any(row["apiKey"] == key for row in known):
        raise bad_request("This API key is already registered. Please use a different API key.")
    if any(row["name"] == name for row in rows.rows_of(owner, rows.CREDS)):
        raise bad_request("This credential name is already in use. Please choose a different name.")
    with failing_as("Error creating openai creds"):
        # The server compares names within the instance, its database across all of them.
        if any(row["name"] == name for row in known):
            raise database_error(_INSERT, "Unique constraint failed on the fields: (`name`)")
        made = insert(call.server, owner, _COLUMNS, call.body, _INSERT)
        rows.rows_of(owner, rows.CREDS).append(made)
    return made


def find_creds(call: RouteCall) -> Any:
    """List the instance's keys with the bots that use them."""
    rows.require_on(OPENAI, call.server)
    return [
        {**row, "OpenaiAssistant": _users(call, row)}
        for row in rows.rows_of(rows.owner_of(call), rows.CREDS)
    ]


def _users(call: RouteCall, creds: JsonObject) -> list[JsonObject]:
    bots = rows.rows_of_all(call.server, OPENAI.group)
    return [bot for bot in bots if bot["openaiCredsId"] == creds["id"]]


def delete_creds(call: RouteCall) -> Any:
    """Delete a key with its bots, but never while default settings use it.

    Raises:
        ErrorThrown: 500 for an unknown id, and while settings use it.
    """
    rows.require_on(OPENAI, call.server)
    owner = rows.owner_of(call)
    creds = rows.row_by_id(call.server, rows.CREDS, call.params["openaiCredsId"])
    if creds is None or creds["instanceId"] != owner.id:
        raise ErrorThrown("Openai Creds not found")
    # The database refuses the delete while settings of any instance point at the key.
    for other in call.server.rows():
        defaults = rows.settings_of(OPENAI, other)
        if defaults is not None and defaults["openaiCredsId"] == creds["id"]:
            raise ErrorThrown("Error deleting openai creds")
    rows.rows_of(owner, rows.CREDS).remove(creds)
    # Bots, on the other hand, go with their key.
    for other in call.server.rows():
        bots = rows.rows_of(other, OPENAI.group)
        bots[:] = [bot for bot in bots if bot["openaiCredsId"] != creds["id"]]
    return {"openaiCreds": {"id": creds["id"]}}


def get_models(call: RouteCall) -> Any:
    """List models, with a key of the instance or that of its default settings.

    Raises:
        ErrorThrown: 500 without a key, and while OpenAI cannot be reached.
    """
    rows.require_on(OPENAI, call.server)
    owner = rows.owner_of(call)
    creds_id = get(call.query, "openaiCredsId")
    if truthy(creds_id):
        if all(row["id"] != creds_id for row in rows.rows_of(owner, rows.CREDS)):
            raise ErrorThrown("OpenAI credentials not found for the provided ID")
    elif rows.settings_of(OPENAI, owner) is None:
        raise ErrorThrown("Settings not found")
    if call.server.openai_models is None:
        raise ErrorThrown("Error fetching models")
    return call.server.openai_models
