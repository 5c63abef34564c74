"""Labels; WHATSAPP-BAILEYS only."""

from __future__ import annotations

from typing import Literal, Unpack

from evolution_sdk._client.options import CallOptions
from evolution_sdk.identity import Jid, PhoneNumber
from evolution_sdk.models.label import HandleLabelRequest, Label, LabelAck
from evolution_sdk.operations.routes import label as ops

from .base import AsyncResourceApi


class AsyncLabelsApi(AsyncResourceApi):
    """Labels of a WhatsApp Business account, and their chats."""

    __slots__ = ()

    async def find(self, **options: Unpack[CallOptions]) -> list[Label]:
        """List the labels in the server's store; WhatsApp is not asked.

        Args:
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The labels; none unless the server stores them (``DATABASE_SAVE_DATA_LABELS``).

        Raises:
            ChannelNotSupportedError: Only WHATSAPP-BAILEYS has labels.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        return await self._pipeline.call(ops.FIND_LABELS, self._target, options=options)

    async def handle(
        self,
        number: str | PhoneNumber | Jid,
        label_id: str,
        action: Literal["add", "remove"],
        **options: Unpack[CallOptions],
    ) -> LabelAck:
        """Add a label to a chat, or remove it.

        Args:
            number: Number or JID of the chat.
            label_id: The label's ``id`` from :meth:`find`.
            action: ``add`` or ``remove``.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            Acknowledgement.

        Raises:
            RequestValidationError: A value breaks a rule.
            RecipientNotFoundError: The number is not on WhatsApp.
            ServerError: If not ``transient``: WhatsApp has the change, and only the server's own
                record of it failed, as always on a newly set up PostgreSQL
                (`facts/endpoints.json`, label.handle_label). If ``transient``: nothing changed.
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = HandleLabelRequest.check(number=number, label_id=label_id, action=action)
        return await self._call(ops.HANDLE_LABEL, request, options)
