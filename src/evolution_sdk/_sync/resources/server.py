# Generated from src/evolution_sdk/_async/resources/server.py by tools/generate_sync.py. Edit that file instead.
"""The server itself."""

from __future__ import annotations

from typing import Unpack

from evolution_sdk._core.operations import server as ops
from evolution_sdk._core.options import CallOptions
from evolution_sdk.models.server import Credentials, ServerInfo

from .base import ResourceApi


class ServerApi(ResourceApi):
    """The server itself."""

    __slots__ = ()

    def info(self, **options: Unpack[CallOptions]) -> ServerInfo:
        """Ask the server for its version; needs no key.

        The server asks WhatsApp Web on every such call, so that it may be slow where that is
        blocked (`endpoints.json`, root.get_information).

        Args:
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            Version and addresses.

        Raises:
            TransportError: No answer came.
            ServerError: The server could not learn WhatsApp Web's version.
        """
        return self._caller.call(ops.GET_INFORMATION, self._target, options=options)

    def verify_creds(self, **options: Unpack[CallOptions]) -> Credentials:
        """Check the global key; the cheapest check there is.

        Args:
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            Confirmation, with the server's Facebook settings where it has them (secret).

        Raises:
            AuthenticationError: The key is not the server's global key.
            TransportError: No answer came.
        """
        return self._caller.call(ops.VERIFY_CREDENTIALS, self._target, {}, options=options)
