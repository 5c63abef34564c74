"""Jobs of an engine: each names a row, and the chat whose jobs follow each other."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

__all__ = ["OutboxJob", "lock_of"]


@dataclass(frozen=True, slots=True)
class OutboxJob:
    """A wish to have a message looked after.

    Attributes:
        row_id: ``OutboxMessage.id``.
        lock: Name of its chat, for queues that can run the jobs of one name one after another; None
            where it need not, or must not, wait for others. The outbox keeps the order itself.
        priority: Its priority; higher ones go first.
        not_before: Time before which there is nothing to do; None for now.
    """

    row_id: int
    lock: str | None
    priority: int = 0
    not_before: datetime | None = None


def lock_of(instance: str, chat: str) -> str:
    """Return the name under which the jobs of one chat follow each other; not its number.

    Args:
        instance: The instance.
        chat: The chat.
    """
    named = f"{instance}\0{chat}".encode("utf-8", "surrogatepass")
    return f"evolution-outbox:{hashlib.sha256(named).hexdigest()[:24]}"
