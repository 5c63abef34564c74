"""The proxy of an instance."""

from __future__ import annotations

from evolution_sdk._base.effect import Effect
from evolution_sdk.models.proxy import Proxy, ProxyAck
from evolution_sdk.models.readers import optional

from ._declare import Family

# The server fetches a page with and without the proxy first, and sets no limit for that.
_TESTING_MS = 60_000

_proxy = Family("proxy", session=False)

SET_PROXY = _proxy(
    "set_proxy", "POST", "set", Effect.IDEMPOTENT, ProxyAck.from_wire, patience_ms=_TESTING_MS
)
FIND_PROXY = _proxy("find_proxy", "GET", "find", Effect.READ, optional(Proxy))
