"""What OpenAI has beyond the other chatbots: keys and models."""

from __future__ import annotations

from typing import Any

from evolution_sdk.testing.fake.errors import ErrorThrown, bad_request, database_error
from evolution_sdk.testing.fake.js import JsonObject, get, truthy
from evolution_sdk.testing.fake.router import Call
from evolution_sdk.testing.fake.tables import insert, text

from . import store
from .kinds import OPENAI

_COLUMNS = {"name": text(255), "apiKey": text(255)}
_INSERT = "this.credsRepository.create()"


def create_creds(call: Call) -> Any:
    """``POST /openai/creds``: a key is unique on the server; a name too, with a vaguer error."""
    store.require_on(OPENAI, call.world)
    owner = store.owner_of(call)
    name, key = call.body["name"], call.body["apiKey"]
    if not key:
        raise bad_request("API Key is required")
    if not name:
        raise bad_request("Name is required")
    known = list(store.rows_of_all(call.world, store.CREDS))
    if any(row["apiKey"] == key for row in known):
        raise bad_request("This API key is already registered. Please use a different API key.")
    if any(row["name"] == name for row in store.rows(owner, store.CREDS)):
        raise bad_request("This credential name is already in use. Please choose a different name.")
    with store.failing_as("Error creating openai creds"):
        if any(row["name"] == name for row in known):
            raise database_error(_INSERT, "Unique constraint failed on the fields: (`name`)")
        made = insert(call.world, owner, _COLUMNS, call.body, _INSERT)
        store.rows(owner, store.CREDS).append(made)
    return made


def find_creds(call: Call) -> Any:
    """``GET /openai/creds``: the instance's keys with the bots that use them."""
    store.require_on(OPENAI, call.world)
    return [
        {**row, "OpenaiAssistant": _users(call, row)}
        for row in store.rows(store.owner_of(call), store.CREDS)
    ]


def _users(call: Call, creds: JsonObject) -> list[JsonObject]:
    bots = store.rows_of_all(call.world, OPENAI.group)
    return [bot for bot in bots if bot["openaiCredsId"] == creds["id"]]


def delete_creds(call: Call) -> Any:
    """``DELETE /openai/creds``: with its bots, but never while default settings use it.

    Raises:
        ErrorThrown: 500 for an unknown id, and while settings use it.
    """
    store.require_on(OPENAI, call.world)
    owner = store.owner_of(call)
    creds = store.row_by_id(call.world, store.CREDS, call.params["openaiCredsId"])
    if creds is None or creds["instanceId"] != owner.id:
        raise ErrorThrown("Openai Creds not found")
    for other in call.world.rows():
        defaults = store.settings_of(OPENAI, other)
        if defaults is not None and defaults["openaiCredsId"] == creds["id"]:
            raise ErrorThrown("Error deleting openai creds")
    store.rows(owner, store.CREDS).remove(creds)
    for other in call.world.rows():
        bots = store.rows(other, OPENAI.group)
        bots[:] = [bot for bot in bots if bot["openaiCredsId"] != creds["id"]]
    return {"openaiCreds": {"id": creds["id"]}}


def get_models(call: Call) -> Any:
    """``GET /openai/getModels``: with a key of the instance, or that of its default settings.

    Raises:
        ErrorThrown: 500 without a key, and while OpenAI cannot be reached.
    """
    store.require_on(OPENAI, call.world)
    owner = store.owner_of(call)
    creds_id = get(call.query, "openaiCredsId")
    if truthy(creds_id):
        if all(row["id"] != creds_id for row in store.rows(owner, store.CREDS)):
            raise ErrorThrown("OpenAI credentials not found for the provided ID")
    elif store.settings_of(OPENAI, owner) is None:
        raise ErrorThrown("Settings not found")
    if call.world.openai_models is None:
        raise ErrorThrown("Error fetching models")
    return call.world.openai_models
