"""The server itself."""

from __future__ import annotations

from typing import Unpack

from evolution_sdk._client.options import CallOptions
from evolution_sdk.errors import RequestValidationError
from evolution_sdk.models.server import (
    Credentials,
    License,
    LicenseActivation,
    LicenseRegistration,
    ServerInfo,
)
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
            UnsupportedByServerError: The server is older than 2.3.
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


class AsyncLicenseApi(AsyncResourceApi):
    """The licence of a server, from 2.4.0-rc1 on; needs no key.

    The SDK tells its state and passes on what an operator does; it never goes around it.
    """

    __slots__ = ()

    async def status(self, **options: Unpack[CallOptions]) -> License:
        """Read the state of the licence.

        Args:
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The state, and the id under which the server is registered.

        Raises:
            UnsupportedByServerError: The server is older than 2.4 and needs no licence.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        return await self._pipeline.call(ops.LICENSE_STATUS, self._target, options=options)

    async def register(
        self, *, redirect_uri: str | None = None, **options: Unpack[CallOptions]
    ) -> LicenseRegistration:
        """Ask for the address at which a person can register the server.

        The server asks its maker over the internet. The address comes from outside: show it to a
        person, and do not let a program open it.

        Args:
            redirect_uri: Where the maker's page goes on to afterwards, with the code.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The address, or that the server is active.

        Raises:
            UnsupportedByServerError: The server is older than 2.4 and needs no licence.
            ServerError: The server cannot reach its maker.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        return await self._pipeline.call(
            ops.LICENSE_REGISTER,
            self._target,
            query={"redirect_uri": redirect_uri},
            options=options,
        )

    async def activate(self, code: str, **options: Unpack[CallOptions]) -> LicenseActivation:
        """Activate the server with the code that its registration gave.

        Args:
            code: The code.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            Confirmation.

        Raises:
            RequestValidationError: The code is blank.
            UnsupportedByServerError: The server is older than 2.4 and needs no licence.
            BadRequestError: The code is wrong, or too old.
            ServerError: The server cannot reach its maker.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        if not code.strip():
            raise RequestValidationError("code", "must be the code that the registration gave")
        return await self._pipeline.call(
            ops.LICENSE_ACTIVATE, self._target, query={"code": code}, options=options
        )
