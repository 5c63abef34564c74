"""Rebuilding an error from its pickle."""

from __future__ import annotations

from typing import Any


def restore(cls: type[BaseException], args: tuple[Any, ...], state: dict[str, Any]) -> Any:
    """Rebuild an error without its constructor, so that any signature pickles.

    Args:
        cls: Its class.
        args: What it was raised with.
        state: Its attributes.

    Returns:
        The error.
    """
    error = cls.__new__(cls)
    error.args = args
    error.__dict__.update(state)
    return error
