"""``/template/*``: Meta's templates, on every channel, and the server's own table of them."""

from __future__ import annotations

from typing import Any

from evolution_sdk.testing.fake.js import JsonObject, get
from evolution_sdk.testing.fake.meta import CodedError
from evolution_sdk.testing.fake.router import Call, Route
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


def _find(call: Call) -> Any:
    instance = call.world.running(call.instance, "instance")
    return call.world.meta.list(instance.business_id)


def _create(call: Call) -> JsonObject:
    """Meta comes first: a name that this server has already is refused after Meta took it."""
    world, body = call.world, call.body
    instance = world.running(call.instance, "instance")
    made = world.meta.create(instance.business_id, world.ids.media(), body)
    if any(row["name"] == body["name"] for i in world.rows() for row in i.tables.get(_TABLE, ())):
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
    row = insert(world, instance, _COLUMNS, values, _CREATE)
    instance.tables.setdefault(_TABLE, []).append(row)
    return row


ROUTES = [
    Route("template.create_template", "POST", "/template/create/{instance}", _create, status=201,
          schema=TEMPLATE, meta_errors="template_creation"),
    Route("template.find_templates", "GET", "/template/find/{instance}", _find, schema=CREATE,
          meta_errors="template_find"),
]  # fmt: skip
