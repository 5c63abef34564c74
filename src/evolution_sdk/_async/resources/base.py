"""What every family of methods shares."""

from __future__ import annotations

from evolution_sdk._async.caller import Caller, Target


class AsyncResourceApi:
    """A family of methods, bound to a client and to one instance (or to none)."""

    __slots__ = ("_caller", "_target")

    def __init__(self, caller: Caller, target: Target) -> None:
        self._caller = caller
        self._target = target

    def __repr__(self) -> str:
        return f"{type(self).__name__}(instance={self._target.instance!r})"
