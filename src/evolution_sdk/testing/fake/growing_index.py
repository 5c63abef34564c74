"""Look-ups in lists that only grow, indexed as far as they have grown."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class GrowingIndex(Generic[T]):
    """Finds the items of a list by a key, in their order.

    Nobody has to tell it of new items: they are taken in by the next look-up. A list that was
    replaced or has become shorter is taken in anew.

    Args:
        keys: The keys of an item; they stay as they are.
    """

    def __init__(self, keys: Callable[[T], Iterable[Hashable]]) -> None:
        self._keys = keys
        self._items: Sequence[T] = ()
        self._taken = 0
        self._found: dict[Hashable, list[T]] = {}

    def find(self, items: Sequence[T], key: Hashable) -> list[T]:
        """List the items that have a key.

        Args:
            items: The list.
            key: The key.
        """
        if items is not self._items or len(items) < self._taken:
            self._items, self._taken, self._found = items, 0, {}
        for item in items[self._taken :] if self._taken else items:
            for each in self._keys(item):
                self._found.setdefault(each, []).append(item)
        self._taken = len(items)
        return self._found.get(key, [])
