"""Detection of hooks in an httpx client, through which calls must then go.

Mocks and instrumentations replace methods of the client or of its transport, or set another
transport, mounts, event hooks, authentication, cookies, headers or parameters. Nothing else of an
httpx client affects a request. The check runs for every call and must cost next to nothing, so it
compares methods by identity, all at once.
"""

from __future__ import annotations

from operator import attrgetter
from types import FunctionType
from typing import Any, Final

import httpcore

__all__ = ["Hooks", "is_engine_hooked"]

_VERBS: Final = ("request", "get", "post", "put", "patch", "delete", "head", "options")
_STEPS: Final = (
    "build_request", "send",
    "_send_handling_auth", "_send_handling_redirects", "_send_single_request",
    "_transport_for_url", "_build_request_auth",
)  # fmt: skip


class _Methods:
    """Methods of a class, watched for replacements.

    Args:
        kind: The class.
        names: The methods; names that this version of the library lacks are left out.
        library: Its top-level package.
    """

    __slots__ = ("_get", "_kind", "_library", "_original")

    def __init__(self, kind: type, names: tuple[str, ...], library: str) -> None:
        self._kind = kind
        self._library = library
        known = (name for name in names if hasattr(kind, name))
        self._get = attrgetter(*known, "__class__")  # of two names or more it makes a tuple
        self._original: tuple[Any, ...] | None = None

    def replaced(self) -> bool:
        """Return True if one of the methods is not the library's own."""
        now = self._get(self._kind)
        if now != self._original:  # the first look, or one after a change
            if not all(_is_of(method, self._library) for method in now[:-1]):
                return True
            self._original = now
        return False

    def is_replaced(self, name: str) -> bool:
        """Return True if this method is not the library's own."""
        return not _is_of(getattr(self._kind, name, None), self._library)


class Hooks:
    """The places where something can hook into one httpx client.

    Args:
        client: An ``httpx.Client`` or ``httpx.AsyncClient`` that was just made.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._transport: Any = client._transport
        self._pool: Any = self._transport._pool
        self._of_client = _Methods(client.__class__, (*_VERBS, *_STEPS), "httpx")
        handling = ("handle_request", "handle_async_request")
        self._of_transport = _Methods(self._transport.__class__, handling, "httpx")
        # What is set on an object itself shadows its class; neither has attributes to spare.
        self._own: dict[str, Any] = client.__dict__
        self._own_of_transport: dict[str, Any] = self._transport.__dict__
        self._sizes = len(self._own), len(self._own_of_transport)
        self._headers: Any = client.headers
        self._pairs = list(self._headers._list)
        self._params = client.params

    def any(self) -> bool:
        """Return True if calls must go through httpx."""
        return (
            self._of_client.replaced()
            or self._of_transport.replaced()
            or (len(self._own), len(self._own_of_transport)) != self._sizes
            or self._is_set_up()
        )

    def entry(self, method: str) -> str | None:
        """Name the replaced method of the client through which a call must go.

        A test that replaces ``httpx.Client.post`` expects to see each POST, although this package
        builds and sends requests in two steps.

        Args:
            method: HTTP method of the call.

        Returns:
            ``post`` or the like, ``request``, or None.
        """
        for name in (method.lower(), "request"):
            if name in _VERBS and (name in self._own or self._of_client.is_replaced(name)):
                return name
        return None

    def _is_set_up(self) -> bool:
        """Return True if the client has settings that affect a request."""
        client = self._client
        return bool(
            client._transport is not self._transport
            or self._transport._pool is not self._pool
            or client._mounts
            or client._auth is not None
            or any(client._event_hooks.values())
            or client._cookies.jar._cookies
            or client._params is not self._params
            or client._headers is not self._headers
            or self._headers._list != self._pairs
        )


_pools: Final = (
    _Methods(httpcore.ConnectionPool, ("handle_request", "create_connection"), "httpcore"),
    _Methods(
        httpcore.AsyncConnectionPool, ("handle_async_request", "create_connection"), "httpcore"
    ),
)


def is_engine_hooked() -> bool:
    """Return True if httpcore's pool has been replaced, as respx and vcrpy do."""
    return _pools[0].replaced() or _pools[1].replaced()


def _is_of(method: Any, library: str) -> bool:
    """Return True if a method is a plain function defined in a module of the library."""
    return (
        type(method) is FunctionType
        and str(method.__globals__.get("__name__")).partition(".")[0] == library
        and "__wrapped__" not in vars(method)
    )
