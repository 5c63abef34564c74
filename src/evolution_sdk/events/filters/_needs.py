"""Cheap conditions that an event must meet before a filter can match; the index of a router.

A filter may say what it needs: keys, of which the event must have one. Where it has none of them,
the filter would answer None, without an effect and without an error, so that it need not be asked.
A filter that says nothing is always asked.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

from evolution_sdk.events._base import Event

# Windows of this many characters stand for longer texts.
_MOST_GRAM = 4
_PART_WEIGHT = 10


class Probe(NamedTuple):
    """A view of events that has keys.

    Attributes:
        name: Its name; probes of one name are one.
        weight: How much its keys tell apart; of two conditions the heavier one is looked up.
        read: Reads the keys of an event; of ``by_part`` the text, of which every part is a key.
        by_part: True if the keys are the parts of a text.
    """

    name: str
    weight: int
    read: Callable[[Event[Any]], Any]
    by_part: bool = False


Key: TypeAlias = tuple[Probe, Hashable]
Needs: TypeAlias = "frozenset[Key] | None"
"""Keys of which an event must have at least one; None where nothing is known."""

Places: TypeAlias = tuple[int, ...]
"""Numbers of handlers among those of a router."""


def needs(probe: Probe, values: Iterable[Hashable]) -> Needs:
    """Say that an event must have one of these keys."""
    return frozenset((probe, value) for value in values)


def either(left: Needs, right: Needs) -> Needs:
    """Say that one of two conditions must be met."""
    return None if left is None or right is None else left | right


def heavier(left: Needs, right: Needs) -> Needs:
    """Of two conditions that must both be met, return the one that fewer events meet."""
    if left is None or right is None:
        return right if left is None else left
    return right if _weight(right) > _weight(left) else left


def _weight(keys: frozenset[Key]) -> int:
    return min((_key_weight(*key) for key in keys), default=1_000)


def _key_weight(probe: Probe, value: Hashable) -> int:
    part = isinstance(value, str) and probe.by_part
    return min(len(str(value)), _PART_WEIGHT) if part else probe.weight


class Lookup:
    """The handlers that need a key of one probe.

    Args:
        probe: The probe.
        table: Handlers by the key that they need.
    """

    __slots__ = ("_grams", "_probe", "_sizes", "_table")

    def __init__(self, probe: Probe, table: Mapping[Hashable, Places]) -> None:
        self._probe = probe
        self._table = table
        self._grams: dict[str, list[str]] = {}
        if probe.by_part:
            # The rarest window of each text stands for it: a word that all share tells nothing.
            for text in sorted(map(str, table)):
                gram = min(_windows(text), key=lambda one: (len(self._grams.get(one, ())), one))
                self._grams.setdefault(gram, []).append(text)
        self._sizes = tuple({len(gram) for gram in self._grams})

    def places(self, event: Event[Any]) -> set[int]:
        """Return the handlers of which the event has a key."""
        found = self._probe.read(event)
        table = self._table
        keys = self._parts(found) if self._probe.by_part else found
        return {place for key in keys for place in table.get(key, ())}

    def _parts(self, text: str) -> Iterable[Hashable]:
        # Whichever is less work: each text is looked for, or each place in the text is looked up.
        if len(self._table) <= len(text) * len(self._sizes):
            return [part for part in self._table if part in text]  # type: ignore[operator]
        grams = self._grams
        return {
            part
            for size in self._sizes
            for start in range(len(text) - size + 1)
            for part in grams.get(text[start : start + size], ())
            if part in text
        }


def _windows(text: str) -> set[str]:
    size = min(len(text), _MOST_GRAM)
    return {text[start : start + size] for start in range(len(text) - size + 1)}
