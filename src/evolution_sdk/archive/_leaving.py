"""What becomes of rows that wait when the program ends."""

from __future__ import annotations

import atexit
import os
from typing import Protocol
from weakref import WeakKeyDictionary


class Closable(Protocol):
    """An archive."""

    @property
    def waiting(self) -> int:
        """Rows that are not in the file yet."""
        ...

    def close(self) -> int:
        """Write what waits; tells what cannot be written."""
        ...


_processes: WeakKeyDictionary[Closable, int] = WeakKeyDictionary()


def close_at_exit(archive: Closable) -> None:
    """Have an archive closed at the end of the program, if rows of it still wait then.

    Args:
        archive: The archive; it is not kept alive.
    """
    _processes[archive] = os.getpid()


@atexit.register
def _close_all() -> None:
    for archive, process in list(_processes.items()):
        # What waited at a fork is the parent's to write.
        if archive.waiting and process == os.getpid():
            archive.close()
