"""The server itself."""

from __future__ import annotations

from typing import Unpack

from evolution_sdk._client.options import CallOptions
from evolution_sdk.models.server import Credentials, ServerInfo
from evolution_sdk.operations.build import metrics_headers
from evolution_sdk.operations.routes import server as ops

from .base import AsyncResourceApi


class AsyncServerApi(AsyncResourceApi):
    """The server itself."""

    __slots__ = ()

    async def info(self, **options: Unpack[CallOptions]) -> ServerInfo:
        """Read the server's version; needs no key.

        The server asks WhatsApp Web on every such call, so it may be slow if that is blocked
        (`facts/endpoints.json`, root.get_information).

        Args:
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            Version and addresses.

        Raises:
            TransportError: No answer arrived.
            ServerError: The server could not read the version of WhatsApp Web.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        return await self._pipeline.call(ops.GET_INFORMATION, self._target, options=options)

    async def metrics(
        self,
        *,
        user: str | None = None,
        password: str | None = None,
        **options: Unpack[CallOptions],
    ) -> str:
        """Read the server's own metrics: its version, and number and state of its instances.

        Args:
            user: The server's ``METRICS_USER``, if it demands one (``METRICS_AUTH_REQUIRED``).
            password: Its ``METRICS_PASSWORD``, together with a user.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            Text in the format of Prometheus.

        Raises:
            RequestValidationError: One of user and password is missing.
            FeatureDisabledError: The server has no metrics (``PROMETHEUS_METRICS``).
            AuthenticationError: The server demands other credentials.
            PermissionDeniedError: The server refuses this address (``METRICS_ALLOWED_IPS``).
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        return await self._pipeline.call(
            ops.GET_METRICS, self._target, headers=metrics_headers(user, password), options=options
        )

    async def verify_creds(self, **options: Unpack[CallOptions]) -> Credentials:
        """Check the global key, which is the cheapest check of all.

        Args:
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            Confirmation, with the server's Facebook settings if it has any (secret).

        Raises:
            AuthenticationError: The key is not the server's global key.
            TransportError: No answer arrived.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        return await self._pipeline.call(ops.VERIFY_CREDENTIALS, self._target, {}, options=options)
