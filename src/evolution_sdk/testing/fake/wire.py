"""What a Baileys client keeps about its own wire: tags, and with which devices it has sessions."""

from __future__ import annotations

from dataclasses import dataclass, field

from .ids import Ids


@dataclass(slots=True)
class Wire:
    """The low-level state of one session.

    Attributes:
        sessions: JIDs with an encrypted session.
        nodes: The raw stanzas sent.
    """

    sessions: set[str] = field(default_factory=set[str])
    nodes: list[object] = field(default_factory=list[object])
    _prefix: str = ""
    _epoch: int = 0

    def tag(self, ids: Ids) -> str:
        """The next message tag: two random numbers and a counter."""
        if not self._prefix:
            drawn = ids.secret(4)
            numbers = (int.from_bytes(drawn[:2]), int.from_bytes(drawn[2:]))
            self._prefix = f"{numbers[0]}.{numbers[1]}"
        self._epoch += 1
        return f"{self._prefix}-{self._epoch}"
