"""Sending files."""

from __future__ import annotations

from evolution_sdk._core.operation import Operation
from evolution_sdk._core.options import SendOptions
from evolution_sdk.models.base import RequestModel
from evolution_sdk.models.message import SentMessage

from .base import AsyncResourceApi


class AsyncMediaMessagesApi(AsyncResourceApi):
    """Sending files; part of :class:`AsyncMessagesApi`."""

    __slots__ = ()

    async def _send(
        self,
        operation: Operation[SentMessage],
        request: RequestModel,
        options: SendOptions,
        hold_ms: float = 0,
    ) -> SentMessage:
        return await self._caller.call(
            operation,
            self._target,
            request.body(),
            hold_ms=hold_ms,
            options=options,
            on_unknown=options.get("on_unknown", "reconcile"),
        )
