"""The proxy of an instance."""

from __future__ import annotations

from typing import Unpack

from evolution_sdk._client.options import CallOptions
from evolution_sdk.models.proxy import Proxy, ProxyAck, ProxyProtocol, ProxyRequest
from evolution_sdk.operations.routes import proxy as ops

from .base import AsyncResourceApi


class AsyncProxyApi(AsyncResourceApi):
    """The proxy through which an instance reaches WhatsApp."""

    __slots__ = ()

    async def set(
        self,
        host: str = "",
        port: str | int = "",
        *,
        protocol: ProxyProtocol = "http",
        username: str = "",
        password: str = "",
        enabled: bool = True,
        **options: Unpack[CallOptions],
    ) -> ProxyAck:
        """Store the proxy, or switch it off with ``enabled=False`` (which blanks all of it).

        The server tests the proxy first: it fetches icanhazip.com with and without it and demands
        two different addresses. It does not wait for its database, so a failure to store is not
        reported; check with :meth:`find`.

        Args:
            host: Name or address of the proxy.
            port: Its port; sent as text, as the server wants it.
            protocol: ``http`` or ``socks``; others do not work.
            username: User name, together with a password.
            password: Password, together with a user name.
            enabled: False to switch it off. Default True.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            An echo of the settings to store.

        Raises:
            RequestValidationError: A value breaks a rule.
            BadRequestError: The server could not use the proxy (``Invalid proxy``).
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = ProxyRequest.check(
            enabled=enabled,
            host=host,
            port=port,
            protocol=protocol,
            username=username,
            password=password,
        )
        return await self._call(ops.SET_PROXY, request, options)

    async def find(self, **options: Unpack[CallOptions]) -> Proxy | None:
        """Read the proxy.

        Args:
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The proxy with its password, or None if none was ever set.

        Raises:
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        return await self._pipeline.call(ops.FIND_PROXY, self._target, options=options)
