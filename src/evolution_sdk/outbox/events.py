"""Events of an outbox, for programs that subscribe to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from .records import OutboxMessage, OutboxState
from .settling import Pause

__all__ = ["EVENTS", "OutboxEvent", "OutboxEventName"]

OutboxEventName: TypeAlias = Literal[
    "sent", "server", "delivered", "read", "failed", "refused", "unknown", "expired", "cancelled",
    "paused",
]  # fmt: skip
EVENTS: Final[tuple[str, ...]] = (
    *(one.value for one in OutboxState if one not in (OutboxState.QUEUED, OutboxState.SENDING)),
    "paused",
)


@dataclass(frozen=True, slots=True)
class OutboxEvent:
    """Something that happened in the outbox, told by the process that did it.

    Attributes:
        name: The new state of a message, or ``paused``.
        message: The message; None for a pause.
        instance: The instance; None where the whole server is paused.
        reason: Words about it.
    """

    name: str
    message: OutboxMessage | None = None
    instance: str | None = None
    reason: str = ""

    @classmethod
    def of_message(cls, message: OutboxMessage) -> OutboxEvent:
        """Make the event of a message's new state.

        Args:
            message: The message.
        """
        return cls(message.state.value, message, message.instance, message.reason)

    @classmethod
    def of_pause(cls, pause: Pause, everywhere: str) -> OutboxEvent:
        """Make the event of a pause.

        Args:
            pause: The pause.
            everywhere: The name that stands for the whole server.
        """
        instance = None if pause.instance == everywhere else pause.instance
        return cls("paused", None, instance, pause.reason)
