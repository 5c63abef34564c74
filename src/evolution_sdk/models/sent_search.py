"""The result of looking for a message that may have been sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .message import SentMessage


@dataclass(frozen=True, slots=True)
class SentSearch:
    """The result of ``messages.find_sent``.

    Attributes:
        status: ``found``: it was sent. ``absent``: it was not sent. ``unknown``: the server's
            store proves neither.
        messages: All matching messages, oldest first; several if it was sent more than once.
        reason: What was searched and, for ``unknown``, why that proves nothing.
    """

    status: Literal["found", "absent", "unknown"]
    messages: tuple[SentMessage, ...] = ()
    reason: str = ""

    @property
    def message(self) -> SentMessage | None:
        """The first message found, or None."""
        return self.messages[0] if self.messages else None
