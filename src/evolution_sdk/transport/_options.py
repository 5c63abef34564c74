"""Settings of a transport."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from evolution_sdk.errors import ConfigurationError

__all__ = ["HttpBackend", "TransportOptions"]

HttpBackend = Literal["httpx", "httpx2", "aiohttp"]

_OWN_SETTINGS = ("proxy", "verify", "max_connections", "keepalive_expiry_ms")


@dataclass(frozen=True, slots=True)
class TransportOptions:
    """Settings of the connections that a transport makes.

    Attributes:
        backend: ``httpx`` (default), ``httpx2`` (extra ``httpx2``) or ``aiohttp`` (async only,
            extra ``aiohttp``).
        http_client: An ``httpx`` or ``httpx2`` client of yours to use instead; it is never closed
            here. The settings below must then keep their defaults: set them on that client.
        proxy: URL of an HTTP proxy, or None, which honours HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and
            NO_PROXY. ``socks5://`` works with ``httpx`` and ``httpx2`` and their extra
            ``socks``.
        verify: True (default) verifies TLS certificates, a path names the CA bundle to trust
            instead, False trusts any certificate.
        max_connections: Most open connections in total. Default 200.
        keepalive_expiry_ms: Time after which an idle connection is dropped, in milliseconds.
            Default 4 000, below the 5 s of the server (``facts/semantics.md`` §7).
    """

    backend: HttpBackend = "httpx"
    http_client: Any = None
    proxy: str | None = None
    verify: bool | str = True
    max_connections: int = 200
    keepalive_expiry_ms: int = 4_000

    def check(self) -> None:
        """Check the settings, so that a wrong one fails here and not in the first call.

        Raises:
            ConfigurationError: A setting is wrong, or has no effect beside ``http_client``.
        """
        # Imported late: certifi and the URL helpers are not needed to hold settings.
        from ._tls import check_verify
        from ._url import check_proxy

        if self.backend not in ("httpx", "httpx2", "aiohttp"):
            raise ConfigurationError(
                f"http_backend must be 'httpx', 'httpx2' or 'aiohttp', not {self.backend!r}.",
                variable="http_backend",
            )
        if self.http_client is not None:
            self._check_left_alone()
        if self.max_connections < 1 or self.keepalive_expiry_ms < 0:
            raise ConfigurationError(
                "max_connections must be at least 1 and keepalive_expiry_ms at least 0.",
                variable="max_connections",
            )
        if self.proxy is not None:
            check_proxy(self.proxy)
        check_verify(self.verify)

    def _check_left_alone(self) -> None:
        plain = TransportOptions()
        for name in _OWN_SETTINGS:
            if getattr(self, name) != getattr(plain, name):
                raise ConfigurationError(
                    f"{name} has no effect beside http_client. Set it on that client instead.",
                    variable=name,
                )
