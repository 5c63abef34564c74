"""Files that only their owner may read."""

from __future__ import annotations

import os
import threading
from pathlib import Path

__all__ = ["write_private"]


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
