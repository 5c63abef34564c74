"""Files that only their owner may read."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path

from .forking import free_in_child

__all__ = ["make_private", "write_private"]

_MAKING = free_in_child(threading.Lock())


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read; after a crash the former one is still complete.

    Args:
        path: The file; one that is there is replaced.
        content: Its bytes.

    Raises:
        OSError: It cannot be written.
    """
    # Written beside the old file and renamed: the file is the old one or the new one, whole.
    made = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    try:
        # Created with these rights, not changed afterwards: it is never readable by others.
        handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        made.replace(path)
    finally:
        made.unlink(missing_ok=True)


def make_private(path: str | Path) -> None:
    """Make an empty file for its owner alone, unless it is there.

    Made with these rights, not changed afterwards; SQLite gives its WAL the same ones. A file that
    is there is not even opened: to close it would free all locks that this process has on it (so
    POSIX wants it), also those of other connections, whose commits others would then overwrite.

    Args:
        path: The file; ``:memory:``, SQLite's word for none, is left alone.

    Raises:
        OSError: It cannot be made.
    """
    if str(path) == ":memory:":
        return
    # One at a time: whoever finds the file made connects after it was closed.
    with _MAKING, suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
