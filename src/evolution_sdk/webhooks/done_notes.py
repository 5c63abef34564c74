"""Notes beside a SQLite inbox: what is over, for the time in which the file cannot be written."""

from __future__ import annotations

import struct
from contextlib import suppress
from pathlib import Path

_HEAD = 16
_NUMBER = struct.Struct("<q")
_MOST = 8_192
"""Most notes; more are not taken, and handled again if the process ends before it is mended."""


class DoneNotes:
    """Numbers in a file whose whole room is taken in advance, so that a full disk can take them.

    A note that is written over in place needs neither new blocks nor a lock of SQLite's.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mark = bytes(_HEAD)
        self._places: dict[int, int] = {}
        self._next = 0

    def take(self, mark: bytes) -> list[int]:
        """Read what an earlier process noted about this inbox.

        Args:
            mark: Tells this inbox from another one that had the same path, whose numbers would name
                other events.

        Returns:
            Its numbers; negative ones are dead letters.
        """
        self._mark = mark.ljust(_HEAD, b"\0")[:_HEAD]
        try:
            data = self._path.read_bytes()
        except OSError:
            return []
        if data[:_HEAD] != self._mark:
            return []
        whole = len(data) - (len(data) - _HEAD) % _NUMBER.size
        return [number for (number,) in _NUMBER.iter_unpack(data[_HEAD:whole]) if number]

    def prepare(self) -> None:
        """Empty the file and take its whole room; without room there are no notes."""
        self._places.clear()
        self._next = 0
        empty = self._mark + bytes(_MOST * _NUMBER.size)
        # As it was: written over, not made anew, for which a full disk may have no room.
        with suppress(OSError), self._path.open("r+b" if self._path.exists() else "x+b") as file:
            file.write(empty)

    def add(self, number: int) -> bool:
        """Note a number.

        Args:
            number: The event's; negative for a dead letter.

        Returns:
            Whether it is noted.
        """
        if self._next >= _MOST:
            return False
        if not self._written(self._next, number):
            return False
        self._places[abs(number)] = self._next
        self._next += 1
        return True

    def forget(self, number: int) -> None:
        """The inbox knows it now.

        Args:
            number: The event's.
        """
        place = self._places.pop(number, None)
        if place is not None:
            self._written(place, 0)
        if not self._places:
            self._next = 0

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
