"""Tells if anything has hooked into an httpx client, so that calls must go through it.

Hooks are a mock's or an instrumentation's: methods of the client or its transport that are not
httpx's own, another transport, mounts, event hooks, authentication, cookies, headers, parameters.
Nothing else of an httpx client has a say in what is sent. The question is asked for every call, so
the usual answer must cost next to nothing: methods are compared by identity, all at once.
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
    """Methods of a class, and whether they are all the library's own.

    Args:
        kind: The class.
        names: The methods; those that this version of the library does not have are left out.
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
        """Tell if one of them is somebody else's."""
        now = self._get(self._kind)
        if now != self._original:  # the first look, or one after a change
            if not all(_is_of(method, self._library) for method in now[:-1]):
                return True
            self._original = now
        return False

    def is_replaced(self, name: str) -> bool:
        """Tell if this one is somebody else's."""
        return not _is_of(getattr(self._kind, name, None), self._library)


class Hooks:
    """What may be hooked of one httpx client.

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
        """Tell if calls must go through httpx."""
        return (
            self._of_client.replaced()
            or self._of_transport.replaced()
            or (len(self._own), len(self._own_of_transport)) != self._sizes
            or self._is_set_up()
        )

    def entry(self, method: str) -> str | None:
        """Name the method of the client that somebody replaced, where a call must begin.

        A test that replaces ``httpx.Client.post`` expects to see what is posted, though requests
        are built and sent in two steps here.

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
        """Tell if the client was given something to do."""
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
    """Tell if the pool of httpx's engine is somebody else's, such as that of respx or vcrpy."""
    return _pools[0].replaced() or _pools[1].replaced()


def _is_of(method: Any, library: str) -> bool:
    """Tell if a method is a plain function that was written in a module of the library."""
    return (
        type(method) is FunctionType
        and str(method.__globals__.get("__name__")).partition(".")[0] == library
        and "__wrapped__" not in vars(method)
    )
