"""The end of a program in which something still waits for a file."""

from __future__ import annotations

import atexit
import os
from typing import Protocol
from weakref import WeakKeyDictionary


class Closable(Protocol):
    """Something that writes later."""

    @property
    def waiting(self) -> int:
        """Count what is not written yet."""
        ...

    def close(self) -> object:
        """Write what waits; tells what cannot be written."""
        ...


_processes: WeakKeyDictionary[Closable, int] = WeakKeyDictionary()


def close_at_exit(file: Closable) -> None:
    """Have something closed at the end of the program, if anything still waits then.

    Args:
        file: What is to be closed; it is not kept alive.
    """
    _processes[file] = os.getpid()


@atexit.register
def _close_all() -> None:
    for file, process in list(_processes.items()):
        # What waited at a fork is the parent's to write.
        if file.waiting and process == os.getpid():
            file.close()
