"""Memory per instance that is bounded by what is watched."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final, Generic, TypeVar

from evolution_sdk._base.bounded_dict import BoundedDict

__all__ = ["MOST_OTHERS", "PerInstance"]

V = TypeVar("V")

MOST_OTHERS: Final = 1_000
"""Instances kept beside the watched ones: they may be watched soon, or never."""


class PerInstance(Generic[V]):
    """Entries by the name of an instance: all of the watched ones, and the newest of others.

    It takes no lock; owners that share it between threads hold theirs.

    Attributes:
        dropped: Entries of others that had to go for want of room.
    """

    def __init__(self) -> None:
        self.dropped: int = 0
        self._names: Collection[str] = frozenset()
        self._watched: dict[str, V] = {}
        self._others: BoundedDict[str, V] = BoundedDict(MOST_OTHERS, self._drop)

    def __len__(self) -> int:
        return len(self._watched) + len(self._others)

    def __contains__(self, name: str) -> bool:
        return name in self._watched or name in self._others

    def get(self, name: str) -> V | None:
        """Read an entry; None when there is none."""
        found = self._watched.get(name)
        return found if found is not None else self._others.get(name)

    def put(self, name: str, value: V) -> None:
        """Write an entry."""
        (self._watched if name in self._names else self._others)[name] = value

    def pop(self, name: str) -> None:
        """Forget an entry, if there is one."""
        self._watched.pop(name, None)
        self._others.pop(name, None)

    def values(self) -> Iterator[V]:
        """Go through all entries."""
        yield from self._watched.values()
        yield from self._others.values()

    def items(self) -> Iterator[tuple[str, V]]:
        """Go through all entries with their names."""
        yield from self._watched.items()
        yield from self._others.items()

    def watch(self, names: frozenset[str], most_others: int = MOST_OTHERS) -> None:
        """Say which instances are watched from now on.

        Args:
            names: Their names; entries of them stay.
            most_others: Entries of others to keep.
        """
        self._names = names
        # Before any other takes their room.
        for name in names & self._others.keys():
            self._watched[name] = self._others.pop(name)
        for name in self._watched.keys() - names:
            self._others[name] = self._watched.pop(name)
        self._others.max_entries = most_others
        while len(self._others) > most_others:
            self._others.popitem(last=False)
            self.dropped += 1

    def _drop(self, _: str, __: V) -> None:
        self.dropped += 1
