"""Result of a search for a sent message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .message import SentMessage


@dataclass(frozen=True, slots=True)
class SentSearch:
    """Result of a search for a sent message; see ``messages.find_sent``.

    Attributes:
        status: ``found`` if it was sent, ``absent`` if it was not, ``unknown`` if that cannot be
            decided; treat the last as neither.
        messages: The messages found, oldest first; several if it was sent several times.
        reason: The places searched and, for ``unknown``, the reason why they prove nothing.
    """

    status: Literal["found", "absent", "unknown"]
    messages: tuple[SentMessage, ...] = ()
    reason: str = ""

    @property
    def message(self) -> SentMessage | None:
        """The first message found, or None."""
        return self.messages[0] if self.messages else None
