"""Readers of decoded JSON; none of them raises."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypeVar

from evolution_sdk._base.json_types import is_array, is_object
from evolution_sdk.identity import Jid
from evolution_sdk.identity.lids import jid_or_none
from evolution_sdk.models.base import Model
from evolution_sdk.models.wire import decode_long

M = TypeVar("M", bound=Model)
NOTHING: Mapping[str, object] = {}


def one_or_many(model: type[M], data: object) -> M | tuple[M, ...] | None:
    """Read an object as a model, an array as a tuple of them, null as None."""
    if data is None:
        return None
    return many(model, data) if is_array(data) else model.from_wire(data)


def many(model: type[M], data: object) -> tuple[M, ...]:
    """Read an object, an array or null as a tuple of models."""
    if data is None:
        return ()
    if not is_array(data):
        return (model.from_wire(data),)
    # A list first: a generator costs more than most of its items.
    return tuple([model.from_wire(item) for item in data])


def jids(values: object) -> tuple[Jid, ...]:
    """Read a list of JIDs; items that are none are left out."""
    found = map(jid_or_none, values) if is_array(values) else ()
    return tuple(jid for jid in found if jid is not None)


def text_at(data: Mapping[str, object], *names: str) -> str | None:
    """Return the first of these fields that is text."""
    for name in names:
        value = data.get(name)
        if isinstance(value, str):
            return value
    return None


def object_at(data: Mapping[str, object], name: str) -> Mapping[str, object]:
    """Return a field that is an object; an empty one when it is not."""
    value = data.get(name)
    return value if is_object(value) else NOTHING


def float_at(data: Mapping[str, object], name: str) -> float | None:
    """Return a field that is a number."""
    value = data.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        # JSON knows integers of any length; a float ends at 1e308.
        return float(value)
    except OverflowError:
        return None


def time_at(data: Mapping[str, object], name: str, *, per_second: int = 1) -> datetime | None:
    """Return a field that is a unix time, in seconds or in parts of them."""
    told = decode_long(data.get(name))
    if told is None or told <= 0:
        return None
    try:
        return datetime.fromtimestamp(told / per_second, tz=UTC)
    except (OverflowError, OSError, ValueError):
        return None
