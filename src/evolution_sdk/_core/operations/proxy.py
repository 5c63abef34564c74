"""The proxy of an instance."""

from __future__ import annotations

from evolution_sdk._core.effect import Effect
from evolution_sdk._core.operation import Operation
from evolution_sdk.models.proxy import Proxy, ProxyAck
from evolution_sdk.models.readers import optional

# The server fetches a page with and without the proxy first, and sets no limit for that.
_TESTING_MS = 60_000

SET_PROXY = Operation(
    name="proxy.set_proxy",
    method="POST",
    path="/proxy/set/{instance}",
    effect=Effect.IDEMPOTENT,
    read=ProxyAck.from_wire,
    patience_ms=_TESTING_MS,
)
FIND_PROXY = Operation(
    name="proxy.find_proxy",
    method="GET",
    path="/proxy/find/{instance}",
    effect=Effect.READ,
    read=optional(Proxy),
)
