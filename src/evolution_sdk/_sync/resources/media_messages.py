# Generated from src/evolution_sdk/_async/resources/media_messages.py by tools/generate_sync.py. Edit that file instead.
"""Sending files."""

from __future__ import annotations

from evolution_sdk._core.operation import Operation
from evolution_sdk._core.options import SendOptions
from evolution_sdk.models.base import RequestModel
from evolution_sdk.models.message import SentMessage

from .base import ResourceApi


class MediaMessagesApi(ResourceApi):
    """Sending files; part of :class:`MessagesApi`."""

    __slots__ = ()

    def _send(
        self,
        operation: Operation[SentMessage],
        request: RequestModel,
        options: SendOptions,
        hold_ms: float = 0,
    ) -> SentMessage:
        return self._caller.call(
            operation,
            self._target,
            request.body(),
            hold_ms=hold_ms,
            options=options,
            on_unknown=options.get("on_unknown", "reconcile"),
        )
