"""The answer to the question if something was sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .message import SentMessage


@dataclass(frozen=True, slots=True)
class SentSearch:
    """The outcome of a search for a sent message; see ``messages.find_sent``.

    Attributes:
        status: ``found``: it was sent. ``absent``: it was not. ``unknown``: neither is proven;
            treat it as neither.
        messages: All that were found, oldest first; more than one when it was sent more often.
        reason: The places that were searched and, for ``unknown``, why they prove nothing.
    """

    status: Literal["found", "absent", "unknown"]
    messages: tuple[SentMessage, ...] = ()
    reason: str = ""

    @property
    def message(self) -> SentMessage | None:
        """The first message found, or None."""
        return self.messages[0] if self.messages else None
