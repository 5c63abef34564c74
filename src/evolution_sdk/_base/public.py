"""Public names show the public package they belong to, in tracebacks, reprs and pickles."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import FunctionType
from typing import Any, is_typeddict

__all__ = ["publish", "published"]

_OURS = __name__.partition(".")[0]


def published(package: str, value: Any) -> Any:
    """Say of a class or function that it belongs to a public package.

    Args:
        package: Full name of the package that exports it.
        value: The public object; anything but our own classes and functions stays as it is.

    Returns:
        The same object.
    """
    if (
        isinstance(value, type | FunctionType)
        and value.__module__.startswith(_OURS)
        # The annotations of keyword arguments are resolved by the module of their dictionary.
        and not is_typeddict(value)
    ):
        value.__module__ = package
    return value


def publish(package: str, names: Iterable[str]) -> None:
    """Do the same for all names of a package that are loaded already.

    Args:
        package: Full name of the package.
        names: Its public names.
    """
    for name in names:
        published(package, vars(sys.modules[package]).get(name))
