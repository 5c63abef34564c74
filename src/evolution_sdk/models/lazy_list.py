"""A list of models of which few fields are decoded, and the rest when it is looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, ClassVar, Generic, TypeVar, overload

from pydantic_core import SchemaValidator, ValidationError, core_schema, from_json

from evolution_sdk._base.json_types import is_array, is_object

from .base import Model

__all__ = ["LazyList", "LazyReader", "PickedRows"]

M = TypeVar("M", bound=Model)


class PickedRows(list[dict[str, Any]]):
    """Some members of each object of a JSON array.

    Args:
        rows: The objects, with those members only.
        body: The array as it came.
    """

    __slots__ = ("body",)

    def __init__(self, rows: Iterable[dict[str, Any]], body: bytes) -> None:
        super().__init__(rows)
        self.body: bytes = body


class LazyList(Sequence[M], Generic[M]):
    """The models of a list, each built at its first reading; equal to the list of them.

    Args:
        model: The class of the models.
        rows: The list as decoded from JSON, or some members of its objects.

    Attributes:
        rows: The list; of objects at least the picked members.
        drift: Names of fields that did not fit, of the rows that lack an expected one; others
            tell theirs when they are built.
    """

    def __init__(self, model: type[M], rows: list[Any]) -> None:
        self.rows: list[Any] = rows
        self._model = model
        self._built: dict[int, M] = {}
        odd = [] if isinstance(rows, PickedRows) else _odd(model, rows)
        self.drift: tuple[str, ...] = tuple(
            dict.fromkeys(name for place in odd for name in self[place].drift)
        )

    @cached_property
    def raw(self) -> list[Any]:
        """The list as it came."""
        rows = self.rows
        # It was decoded before, in part: it is JSON, and an array.
        return from_json(rows.body) if isinstance(rows, PickedRows) else rows

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, place: int) -> M: ...
    @overload
    def __getitem__(self, place: slice) -> list[M]: ...
    def __getitem__(self, place: int | slice) -> M | list[M]:
        size = len(self.rows)
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(size))]
        # The range counts from the end, and refuses what is outside.
        number = range(size)[place]
        found = self._built.get(number)
        if found is None:
            # Two threads may build one at once: both get the first.
            found = self._built.setdefault(number, self._model.from_wire(self.raw[number]))
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
            if is_object(row) and type(text := row.get(alias)) is str and text.isascii()
            else getattr(self[place], field)
            for place, row in enumerate(self.rows)
        ]

    def __iter__(self) -> Iterator[M]:
        return map(self.__getitem__, range(len(self.rows)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LazyList | list):
            return NotImplemented
        return list(self) == list(other)  # pyright: ignore[reportUnknownArgumentType]

    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # as that of a list

    def __repr__(self) -> str:
        return repr(list(self))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._model, self.raw)


def _odd(model: type[Model], rows: list[Any]) -> list[int]:
    """Find the rows that are no objects, or lack a member that each must have."""
    expected = frozenset(model.expected)
    return [
        place
        for place, row in enumerate(rows)
        if type(row) is not dict or not expected <= row.keys()
    ]


class LazyReader(Generic[M]):
    """Reads a JSON array of objects as ``list_of`` does; each is built when it is looked at.

    Args:
        model: The class of the models that are in the array.
        fields: Names of the fields to decode at once.
    """

    def __init__(self, model: type[M], *fields: str) -> None:
        self._model = model
        names = {model.model_fields[name].alias or name for name in fields}.union(model.expected)
        member = core_schema.typed_dict_field(core_schema.any_schema(), required=False)
        row = core_schema.typed_dict_schema(dict.fromkeys(names, member), extra_behavior="ignore")
        self._validator = SchemaValidator(core_schema.list_schema(row))

    def pick(self, body: bytes) -> Any:
        """Decode JSON, of the objects of an array only the members to decode at once.

        Args:
            body: The JSON as it came.

        Returns:
            :class:`PickedRows`; the whole of what is no array of objects that have every expected
            member.

        Raises:
            ValueError: It is not JSON.
        """
        try:
            rows = self._validator.validate_json(body)
        except ValidationError:
            return from_json(body)
        return from_json(body) if _odd(self._model, rows) else PickedRows(rows, body)

    def __call__(self, data: Any) -> LazyList[M]:
        """Read what was decoded, in whole or by :meth:`pick`."""
        rows: list[Any] = [] if data is None else data if is_array(data) else [data]
        return LazyList(self._model, rows)
