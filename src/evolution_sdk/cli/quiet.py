"""Keeping logs off the screen where a command tells the same in its own words."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Generator

__all__ = ["quiet_logs"]


@contextlib.contextmanager
def quiet_logs() -> Generator[None]:
    """Keep warnings of libraries and of the SDK from being printed, unless somebody set up logs."""
    # Python prints warnings by itself only where no handler is found at all.
    handler = logging.NullHandler()
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
