"""Behaviour settings of an instance."""

from __future__ import annotations

from typing import Unpack

from evolution_sdk._client.options import CallOptions
from evolution_sdk.models.settings import Settings, SettingsAck, SettingsRequest
from evolution_sdk.operations.routes import settings as ops

from .base import AsyncResourceApi


class AsyncSettingsApi(AsyncResourceApi):
    """Behaviour settings of an instance."""

    __slots__ = ()

    async def set(
        self,
        *,
        reject_call: bool,
        groups_ignore: bool,
        always_online: bool,
        read_messages: bool,
        read_status: bool,
        sync_full_history: bool,
        msg_call: str | None = None,
        wavoip_token: str | None = None,
        **options: Unpack[CallOptions],
    ) -> SettingsAck:
        """Replace all settings; the server demands every switch.

        Args:
            reject_call: True to refuse incoming calls.
            groups_ignore: True to ignore groups.
            always_online: True to appear online all the time.
            read_messages: True to mark incoming messages as read.
            read_status: True to mark stories as seen.
            sync_full_history: True to fetch the whole history when connecting.
            msg_call: Text sent to a refused caller, at most 100 characters.
            wavoip_token: Token of the Wavoip service; reopens the connection.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            An echo of the stored settings.

        Raises:
            RequestValidationError: A value breaks a rule.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = SettingsRequest.check(
            reject_call=reject_call,
            groups_ignore=groups_ignore,
            always_online=always_online,
            read_messages=read_messages,
            read_status=read_status,
            sync_full_history=sync_full_history,
            msg_call=msg_call,
            wavoip_token=wavoip_token,
        )
        return await self._call(ops.SET_SETTINGS, request, options)

    async def find(self, **options: Unpack[CallOptions]) -> Settings | None:
        """Read the settings.

        Args:
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The settings, or None if the server has stored none.

        Raises:
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        return await self._pipeline.call(ops.FIND_SETTINGS, self._target, options=options)
