"""Routes of ``/webhook/*``."""

from __future__ import annotations

from typing import Any

from evolution_sdk.testing.fake.errors import bad_request, reading
from evolution_sdk.testing.fake.js import UNDEFINED, JsonObject, as_list, get, iso, truthy
from evolution_sdk.testing.fake.media import is_url
from evolution_sdk.testing.fake.router import Route, RouteCall
from evolution_sdk.testing.fake.schema import events_of
from evolution_sdk.testing.fake.schemas import instance as schemas
from evolution_sdk.testing.fake.schemas.common import EVENTS
from evolution_sdk.testing.fake.state import Instance, ServerState


def subscribed(server: ServerState, enabled: Any, events: Any) -> Any:
    """Choose the events that a subscription stores: none when off, all known ones when empty.

    Raises:
        ErrorThrown: Switched on without a list of events (a server bug).
    """
    if not truthy(enabled):
        return []
    names = as_list(events)
    if names is None:
        raise reading("length")
    return names or events_of(server.profile, EVENTS)


def _check_url(server: ServerState, given: JsonObject) -> None:
    # Later versions do not look at it at all.
    if server.profile.has("webhook_off_without_url"):
        return
    if not is_url(get(given, "url"), require_tld=False):
        raise bad_request('Invalid "url" property')


def save_webhook(server: ServerState, instance: Instance, given: JsonObject) -> JsonObject:
    """Write the webhook row; members that are not given keep their value.

    Raises:
        Thrown: An address that the version refuses, or no list of events.
    """
    _check_url(server, given)
    now = iso(server.now_ms())
    row = instance.webhook or {
        "id": server.ids.row(),
        "url": "",
        "headers": None,
        "enabled": True,
        "events": None,
        "webhookByEvents": False,
        "webhookBase64": False,
        "createdAt": now,
    }
    changes = {
        "url": get(given, "url"),
        "headers": get(given, "headers"),
        "enabled": get(given, "enabled"),
        "events": subscribed(server, get(given, "enabled"), get(given, "events")),
        # Requests and answers have different names for these two.
        "webhookByEvents": get(given, "byEvents"),
        "webhookBase64": get(given, "base64"),
    }
    kept = {name: value for name, value in changes.items() if value is not UNDEFINED}
    instance.webhook = {**row, **kept, "updatedAt": now, "instanceId": instance.id}
    return instance.webhook


def _set(call: RouteCall) -> Any:
    given = call.body["webhook"]
    # Address and events are looked at before the instance.
    _check_url(call.server, given)
    subscribed(call.server, get(given, "enabled"), get(given, "events"))
    return save_webhook(call.server, call.server.running(call.instance, "instanceId"), given)


def _find(call: RouteCall) -> Any:
    instance = call.server.loaded(call.instance)
    return None if instance is None else instance.webhook


ROUTES = [
    Route("webhook.set_webhook", _set, status=201, schema=schemas.WEBHOOK),
    Route("webhook.find_webhook", _find, schema=schemas.CREATE),
]
