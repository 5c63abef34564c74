"""Narrowing decoded JSON without casts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard


def is_object(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Tell if the value is a JSON object."""
    # Asked first: the question to an ABC costs ten times as much.
    kind = type(value)
    return kind is dict or (kind is not str and isinstance(value, Mapping))


def is_array(value: object) -> TypeGuard[list[Any]]:
    """Tell if the value is a JSON array."""
    return isinstance(value, list)
