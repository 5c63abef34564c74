"""Going through stored messages without losing or repeating one. Pure.

The server pages by offset over a descending list that keeps growing, with times in whole seconds
and no order among equal ones (`facts/semantics.md` §8), so that its page numbers shift. The cursor
asks for "up to the oldest second seen" instead and leaves out what that second has shown already.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, TypeVar


class Dated(Protocol):
    """The part of a message that the cursor reads."""

    @property
    def row_id(self) -> str | None:
        """Its row in the store."""
        ...

    @property
    def id(self) -> str:
        """Its WhatsApp id."""
        ...

    @property
    def timestamp(self) -> datetime:
        """Its time, in whole seconds."""
        ...


D = TypeVar("D", bound=Dated)


class TimeCursor:
    """The position of an iteration over stored messages.

    Attributes:
        until: Upper end of the next question, inclusive.
        page_size: How many the next question asks for; more than wanted only while one single
            second holds more than a page.
        done: Whether everything has been seen.
    """

    def __init__(self, until: datetime, page_size: int) -> None:
        self.until = until
        self.page_size = page_size
        self.done = False
        self._wanted = page_size
        self._seen_in_second: set[str] = set()

    def accept(self, records: Sequence[D]) -> list[D]:
        """Take one answer and move on.

        Args:
            records: The first page of what was asked for, newest first.

        Returns:
            The messages of it that were not seen before.
        """
        fresh = [r for r in records if (r.row_id or r.id) not in self._seen_in_second]
        if len(records) < self.page_size:
            self.done = True
            return fresh
        oldest = records[-1].timestamp
        if oldest < self.until.replace(microsecond=0):
            self.until, self.page_size = oldest, self._wanted
            self._seen_in_second = {r.row_id or r.id for r in records if r.timestamp <= oldest}
        else:
            # A whole page within one second: a second page could shift, a larger one cannot.
            self.page_size *= 2
            self._seen_in_second.update(r.row_id or r.id for r in records)
        return fresh
