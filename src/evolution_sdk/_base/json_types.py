"""Narrowing decoded JSON without casts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard


def is_object(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Tell if the value is a JSON object."""
    # Nearly all are dicts, and the check of an abstract class costs several times as much.
    return type(value) is dict or isinstance(value, Mapping)


def is_array(value: object) -> TypeGuard[list[Any]]:
    """Tell if the value is a JSON array."""
    return isinstance(value, list)
