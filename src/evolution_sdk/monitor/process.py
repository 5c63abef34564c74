"""What this process uses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol

import psutil

from evolution_sdk._base.forking import in_child

from .thresholds import Thresholds

__all__ = ["ProcessSource", "PsutilProcess", "container_memory", "with_memory_limit"]

_LIMITS: Final = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
_UNLIMITED: Final = 2**60  # what cgroups of version 1 call no limit


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


def container_memory(files: Sequence[Path] = _LIMITS) -> int | None:
    """The memory that this container may use, in bytes; None without a limit or a container.

    Args:
        files: Where control groups tell it, the first that can be read counts.
    """
    for file in files:
        try:
            limit = int(file.read_text())
        except (OSError, ValueError):  # not there, or "max"
            continue
        return limit if 0 < limit < _UNLIMITED else None
    return None


def with_memory_limit(limits: Thresholds, files: Sequence[Path] = _LIMITS) -> Thresholds:
    """The thresholds, with the container's memory limit where none is given.

    Args:
        limits: The thresholds as given.
        files: Where control groups tell it.
    """
    known = None if limits.memory_limit_bytes is not None else container_memory(files)
    return limits if known is None else replace(limits, memory_limit_bytes=known)
