"""Waiting until a message got as far as somebody wants."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from evolution_sdk._async._seam import Later
from evolution_sdk._async.ports import Ports
from evolution_sdk.errors import OutboxEndedError, RequestValidationError, WaitTimeoutError
from evolution_sdk.outbox.records import OutboxMessage, OutboxState

from .telling import Teller

__all__ = ["until_reached"]

_FIRST_ASK_MS = 25.0
_LONGEST_ASK_MS = 1_000.0
_REACHED: Mapping[OutboxState, int] = {
    OutboxState.QUEUED: 0,
    OutboxState.SENDING: 0,
    OutboxState.SENT: 1,
    OutboxState.SERVER: 2,
    OutboxState.DELIVERED: 3,
    OutboxState.READ: 4,
}


async def until_reached(
    get: Callable[[str], Later[OutboxMessage | None]],
    teller: Teller,
    ports: Ports,
    key: str,
    state: str,
    timeout_ms: float,
) -> OutboxMessage:
    """Wait until a message got that far.

    Args:
        get: Reads a message.
        teller: Tells of changes by this process; those of others are asked for.
        ports: Time.
        key: Its key.
        state: How far.
        timeout_ms: Longest wait, in milliseconds.

    Returns:
        The message.

    Raises:
        OutboxEndedError: It will not get that far by itself.
        WaitTimeoutError: It did not get that far in time.
        RequestValidationError: There is no such message.
        OutboxStoreError: The store cannot be read.
    """
    wanted = _REACHED[OutboxState(state)]
    ends, wait_ms = ports.monotonic() + timeout_ms / 1_000, _FIRST_ASK_MS
    while True:
        message = await get(key)
        if message is None:
            raise RequestValidationError("key", "there is no message with this key")
        reached = _REACHED.get(message.state)
        if reached is None:
            raise OutboxEndedError(key, message.state.value, _why(message))
        if reached >= wanted:
            return message
        left_ms = (ends - ports.monotonic()) * 1_000
        if left_ms <= 0:
            raise WaitTimeoutError(
                f"The message {key!r} is {message.state.value}, not yet {state}."
            )
        teller.again()
        await teller.changes.wait(min(left_ms, wait_ms))
        wait_ms = min(wait_ms * 2, _LONGEST_ASK_MS)


def _why(message: OutboxMessage) -> str:
    error = message.error
    return message.reason if error is None else f"{message.reason} ({error.error}: {error.text})"
