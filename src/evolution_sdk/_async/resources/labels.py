"""Labels; WHATSAPP-BAILEYS only."""

from __future__ import annotations

from typing import Literal, Unpack

from evolution_sdk._client.options import CallOptions
from evolution_sdk.identity import Jid, PhoneNumber
from evolution_sdk.models.label import HandleLabelRequest, Label, LabelAck
from evolution_sdk.operations.routes import label as ops

from .base import AsyncResourceApi


class AsyncLabelsApi(AsyncResourceApi):
    """Labels of a WhatsApp Business account, and which chats have them."""

    __slots__ = ()

    async def find(self, **options: Unpack[CallOptions]) -> list[Label]:
        """List the labels that the server has stored; it asks nothing of WhatsApp.

        Args:
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The labels; none unless the server keeps them (``DATABASE_SAVE_DATA_LABELS``).

        Raises:
            ChannelNotSupportedError: Only WHATSAPP-BAILEYS has labels.
        """
        return await self._pipeline.call(ops.FIND_LABELS, self._target, options=options)

    async def handle(
        self,
        number: str | PhoneNumber | Jid,
        label_id: str,
        action: Literal["add", "remove"],
        **options: Unpack[CallOptions],
    ) -> LabelAck:
        """Put a label on a chat, or take it off.

        Args:
            number: Whose chat.
            label_id: The label's ``id``, as :meth:`find` tells it.
            action: ``add`` or ``remove``.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            Acknowledgement.

        Raises:
            RequestValidationError: A value breaks a rule.
            RecipientNotFoundError: The number is not on WhatsApp.
            ServerError: Without ``transient``: WhatsApp has the change, and only the server's own
                record of it failed, as it always does on a newly set up PostgreSQL
                (`facts/endpoints.json`, label.handle_label). With it: nothing was changed.
            InstanceNotConnectedError: The connection is dead.
        """
        request = HandleLabelRequest.check(number=number, label_id=label_id, action=action)
        return await self._pipeline.call(
            ops.HANDLE_LABEL, self._target, request.body(), options=options
        )
