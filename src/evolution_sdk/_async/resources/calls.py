"""Calls; WHATSAPP-BAILEYS only."""

from __future__ import annotations

from typing import Unpack

from evolution_sdk._client.options import SendOptions
from evolution_sdk.identity import Jid, PhoneNumber
from evolution_sdk.models.call import CallOffer, OfferCallRequest
from evolution_sdk.operations.routes import call as ops

from .base import AsyncResourceApi


class AsyncCallsApi(AsyncResourceApi):
    """Calls."""

    __slots__ = ()

    async def offer(
        self,
        number: str | PhoneNumber | Jid,
        *,
        duration_seconds: int,
        is_video: bool | None = None,
        **options: Unpack[SendOptions],
    ) -> CallOffer:
        """Offer a call. Version 2.3.6 only echoes the request: **nothing rings**.

        Args:
            number: Number of the person to call.
            duration_seconds: Time to ring, 1 to 15 seconds.
            is_video: True for a video call.
            **options: Options of one send, see :class:`~evolution_sdk.SendOptions`.

        Returns:
            An echo of the request.

        Raises:
            RequestValidationError: A value breaks a rule.
            ChannelNotSupportedError: Only WHATSAPP-BAILEYS has the route.
            SendOutcomeUnknownError: No answer arrived; it may have been done.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = OfferCallRequest.check(
            number=number, is_video=is_video, call_duration=duration_seconds
        )
        return await self._act(ops.OFFER_CALL, request.body(), options)
