"""A journal beside a SQLite inbox: events that ended while the inbox could not be written."""

from __future__ import annotations

import struct
from contextlib import suppress
from pathlib import Path

from evolution_sdk._base.private_file import make_private

_HEAD = 16
_NUMBER = struct.Struct("<q")
_MAX_ENTRIES = 8_192
"""Most entries; an event beyond them is handled again if the process ends too early."""


class CompletionJournal:
    """Numbers of events in a file whose whole room is taken in advance.

    A full disk and a locked database do not stop it: an entry that is written over in place needs
    neither new blocks nor a lock of SQLite's.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mark = bytes(_HEAD)
        self._places: dict[int, int] = {}
        self._next = 0

    def take(self, mark: bytes) -> list[int]:
        """Read the entries of an earlier process about this inbox.

        Args:
            mark: Tells this inbox apart from an earlier one at the same path, whose numbers name
                other events.

        Returns:
            The numbers; negative ones are dead letters.
        """
        self._mark = mark.ljust(_HEAD, b"\0")[:_HEAD]
        try:
            data = self._path.read_bytes()
        except OSError:
            return []
        if data[:_HEAD] != self._mark:
            return []
        # A process that died while it wrote may have left half a number at the end.
        whole = len(data) - (len(data) - _HEAD) % _NUMBER.size
        return [number for (number,) in _NUMBER.iter_unpack(data[_HEAD:whole]) if number]

    def prepare(self) -> None:
        """Empty the file and take its whole room; without room the journal stays unused."""
        self._places.clear()
        self._next = 0
        empty = self._mark + bytes(_MAX_ENTRIES * _NUMBER.size)
        # Written over and not made anew: a full disk may have no room for a new file.
        with suppress(OSError):
            make_private(self._path)
            with self._path.open("r+b") as file:
                file.write(empty)

    def add(self, number: int) -> bool:
        """Add an entry.

        Args:
            number: The event's number; negative for a dead letter.

        Returns:
            True if it was written.
        """
        if self._next >= _MAX_ENTRIES:
            return False
        if not self._written(self._next, number):
            return False
        self._places[abs(number)] = self._next
        self._next += 1
        return True

    def forget(self, number: int) -> None:
        """Remove an entry, since the inbox knows of the event now.

        Args:
            number: The event's number.
        """
        place = self._places.pop(number, None)
        if place is not None:
            self._written(place, 0)
        if not self._places:
            self._next = 0  # all places are free again

    def __contains__(self, number: int) -> bool:
        return number in self._places

    def _written(self, place: int, number: int) -> bool:
        try:
            with self._path.open("r+b") as file:
                file.seek(_HEAD + place * _NUMBER.size)
                file.write(_NUMBER.pack(number))
        except OSError:
            return False
        return True
