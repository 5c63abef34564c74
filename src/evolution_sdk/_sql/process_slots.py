"""Locks of processes that share a file: the system frees a lock when its process ends, however."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from evolution_sdk._base.forking import abandon, in_child

from .private_connect import connect_private
from .write_ahead import is_busy

__all__ = ["ProcessSlots", "SlotsTakenError"]

_MOST = 256


class SlotsTakenError(Exception):
    """More processes share the file than there are slots."""


class ProcessSlots:
    """Slots beside a file; a process that works on it holds one of them.

    Args:
        path: The file; the lock of slot 3 is ``<path>.slot3`` beside it.
        most: Number of slots.
    """

    def __init__(self, path: str | Path, *, most: int = _MOST) -> None:
        self._path = str(path)
        self._most = most
        self._lock: sqlite3.Connection | None = None
        self.held: int | None = None
        in_child(self._begin_anew)

    def take(self) -> int:
        """Hold the first free slot, until :meth:`give` or the end of the process.

        Raises:
            SlotsTakenError: None is free.
            sqlite3.Error: A lock file cannot be made.
        """
        for slot in range(self._most):
            lock = self._hold(slot)
            if lock is not None:
                self._lock, self.held = lock, slot
                return slot
        raise SlotsTakenError(f"more than {self._most} processes share {self._path}")

    def is_free(self, slot: int) -> bool:
        """Tell if nobody holds a slot: its process has ended.

        Args:
            slot: The slot.
        """
        if slot == self.held:
            return False
        lock = self._hold(slot)
        if lock is None:
            return False
        lock.close()
        return True

    def give(self) -> None:
        """Let the slot go."""
        lock, self._lock, self.held = self._lock, None, None
        if lock is not None:
            lock.close()

    def _hold(self, slot: int) -> sqlite3.Connection | None:
        lock = connect_private(
            f"{self._path}.slot{slot}", isolation_level=None, check_same_thread=False, timeout=0
        )
        # A transaction that is never ended: the system frees its lock when the process dies.
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            lock.close()
            if is_busy(error):
                return None
            raise
        return lock

    def _begin_anew(self) -> None:
        """Leave the slot to the parent."""
        abandon(self._lock)
        self._lock = self.held = None
