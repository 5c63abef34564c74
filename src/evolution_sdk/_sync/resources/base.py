# Generated from src/evolution_sdk/_async/resources/base.py by tools/generate_sync.py. Edit that file instead.
"""What every family of methods shares."""

from __future__ import annotations

from evolution_sdk._sync.caller import Caller, Target


class ResourceApi:
    """A family of methods, bound to a client and to one instance (or to none)."""

    __slots__ = ("_caller", "_target")

    def __init__(self, caller: Caller, target: Target) -> None:
        self._caller = caller
        self._target = target

    def __repr__(self) -> str:
        return f"{type(self).__name__}(instance={self._target.instance!r})"
