"""A list of models that are built when they are looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeVar, overload

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
        odd = [
            place
            for place, row in enumerate(rows)
            if type(row) is not dict or not expected <= row.keys()
        ]
        self.drift: tuple[str, ...] = tuple(
            dict.fromkeys(name for place in odd for name in self[place].drift)
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

    def texts(self, field: str) -> list[Any]:
        """Read a field of every model; only models where it is not plain text are built.

        Args:
            field: Name of a field that takes any text.

        Returns:
            Its values; a plain text as the server wrote it.
        """
        alias = self._model.model_fields[field].alias or field
        # Text of any other alphabet may hold what a model refuses, such as half a surrogate.
        return [
            text
            if type(row) is dict and type(text := row.get(alias)) is str and text.isascii()
            else getattr(self[place], field)
            for place, row in enumerate(self.raw)
        ]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LazyList | list):
            return NotImplemented
        return list(self) == list(other)  # pyright: ignore[reportUnknownArgumentType]

    __hash__ = None  # type: ignore[assignment]  # as that of a list

    def __repr__(self) -> str:
        return repr(list(self))
