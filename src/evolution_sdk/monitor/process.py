"""What this process uses."""

from __future__ import annotations

from typing import Protocol

import psutil

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
        self._process = psutil.Process()
        self._process.cpu_percent()  # the first answer is always 0: it begins the measurement

    def memory_bytes(self) -> int:
        """Resident memory, in bytes."""
        return int(self._process.memory_info().rss)

    def cpu_percent(self) -> float:
        """CPU use since the last question; 100 is one full core."""
        return float(self._process.cpu_percent())
