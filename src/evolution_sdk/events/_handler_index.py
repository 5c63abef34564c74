"""Index of the handlers of a router: those that an event may concern, in the order of their turns.

It leaves out only handlers that would not run and whose filters need not be asked: those for other
classes of events, and those that need something of an event that it has not. Thus a dispatch does
exactly the same with it as without, whatever the number of handlers.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from ._base import Event
from ._registry import Registration
from .filters._algebra import needs_of
from .filters._needs import Lookup, Needs, Places, Probe

__all__ = ["HandlerIndex"]


class HandlerIndex:
    """The handlers and included routers of a router at one time; built as events come.

    Args:
        entries: The handlers and routers in the order of their turns.
    """

    __slots__ = ("_by_class", "_entries", "_names")

    def __init__(self, entries: tuple[object, ...]) -> None:
        self._entries = entries
        self._by_class: dict[type[Event], _OfClass] = {}
        self._names: dict[str, int] | None = None

    def places(self, event: Event, path: str, finished: Mapping[str, bool]) -> Sequence[int]:
        """Return the numbers of the entries that an event may concern, in order.

        Args:
            event: The event.
            path: Place of the router, for the names in ``finished``.
            finished: Handlers that ran in earlier attempts; they count whatever they need.
        """
        kind = type(event)
        known = self._by_class.get(kind)
        if known is None:
            known = self._by_class[kind] = _OfClass(self._entries, event)
        found = known.places(event)
        if not finished:
            return found
        ran = self._finished(path, finished)
        return sorted({*found, *ran}) if ran else found

    def _finished(self, path: str, finished: Mapping[str, bool]) -> list[int]:
        names = self._names
        if names is None:
            numbered = enumerate(self._entries)
            names = {one.name: number for number, one in numbered if isinstance(one, Registration)}
            self._names = names
        end = len(path)
        keys = (place[end:] for place in finished if place.startswith(path))
        return [names[name] for name in keys if name in names]


class _OfClass:
    """The entries that events of one class may concern."""

    __slots__ = ("_always", "_every", "_lookups")

    def __init__(self, entries: tuple[object, ...], event: Event) -> None:
        always: list[int] = []
        every: list[int] = []
        tables: dict[str, tuple[Probe, dict[Hashable, list[int]]]] = {}
        for place, entry in enumerate(entries):
            if isinstance(entry, Registration) and not isinstance(event, entry.kinds):
                continue
            every.append(place)
            needs = _needs(entry)
            if needs is None:
                always.append(place)
                continue
            for probe, value in needs:
                _, table = tables.setdefault(probe.name, (probe, {}))
                table.setdefault(value, []).append(place)
        self._always: Places = tuple(always)
        self._every: Places = tuple(every)
        self._lookups = tuple(
            Lookup(probe, {value: tuple(places) for value, places in table.items()})
            for probe, table in tables.values()
        )

    def places(self, event: Event) -> Sequence[int]:
        found: set[int] = set()
        try:
            for lookup in self._lookups:
                found |= lookup.places(event)
        except Exception:  # noqa: BLE001 - the filters are asked, and may say what is wrong
            return self._every
        return sorted(found.union(self._always)) if found else self._always


def _needs(entry: Any) -> Needs:
    if not isinstance(entry, Registration) or entry.filter is None:
        return None
    return needs_of(entry.filter)
