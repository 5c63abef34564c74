"""The JavaScript semantics that show through in the server's answers."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final, TypeAlias, TypeGuard

JsonObject: TypeAlias = dict[str, Any]


class Undefined(Enum):
    """JavaScript's ``undefined``: a key with this value is absent from JSON, unlike null."""

    UNDEFINED = "undefined"


UNDEFINED: Final = Undefined.UNDEFINED


class NodeBuffer(bytes):
    """Bytes that Node holds in a Buffer: in answers ``{"type":"Buffer","data":[…]}``."""


def truthy(value: object) -> bool:
    """Decide like JavaScript's ``if (value)``: empty lists and objects count as true."""
    if value is UNDEFINED or value is None or value is False:
        return False
    # Zero and NaN are false; the comparison of numbers comes first, because 0 != "" below.
    if isinstance(value, (int, float)):
        return not (value == 0 or math.isnan(value))
    return value != ""


def defined(**values: Any) -> JsonObject:
    """Build an object without its undefined members."""
    return {name: value for name, value in values.items() if value is not UNDEFINED}


def _is_object(value: object) -> TypeGuard[JsonObject]:
    return isinstance(value, dict)


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def as_object(value: object) -> JsonObject | None:
    """Return the value if it is a JSON object, else None."""
    return value if _is_object(value) else None


def as_list(value: object) -> list[Any] | None:
    """Return the value if it is a JSON list, else None."""
    return value if _is_list(value) else None


def collect(target: JsonObject, name: str, value: Any) -> None:
    """Set a form field; a name that comes again makes a list, as in Express."""
    if name not in target:
        target[name] = value
        return
    earlier = as_list(target[name])
    target[name] = [target[name], value] if earlier is None else [*earlier, value]


def get(value: object, *path: str) -> Any:
    """Read ``value?.a?.b``; undefined where anything on the way is missing."""
    for name in path:
        members = as_object(value)
        if members is None or name not in members:
            return UNDEFINED
        value = members[name]
    return value


def or_undefined(value: Any) -> Any:
    """Turn None, our "not given", into undefined."""
    return UNDEFINED if value is None else value


def _number(value: float) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def to_answer(value: Any) -> Any:
    """Prepare a value for ``JSON.stringify``: typed arrays become objects with index keys."""
    members, items = as_object(value), as_list(value)
    if members is not None:
        return {k: to_answer(v) for k, v in members.items() if v is not UNDEFINED}
    if items is not None:
        return [to_answer(item) for item in items]
    # A Buffer has a toJSON of its own; a plain typed array has none, and shows its indexes.
    if isinstance(value, NodeBuffer):
        return {"type": "Buffer", "data": list(value)}
    if isinstance(value, bytes):
        return {str(i): byte for i, byte in enumerate(value)}
    if isinstance(value, float):
        # JSON has neither NaN nor infinity: JSON.stringify writes null. It writes 1.0 as 1, too.
        return None if math.isnan(value) or math.isinf(value) else _number(value)
    return value


def iso(ms: float) -> str:
    """Format a time in milliseconds the way ``toISOString`` does."""
    moment = datetime.fromtimestamp(ms / 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{int(ms) % 1000:03d}Z"


def parse_date_ms(value: object) -> float:
    """Read what ``new Date(value)`` reads; NaN for an invalid date."""
    if isinstance(value, bool) or value is None:
        return float(bool(value))
    if isinstance(value, (int, float)):
        return float(value)
    if not isinstance(value, str):
        return math.nan
    # `new Date` also takes a month or a year alone.
    for text in (value, f"{value}-01", f"{value}-01-01"):
        try:
            moment = datetime.fromisoformat(text.strip())
        except ValueError:
            continue
        # A time without a zone is read as UTC, the zone of this server.
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000
    return math.nan


def to_number(value: object) -> float:
    """Coerce like unary plus."""
    if value is UNDEFINED:
        return math.nan
    # Unary plus turns null and the empty string into 0, but undefined into NaN.
    if value is None or value == "":
        return 0.0
    try:
        return float(value)  # type: ignore[arg-type] # anything else raises below
    except (TypeError, ValueError):
        return math.nan
