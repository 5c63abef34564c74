"""Routes of ``/template/*``: Meta's templates, and the server's own table of them."""

from __future__ import annotations

from typing import Any

from evolution_sdk.testing.fake.errors import failing_as
from evolution_sdk.testing.fake.js import JsonObject, get, truthy
from evolution_sdk.testing.fake.meta import CodedError
from evolution_sdk.testing.fake.router import Route, RouteCall
from evolution_sdk.testing.fake.schemas.account import (
    DELETE_TEMPLATE,
    EDIT_TEMPLATE,
    TEMPLATE,
)
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
    if call.server.profile.has("route_error_shapes"):
        return _create_at_meta(call)
    # At first every failure had one text.
    with failing_as("Error to create template"):
        return _create_at_meta(call)


def _create_at_meta(call: RouteCall) -> JsonObject:
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


def _edit(call: RouteCall) -> JsonObject:
    call.server.running(call.instance, "instance")
    body = call.body
    changes: JsonObject = {}
    # What has another type than it should have had passed the schema, and is left out.
    if isinstance(get(body, "category"), str):
        changes["category"] = body["category"]
    if truthy(get(body, "components")):
        changes["components"] = body["components"]
    return call.server.meta.edit(body["templateId"], changes)


def _delete(call: RouteCall) -> JsonObject:
    """Delete at Meta, and then the server's own rows of this instance."""
    instance = call.server.running(call.instance, "instance")
    name, template_id = call.body["name"], get(call.body, "hsmId")
    answer = call.server.meta.delete(instance.business_id, name, template_id)
    rows = instance.tables.get(_TABLE, [])
    rows[:] = [row for row in rows if row["name"] != name and row["templateId"] != template_id]
    return answer


ROUTES = [
    Route(
        "template.create_template",
        _create,
        status=201,
        schema=TEMPLATE,
        meta_errors="template_creation",
    ),
    Route("template.edit_template", _edit, schema=EDIT_TEMPLATE, meta_errors="template_edit"),
    Route(
        "template.delete_template", _delete, schema=DELETE_TEMPLATE, meta_errors="template_delete"
    ),
    Route("template.find_templates", _find, schema=CREATE, meta_errors="template_find"),
]
