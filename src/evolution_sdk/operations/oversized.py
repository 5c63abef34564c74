"""An answer of which only the beginning was read."""

from __future__ import annotations

from typing import Any

from evolution_sdk._base.effect import Effect
from evolution_sdk._base.request import Response
from evolution_sdk.errors import ResponseTooLargeError

from .operation import Operation

__all__ = ["refuse_oversized"]

_COMPLETED = range(200, 300)


def refuse_oversized(operation: Operation[Any], response: Response) -> None:
    """Refuse an answer that was larger than allowed.

    Not that of a completed send: it stands for a message that has left, and counts as an answer
    that does not tell the message's id.

    Args:
        operation: What was called.
        response: The answer, of which only the beginning was read.

    Raises:
        ResponseTooLargeError: It was too large, and anything but that of a completed send.
    """
    if operation.effect is Effect.SEND and response.status in _COMPLETED:
        return
    error = ResponseTooLargeError(response.status, operation.name, response.limit_bytes)
    error.effect = operation.effect
    raise error
