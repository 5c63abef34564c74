"""Routes of ``/license/*``: the licence of 2.4, which answers before any key is looked at."""

from __future__ import annotations

from typing import Any

from evolution_sdk.testing.fake import license_gate
from evolution_sdk.testing.fake.js import JsonObject, get, truthy
from evolution_sdk.testing.fake.reply import json_reply
from evolution_sdk.testing.fake.router import Route, RouteCall

_ACTIVE = {"status": "active", "message": "License is already active"}
# The fake asks nobody: its maker is out of reach, as it was for the recorded server.
_NO_MAKER = "getaddrinfo ENOTFOUND license.evolutionfoundation.com.br"
_SHOWN_AT_BEGIN, _SHOWN_AT_END = 8, 4


def _status(call: RouteCall) -> JsonObject:
    options = call.server.options
    if not options.licensed:
        return {"status": "inactive", "instance_id": license_gate.INSTANCE_ID}
    key = options.api_key
    # The global key is the licence, and its ends are shown to everybody.
    ends = f"{key[:_SHOWN_AT_BEGIN]}...{key[-_SHOWN_AT_END:]}"
    return {"status": "active", "instance_id": license_gate.INSTANCE_ID, "api_key": ends}


def _register(call: RouteCall) -> Any:
    if call.server.options.licensed:
        return _ACTIVE
    return json_reply(502, {"error": "Failed to contact licensing server", "details": _NO_MAKER})


def _activate(call: RouteCall) -> Any:
    if call.server.options.licensed:
        return _ACTIVE
    if not truthy(get(call.query, "code")):
        message = "Provide ?code=AUTHORIZATION_CODE from the registration callback."
        return json_reply(400, {"error": "Missing code parameter", "message": message})
    return json_reply(502, {"error": "Activation failed", "details": _NO_MAKER})


ROUTES = [
    Route("license.status", _status, guard="none", merge_query=False),
    Route("license.register", _register, guard="none", merge_query=False),
    Route("license.activate", _activate, guard="none", merge_query=False),
]
