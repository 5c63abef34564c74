"""A dictionary of bounded size."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

__all__ = ["BoundedDict"]

K = TypeVar("K")
V = TypeVar("V")


class BoundedDict(OrderedDict[K, V]):
    """A dictionary that lets its oldest entry go when it is full.

    Writing an entry makes it the newest. :meth:`recall` reads one and makes it the newest too, so
    that owners choose by their reads: plain ``get`` keeps the order of writing, ``recall`` makes
    it the order of use (LRU). It takes no lock; owners that share it between threads hold theirs.

    Args:
        max_entries: Number of entries to keep, at least 1.
        on_evict: Called with the key and value of an entry that had to go for want of room.
    """

    def __init__(self, max_entries: int, on_evict: Callable[[K, V], object] | None = None) -> None:
        super().__init__()
        self.max_entries = max_entries
        self._on_evict = on_evict

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        while len(self) > self.max_entries:
            gone = self.popitem(last=False)
            if self._on_evict is not None:
                self._on_evict(*gone)

    def recall(self, key: K) -> V | None:
        """Read an entry and make it the newest.

        Returns:
            Its value, or None when there is none.
        """
        try:
            self.move_to_end(key)
        except KeyError:
            return None
        return self[key]
