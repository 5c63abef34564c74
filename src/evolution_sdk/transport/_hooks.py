"""Detection of hooks in an httpx or httpx2 client, through which calls must then go.

Mocks and instrumentations replace methods of the client or of its transport, or set another
transport, mounts, event hooks, authentication, cookies, headers or parameters. Nothing else of an
httpx client affects a request. The check runs for every call and must cost next to nothing, so it
compares methods by identity, all at once.
"""

from __future__ import annotations

from typing import Any, Final

from ._methods import Methods

__all__ = ["Hooks"]

_VERBS: Final = ("request", "get", "post", "put", "patch", "delete", "head", "options")
_STEPS: Final = (
    "build_request", "send",
    "_send_handling_auth", "_send_handling_redirects", "_send_single_request",
    "_transport_for_url", "_build_request_auth",
)  # fmt: skip


class Hooks:
    """The places where something can hook into one httpx client.

    Args:
        client: A ``Client`` or ``AsyncClient`` that was just made.
        library: ``httpx`` or ``httpx2``, which made it.
    """

    def __init__(self, client: Any, library: str) -> None:
        self._client = client
        self._transport: Any = client._transport
        self._pool: Any = self._transport._pool
        self._of_client = Methods(client.__class__, (*_VERBS, *_STEPS), library)
        handling = ("handle_request", "handle_async_request")
        self._of_transport = Methods(self._transport.__class__, handling, library)
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
