"""A list of models that are built when they are looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import Any, Generic, TypeVar, overload

from evolution_sdk._base.json_types import is_object

from .base import Model

__all__ = ["LazyList"]

M = TypeVar("M", bound=Model)


class LazyList(Sequence[M], Generic[M]):
    """The models of a list, each built at its first reading; equal to the list of them.

    Args:
        model: The class of the models.
        rows: The list as decoded from JSON.

    Attributes:
        raw: The list as it came.
        drift: Names of fields that did not fit, of the rows that lack an expected one; others
            tell theirs when they are built.
    """

    __slots__ = ("_built", "_model", "drift", "raw")

    def __init__(self, model: type[M], rows: list[Any]) -> None:
        self.raw = rows
        self._model = model
        self._built: dict[int, M] = {}
        expected = frozenset(model.expected)
        odd = (
            self[place]
            for place, row in enumerate(rows)
            if not is_object(row) or not expected <= row.keys()
        )
        self.drift: tuple[str, ...] = tuple(
            dict.fromkeys(name for each in odd for name in each.drift)
        )

    def __len__(self) -> int:
        return len(self.raw)

    @overload
    def __getitem__(self, place: int) -> M: ...
    @overload
    def __getitem__(self, place: slice) -> list[M]: ...
    def __getitem__(self, place: int | slice) -> M | list[M]:
        size = len(self.raw)
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(size))]
        number = place + size if place < 0 else place
        found = self._built.get(number)
        if found is None:
            # An index that is out of range is refused by the range.
            row = self.raw[range(size)[place]]
            # Two threads may build one at once: both get the first.
            found = self._built.setdefault(number, self._model.from_wire(row))
        return found

    def texts(self, *fields: str) -> Iterator[tuple[Any, ...]]:
        """Read some fields of every model, building only those where they are not plain text.

        Args:
            fields: Names of fields that take any text.

        Yields:
            Their values, in this order; a plain text as the server wrote it.
        """
        known = self._model.model_fields
        aliases = [known[name].alias or name for name in fields]
        for place, row in enumerate(self.raw):
            told = tuple(map(row.get, aliases)) if is_object(row) else (None,)
            # Text of any other alphabet may hold what a model refuses, such as half a surrogate.
            if all(type(text) is str and text.isascii() for text in told):
                yield told
            else:
                yield tuple(map(getattr, repeat(self[place]), fields))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LazyList | list):
            return NotImplemented
        return list(self) == list(other)  # pyright: ignore[reportUnknownArgumentType]

    __hash__ = None  # type: ignore[assignment]  # as that of a list

    def __repr__(self) -> str:
        return repr(list(self))
