"""What this process uses."""

from __future__ import annotations

from typing import Protocol

import psutil

from evolution_sdk._core.forking import in_child

__all__ = ["ProcessSource", "PsutilProcess"]


class ProcessSource(Protocol):
    """Where memory and CPU use come from."""

    def memory_bytes(self) -> int:
        """Resident memory, in bytes."""
        ...

    def cpu_percent(self) -> float:
        """CPU use since the last question; 100 is one full core."""
        ...


class PsutilProcess:
    """The real process."""

    def __init__(self) -> None:
        self._known: psutil.Process | None = None
        self._begun()
        in_child(self._forget)

    def _begun(self) -> psutil.Process:
        if self._known is None:
            self._known = psutil.Process()
            self._known.cpu_percent()  # the first answer is always 0: it begins the measurement
        return self._known

    def _forget(self) -> None:
        self._known = None  # it is the parent

    def memory_bytes(self) -> int:
        """Resident memory, in bytes."""
        return int(self._begun().memory_info().rss)

    def cpu_percent(self) -> float:
        """CPU use since the last question; 100 is one full core."""
        return float(self._begun().cpu_percent())
