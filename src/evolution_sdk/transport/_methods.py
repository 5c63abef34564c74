"""Detection of replaced methods, as mocks and instrumentations replace them."""

from __future__ import annotations

from operator import attrgetter
from types import FunctionType
from typing import Any

__all__ = ["Methods"]


class Methods:
    """Methods of a class, watched for replacements.

    Args:
        kind: The class.
        names: The methods; names that this version of the library lacks are left out.
        library: Its top-level package.
    """

    __slots__ = ("_get", "_kind", "_library", "_original")

    def __init__(self, kind: type, names: tuple[str, ...], library: str) -> None:
        self._kind = kind
        self._library = library
        known = (name for name in names if hasattr(kind, name))
        self._get = attrgetter(*known, "__class__")  # of two names or more it makes a tuple
        self._original: tuple[Any, ...] | None = None

    def replaced(self) -> bool:
        """Return True if one of the methods is not the library's own."""
        now = self._get(self._kind)
        if now != self._original:  # the first look, or one after a change
            if not all(_is_of(method, self._library) for method in now[:-1]):
                return True
            self._original = now
        return False

    def is_replaced(self, name: str) -> bool:
        """Return True if this method is not the library's own."""
        return not _is_of(getattr(self._kind, name, None), self._library)


def _is_of(method: Any, library: str) -> bool:
    """Return True if a method is a plain function defined in a module of the library."""
    return (
        type(method) is FunctionType
        and str(method.__globals__.get("__name__")).partition(".")[0] == library
        and "__wrapped__" not in vars(method)
    )
