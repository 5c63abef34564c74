"""Memory and CPU use of this process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

import psutil

from evolution_sdk._base.forking import in_child
from evolution_sdk.config._monitoring import Thresholds

__all__ = ["ProcessSource", "PsutilProcess", "container_memory", "with_memory_limit"]

_LIMITS: Final = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
# Control groups of version 1 write such a number for no limit.
_UNLIMITED: Final = 2**60


class ProcessSource(Protocol):
    """Source of memory and CPU use."""

    def memory_bytes(self) -> int:
        """Return the resident memory, in bytes."""
        ...

    def cpu_percent(self) -> float:
        """Return the CPU use since the last question; 100 is one full core."""
        ...


class PsutilProcess:
    """Reads this process by ``psutil``."""

    def __init__(self) -> None:
        self._known: psutil.Process | None = None
        self._begun()
        in_child(self._forget)

    def _begun(self) -> psutil.Process:
        if self._known is None:
            self._known = psutil.Process()
            # The first answer is always 0: it begins the measurement.
            self._known.cpu_percent()
        return self._known

    def _forget(self) -> None:
        # After a fork, the known process is the parent.
        self._known = None

    def memory_bytes(self) -> int:
        """Return the resident memory, in bytes."""
        return int(self._begun().memory_info().rss)

    def cpu_percent(self) -> float:
        """Return the CPU use since the last question; 100 is one full core."""
        return float(self._begun().cpu_percent())


def container_memory(files: Sequence[Path] = _LIMITS) -> int | None:
    """Read the memory limit of this container.

    Args:
        files: Files in which control groups tell it; the first that can be read counts.

    Returns:
        The limit in bytes; None without a limit or a container.
    """
    for file in files:
        try:
            limit = int(file.read_text())
        except (OSError, ValueError):  # not there, or "max"
            continue
        return limit if 0 < limit < _UNLIMITED else None
    return None


def with_memory_limit(limits: Thresholds, files: Sequence[Path] = _LIMITS) -> Thresholds:
    """Fill in the container's memory limit where none is given.

    Args:
        limits: The thresholds as given.
        files: Files in which control groups tell it.

    Returns:
        The thresholds with a memory limit, where there is one.
    """
    known = None if limits.memory_limit_bytes is not None else container_memory(files)
    return limits if known is None else limits.replace(memory_limit_bytes=known)
