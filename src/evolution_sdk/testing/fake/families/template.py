"""Routes of ``/template/*``: Meta's templates, and the server's own table of them."""

from __future__ import annotations

from typing import Any

from evolution_sdk.testing.fake.js import JsonObject, get
from evolution_sdk.testing.fake.meta import CodedError
from evolution_sdk.testing.fake.router import Route, RouteCall
from evolution_sdk.testing.fake.schemas.account import TEMPLATE
from evolution_sdk.testing.fake.schemas.instance import CREATE
from evolution_sdk.testing.fake.tables import Column, insert, text

_TABLE = "Template"
_CREATE = "this.prismaRepository.template.create()"
_COLUMNS = {
    "templateId": text(255, required=True),
    "name": text(255, required=True),
    "template": Column("json"),
    "webhookUrl": text(500),
}


def _find(call: RouteCall) -> Any:
    instance = call.server.running(call.instance, "instance")
    return call.server.meta.list(instance.business_id)


def _create(call: RouteCall) -> JsonObject:
    """Create at Meta first: a name that the server has already is refused after Meta took it."""
    server, body = call.server, call.body
    instance = server.running(call.instance, "instance")
    made = server.meta.create(instance.business_id, server.ids.media(), body)
    # Names are unique over all instances of the server
    # (`facts/observed.md` "2xx that are not successes" 9).
    if any(row["name"] == body["name"] for i in server.rows() for row in i.tables.get(_TABLE, ())):
        raise CodedError(
            f"\nInvalid `{_CREATE}` invocation in\n<server>\n\n"
            "Unique constraint failed on the fields: (`name`)",
            {"code": "P2002"},
        )
    values = {
        "templateId": made["id"],
        "name": body["name"],
        "template": made,
        "webhookUrl": get(body, "webhookUrl"),
    }
    row = insert(server, instance, _COLUMNS, values, _CREATE)
    instance.tables.setdefault(_TABLE, []).append(row)
    return row


ROUTES = [
    Route(
        "template.create_template",
        _create,
        status=201,
        schema=TEMPLATE,
        meta_errors="template_creation",
    ),
    Route("template.find_templates", _find, schema=CREATE, meta_errors="template_find"),
]
