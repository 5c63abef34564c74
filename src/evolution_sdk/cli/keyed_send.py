"""Sending one message through the outbox, and no other."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from evolution_sdk.outbox import Outbox

if TYPE_CHECKING:
    from evolution_sdk import EvolutionClient
    from evolution_sdk.outbox import OutboxMessage

__all__ = ["send_once"]

_PAUSE_S: Final = 1.0


def send_once(
    client: EvolutionClient,
    place: str,
    hand_over: Callable[[Any], OutboxMessage],
    *,
    timeout_s: float,
    sleep: Callable[[float], object],
) -> OutboxMessage:
    """Hand a message over, and send it unless its key was sent before.

    Workers of the same store may be at work meanwhile: each message is sent by one of them.

    Args:
        client: The client.
        place: The store.
        hand_over: Calls a send of what it is given, the outbox's ``messages``.
        timeout_s: Longest wait for its turn, in seconds.
        sleep: Blocks for some seconds.

    Returns:
        The message, as it is after the last try.

    Raises:
        OutboxConflictError: The key belongs to another message.
        OutboxStoreError: The store cannot be used.
    """
    outbox = Outbox(place, client=client)
    try:
        message = hand_over(outbox.messages)
        slept_s = 0.0
        while not message.state.is_over:
            again = outbox.deliver(message.id)
            message = outbox.get(message.key) or message
            if again is None or message.state.is_over or slept_s >= timeout_s:
                break
            sleep(_PAUSE_S)
            slept_s += _PAUSE_S
        return message
    finally:
        outbox.close(timeout_ms=0)
