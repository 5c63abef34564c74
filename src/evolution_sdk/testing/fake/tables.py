"""Rows of database tables: defaults, and the values that the database refuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from .errors import database_error
from .js import UNDEFINED, JsonObject, get, iso
from .state import Instance, ServerState

_INT4 = 2**31


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        kind: Its type; ``json`` holds anything but null, which Prisma refuses there.
        default: Value of a new row when nothing is given.
        longest: Most characters that fit (text).
        required: Whether null is refused, and a new row without a value as well.
    """

    kind: Literal["text", "int", "bool", "json"]
    default: Any = None
    longest: int | None = None
    required: bool = False

    def refusal(self, value: Any) -> str | None:
        """Return the reason why the database refuses a value; None when it takes it."""
        if value is None:
            return "must not be null" if self.required or self.kind == "json" else None
        match self.kind:
            case "text" if not isinstance(value, str):
                return "expected a string"
            case "text" if self.longest is not None and len(value) > self.longest:
                return "the provided value is too long for the column's type"
            case "bool" if not isinstance(value, bool):
                return "expected a boolean"
            case "int" if not _is_int4(value):
                return "expected an integer of 32 bits"
            case _:
                return None


Columns: TypeAlias = Mapping[str, Column]


def _is_int4(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    # INTEGER of PostgreSQL has 32 bits; Prisma refuses what does not fit before it asks.
    return float(value).is_integer() and -_INT4 <= value < _INT4


def text(longest: int | None = None, *, required: bool = False) -> Column:
    """Declare a text column."""
    return Column("text", longest=longest, required=required)


def _checked(columns: Columns, values: JsonObject, call: str) -> JsonObject:
    # Undefined means "not given" to Prisma; members without a column are dropped in silence.
    given = {name: values[name] for name in columns if get(values, name) is not UNDEFINED}
    for name, value in given.items():
        why = columns[name].refusal(value)
        if why is not None:
            raise database_error(call, f"Argument `{name}`: Invalid value provided: {why}.")
    return given


def insert(
    server: ServerState, owner: Instance, columns: Columns, values: JsonObject, call: str
) -> JsonObject:
    """Make a new row.

    Args:
        server: Source of ids and time.
        owner: The instance it belongs to.
        columns: The table.
        values: The given values; undefined members and those without a column do not count.
        call: The Prisma call, for the text of an error.

    Raises:
        Thrown: A value does not fit, or a required one is missing.
    """
    given = _checked(columns, values, call)
    # Values are looked at before missing ones, as Prisma does.
    for name, column in columns.items():
        if column.required and column.default is None and name not in given:
            raise database_error(call, f"Argument `{name}` is missing.")
    now = iso(server.now_ms())
    return {
        "id": server.ids.row(),
        **{name: given.get(name, column.default) for name, column in columns.items()},
        "createdAt": now,
        "updatedAt": now,
        "instanceId": owner.id,
    }


def change(
    server: ServerState, columns: Columns, row: JsonObject, values: JsonObject, call: str
) -> None:
    """Change a row in place; undefined members keep their value.

    Raises:
        Thrown: A value does not fit; the row is untouched then.
    """
    row.update(_checked(columns, values, call), updatedAt=iso(server.now_ms()))


def upsert(
    server: ServerState,
    owner: Instance,
    table: str,
    columns: Columns,
    values: JsonObject,
    call: str,
) -> JsonObject:
    """Write the one row that an instance has in a table, and return a copy of it.

    Raises:
        Thrown: A value does not fit, or the row is new and a required one is missing.
    """
    row = owner.relations.get(table)
    if row is None:
        row = owner.relations[table] = insert(server, owner, columns, values, call)
    else:
        change(server, columns, row, values, call)
    # A copy, because answers are changed on their way and the row must not be.
    return dict(row)
