"""Operations found by method and path."""

from __future__ import annotations

from typing import Any, Final

from evolution_sdk.operations.routes import OPERATIONS
from evolution_sdk.testing.fake.errors import Thrown
from evolution_sdk.testing.fake.router import Route, RouteCall, Router

UNKNOWN: Final = "unknown"


def _unused(_: RouteCall) -> Any:
    """Stand in for a handler: the server behind the proxy answers."""


_ROUTER: Final = Router(Route(operation, _unused) for operation in OPERATIONS)


def operation_of(method: str, target: str) -> tuple[str | None, str | None]:
    """Find the operation and the instance of a request.

    Args:
        method: HTTP verb.
        target: Path with query, percent-encoded.

    Returns:
        Key of the operation, or None for an unknown route; the instance in the path, if any.
    """
    path = target.partition("?")[0]
    try:
        found = _ROUTER.find(method.upper(), path or "/")
    # A path that does not decode belongs to no operation.
    except Thrown:
        return None, None
    return (None, None) if found is None else (found[0].operation, found[1].get("instance"))
