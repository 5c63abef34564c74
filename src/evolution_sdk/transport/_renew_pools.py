"""Fresh connections for a user's httpx client after a fork.

Neither httpx nor httpx2 notices a fork, and neither offers a new pool with the old settings. The
attributes of a pool that hold connections are therefore reset to those of a new pool.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

from evolution_sdk._base.forking import abandon

__all__ = ["renew_pools"]

_POOLS: Final = ("ConnectionPool", "AsyncConnectionPool")
_ENGINES: Final = ("httpcore", "httpcore2")
_WITHOUT_SOCKETS: Final = (
    "MockTransport", "WSGITransport", "ASGITransport", "InProcessTransport",
)  # fmt: skip
_OF_CONNECTIONS: Final = ("_connections", "_requests", "_optional_thread_lock")
_DEPTH: Final = 3


def renew_pools(client: object) -> bool:
    """Drop the connections that a client has inherited from the parent process.

    Args:
        client: An httpx or httpx2 client, sync or async.

    Returns:
        True if the client surely has none left.
    """
    mounts: dict[Any, Any] = getattr(client, "_mounts", {})
    transports = [getattr(client, "_transport", None), *mounts.values()]
    return all(_renew_transport(each) for each in transports if each is not None)


def _renew_transport(transport: object) -> bool:
    ends = list(_ends_of(transport, _DEPTH))
    return bool(ends) and all(_is_without_sockets(end) or _renew_pool(end) for end in ends)


def _ends_of(thing: object, depth: int) -> Iterator[Any]:
    """Find the pools and socketless transports inside a transport, which may wrap others."""
    if _pool_class(thing) is not None or _is_without_sockets(thing):
        yield thing
    elif depth:
        for part in getattr(thing, "__dict__", {}).values():
            yield from _ends_of(part, depth - 1)


def _is_without_sockets(thing: object) -> bool:
    """Return True if there is nothing to renew: no sockets, or our own pool, which does it."""
    if getattr(thing, "renews_itself", False):
        return True
    return any(base.__name__ in _WITHOUT_SOCKETS for base in type(thing).__mro__)


def _pool_class(thing: object) -> type[Any] | None:
    for base in type(thing).__mro__:
        if base.__name__ in _POOLS and base.__module__.split(".")[0] in _ENGINES:
            return base
    return None


def _renew_pool(pool: Any) -> bool:
    kind = _pool_class(pool)
    if kind is None:
        return False
    state: dict[str, Any] = pool.__dict__
    blank: dict[str, Any] = kind().__dict__
    if not all(name in state and name in blank for name in _OF_CONNECTIONS):
        return False  # another version of the library, with other attributes
    theirs: list[Any] = state["_connections"]
    # An async connection belongs to the parent's event loop and is only kept from being collected.
    # A blocking one can be closed here: that closes this process's copy of the descriptor.
    abandon(theirs, state["_requests"])
    state.update({name: blank[name] for name in _OF_CONNECTIONS})
    for connection in theirs:
        close = getattr(connection, "close", None)
        if close is not None:
            with suppress(Exception):
                close()
    return True
