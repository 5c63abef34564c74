"""Packages whose public names are loaded when they are first asked for.

Making a class of pydantic takes about a millisecond, and this package has some three hundred: a
program should pay for those that it uses.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from .public import published

__all__ = ["LazyModule", "homes_of", "load_name"]


def homes_of(names_by_module: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Turn "names by module" into the module of each name."""
    return {name: module for module, names in names_by_module.items() for name in names}


def load_name(package: str, homes: Mapping[str, str], name: str) -> Any:
    """Load one public name of a package, and keep it there.

    Args:
        package: Full name of the package.
        homes: Relative name of the module, such as ``.chat``, by public name.
        name: The name that is asked for.

    Raises:
        AttributeError: The package has no such name.
    """
    home = homes.get(name)
    if home is None:
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    value = published(package, getattr(import_module(home, package), name))
    setattr(sys.modules[package], name, value)
    return value


class LazyModule:
    """A module that is loaded when a name of it is first asked for.

    Args:
        name: Its full name.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        value = getattr(import_module(self._name), name)
        setattr(self, name, value)
        return value
