"""Functions that turn decoded JSON into the result of an operation; none of them raises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from evolution_sdk._base.json_types import is_array

from .base import Model
from .wire import decode_bytes

M = TypeVar("M", bound=Model)


def list_of(model: type[M]) -> Callable[[Any], list[M]]:
    """Read a JSON array of objects; anything else becomes one item with ``drift``."""

    def read(data: Any) -> list[M]:
        if data is None:
            return []
        return [model.from_wire(item) for item in (data if is_array(data) else [data])]

    return read


def optional(model: type[M]) -> Callable[[Any], M | None]:
    """Make a reader of an object, or None if the server answers ``null`` (envelope I)."""

    def read(data: Any) -> M | None:
        return None if data is None else model.from_wire(data)

    return read


def text(data: Any) -> str:
    """Read a body that is text."""
    return data if isinstance(data, str) else str(data)


def text_or_none(data: Any) -> str | None:
    """Read a body that is text, or None if it is empty or not text."""
    return data if isinstance(data, str) and data else None


def yes(data: Any) -> bool:
    """Read a body that is ``true`` or ``false``."""
    return data is True


def content(data: Any) -> bytes:
    """Read bytes in any of the server's forms; empty if the body is none of them."""
    return decode_bytes(data) or b""


def anything(data: Any) -> Any:
    """Return a body of unknown shape unchanged."""
    return data
