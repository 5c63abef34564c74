"""The server itself (group ``root`` of the route table)."""

from __future__ import annotations

from evolution_sdk._base.effect import Effect
from evolution_sdk.models.readers import text
from evolution_sdk.models.server import Credentials, ServerInfo
from evolution_sdk.operations.error_facts import ErrorFacts

from ._declare import Family

_root = Family("root", session=False)

GET_INFORMATION = _root(
    "get_information", "GET", "/", Effect.READ, ServerInfo.from_wire, auth="none"
)
GET_METRICS = _root(
    "get_metrics",
    "GET",
    "/metrics",
    Effect.READ,
    text,
    auth="none",
    content="text",
    errors=ErrorFacts(plain_text=True),
)
VERIFY_CREDENTIALS = _root(
    "verify_credentials", "POST", "/verify-creds", Effect.READ, Credentials.from_wire, auth="global"
)
