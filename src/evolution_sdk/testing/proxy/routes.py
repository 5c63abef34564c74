"""Which operation of the server a request is for."""

from __future__ import annotations

from typing import Any, Final

from evolution_sdk.operations.routes import OPERATIONS
from evolution_sdk.testing.fake.errors import Thrown
from evolution_sdk.testing.fake.router import Call, Route, Router

UNKNOWN: Final = "unknown"


def _unused(_: Call) -> Any:
    """Routes need a handler; here the server behind answers."""


_ROUTER: Final = Router(
    Route(operation.name, operation.method, operation.path, _unused)
    for operation in OPERATIONS.values()
)


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
    except Thrown:
        return None, None
    return (None, None) if found is None else (found[0].operation, found[1].get("instance"))
