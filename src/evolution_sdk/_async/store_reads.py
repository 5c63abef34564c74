"""The two questions by which a lost send is looked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from evolution_sdk.operations.target import Target

from ._seam import Later

if TYPE_CHECKING:
    from evolution_sdk.models.chat import NumberCheck
    from evolution_sdk.models.message import MessagePage

__all__ = ["StoreReads"]


class StoreReads:
    """Asks the server's message store, past breaker, limiter and bulkhead.

    Args:
        look_up: Makes a call of an operation for a target with a body.
    """

    def __init__(self, look_up: Callable[..., Later[Any]]) -> None:
        self._look_up = look_up

    async def find_messages(
        self,
        target: Target,
        where: Mapping[str, Any],
        *,
        size: int,
        page: int = 1,
        once: bool = False,
    ) -> MessagePage:
        """Read one page of stored messages.

        Args:
            target: The instance.
            where: The filter, with the server's names.
            size: Rows of a page.
            page: Number of the page, from 1.
            once: Make one attempt only.
        """
        # Loaded here: most clients never lose an answer.
        from evolution_sdk.operations.routes.chat import FIND_MESSAGES

        found: MessagePage = await self._look_up(
            FIND_MESSAGES,
            target,
            {"where": where, "offset": size, "page": page},
            math.inf if once else None,
        )
        return found

    async def check_number(
        self, target: Target, number: object, once_ms: float | None = None
    ) -> list[NumberCheck]:
        """Ask under which JID the server knows a number.

        Args:
            target: The instance.
            number: The recipient as written in a request.
            once_ms: Longest time of its one attempt, in milliseconds, if it is to have only one.
        """
        from evolution_sdk.operations.routes.chat import CHECK_WHATSAPP_NUMBERS

        found: list[NumberCheck] = await self._look_up(
            CHECK_WHATSAPP_NUMBERS, target, {"numbers": [number]}, once_ms
        )
        return found
