"""Routes of ``/chatwoot``: set and find."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from evolution_sdk.testing.fake.errors import bad_request
from evolution_sdk.testing.fake.js import UNDEFINED, JsonObject, get, truthy
from evolution_sdk.testing.fake.media import is_url
from evolution_sdk.testing.fake.router import Route, RouteCall
from evolution_sdk.testing.fake.schemas.instance import CREATE
from evolution_sdk.testing.fake.schemas.integrations import CHATWOOT
from evolution_sdk.testing.fake.state import Instance, ServerState
from evolution_sdk.testing.fake.tables import Column, text, upsert

_OFF = Column("bool", default=False)
_COLUMNS = {
    "enabled": Column("bool", default=True),
    "accountId": text(100),
    "token": text(100),
    "url": text(500),
    "nameInbox": text(100),
    "signMsg": _OFF,
    "signDelimiter": text(100),
    "number": text(100),
    "reopenConversation": _OFF,
    "conversationPending": _OFF,
    "mergeBrazilContacts": _OFF,
    "importContacts": _OFF,
    "importMessages": _OFF,
    "daysLimitImportMessages": Column("int"),
    "organization": text(100),
    "logo": text(500),
    "ignoreJids": Column("json"),
}
_HIDDEN = ("number",)
_UNSET: JsonObject = {
    "enabled": False,
    "url": "",
    "accountId": "",
    "token": "",
    "signMsg": False,
    "nameInbox": "",
    "webhook_url": "",
}
_URI_SAFE = "!'()*~-_."


def webhook_url(server: ServerState, name: str) -> str:
    """Make the URL that Chatwoot reports to."""
    return f"{server.options.server_url}/chatwoot/webhook/{quote(name, safe=_URI_SAFE)}"


def save_chatwoot(server: ServerState, instance: Instance, values: JsonObject) -> None:
    """Write the Chatwoot row; members that are not given keep their value.

    Raises:
        Thrown: A value that the database refuses.
    """
    new = "Chatwoot" not in instance.relations
    delimiter = get(values, "signDelimiter") if truthy(get(values, "signMsg")) else None
    # A server bug: the first set forgets the delimiter.
    values = {**values, "signDelimiter": UNDEFINED if new else delimiter}
    verb = "create" if new else "update"
    upsert(server, instance, "Chatwoot", _COLUMNS, values,
           f"this.prismaRepository.chatwoot.{verb}()")  # fmt: skip


def _require_on(server: ServerState) -> None:
    if "chatwoot" not in server.options.features:
        raise bad_request("Chatwoot is disabled")


def _set(call: RouteCall) -> Any:
    _require_on(call.server)
    data = dict(call.body)
    if data["enabled"]:
        # Chatwoot often runs beside the server: a host without a TLD passes here.
        if not is_url(data["url"], require_tld=False):
            raise bad_request("url is not valid")
        for name in ("accountId", "token"):
            if not data[name]:
                raise bad_request(f"{name} is required")
        # A delimiter without signatures is forgotten.
        if not data["signMsg"]:
            data["signDelimiter"] = None
    data["nameInbox"] = get(data, "nameInbox") if truthy(get(data, "nameInbox")) else call.instance
    save_chatwoot(call.server, call.server.running(call.instance, "setChatwoot"), data)
    return {**data, "webhook_url": webhook_url(call.server, call.instance)}


def _find(call: RouteCall) -> Any:
    _require_on(call.server)
    instance = call.server.loaded(call.instance)
    if instance is None:
        # The server spreads an undefined row, and these two members remain.
        found: JsonObject = {"enabled": None, "url": ""}
    elif "Chatwoot" in instance.relations:
        row = instance.relations["Chatwoot"]
        found = {name: row[name] for name in _COLUMNS if name not in _HIDDEN}
        found["signDelimiter"] = row["signDelimiter"] or None
        found["ignoreJids"] = row["ignoreJids"] or []
    else:
        return _UNSET
    return {**found, "webhook_url": webhook_url(call.server, call.instance)}


ROUTES = [
    Route("chatwoot.set_chatwoot", _set, status=201, schema=CHATWOOT),
    Route("chatwoot.find_chatwoot", _find, schema=CREATE),
]
