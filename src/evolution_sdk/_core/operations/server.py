"""The server itself (group ``root`` of the route table)."""

from __future__ import annotations

from evolution_sdk._core.effect import Effect
from evolution_sdk._core.operation import Operation
from evolution_sdk.models.readers import text
from evolution_sdk.models.server import Credentials, ServerInfo

GET_INFORMATION = Operation(
    name="root.get_information",
    method="GET",
    path="/",
    effect=Effect.READ,
    auth="none",
    read=ServerInfo.from_wire,
)
GET_METRICS = Operation(
    name="root.get_metrics",
    method="GET",
    path="/metrics",
    effect=Effect.READ,
    auth="none",
    read=text,
    content="text",
)
VERIFY_CREDENTIALS = Operation(
    name="root.verify_credentials",
    method="POST",
    path="/verify-creds",
    effect=Effect.READ,
    auth="global",
    read=Credentials.from_wire,
)
