"""The settings of a transport."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from evolution_sdk.errors import ConfigurationError

__all__ = ["HttpBackend", "TransportOptions"]

HttpBackend = Literal["httpx", "aiohttp"]

_OWN_SETTINGS = ("proxy", "verify", "max_connections", "keepalive_expiry_ms")


@dataclass(frozen=True, slots=True)
class TransportOptions:
    """How connections are made.

    Attributes:
        backend: ``httpx`` (default) or ``aiohttp`` (async only, extra ``aiohttp``).
        http_client: A ready-made ``httpx`` or ``httpx2`` client to use instead; it is not closed.
            The settings below are then its own affair and must be left alone.
        proxy: URL of an HTTP proxy, or None, which honours HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and
            NO_PROXY. ``socks5://`` works with ``httpx`` and its extra ``socks``.
        verify: Whether TLS certificates are verified, or a path to a CA bundle.
        max_connections: Most open connections, in all.
        keepalive_expiry_ms: Idle connections are dropped after this; under the server's 5 s.
    """

    backend: HttpBackend = "httpx"
    http_client: Any = None
    proxy: str | None = None
    verify: bool | str = True
    max_connections: int = 200
    keepalive_expiry_ms: int = 4_000

    def check(self) -> None:
        """Refuse what cannot work, before the first call fails over it.

        Raises:
            ConfigurationError: A setting is wrong, or is of no effect next to ``http_client``.
        """
        from ._tls import check_verify
        from ._url import check_proxy

        if self.backend not in ("httpx", "aiohttp"):
            raise ConfigurationError(
                f"http_backend must be 'httpx' or 'aiohttp', not {self.backend!r}.",
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
                    f"{name} has no effect on a ready-made http_client; set it there.",
                    variable=name,
                )
