"""Colours of a terminal, where there is one that wants them."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Final

__all__ = ["STATES", "may_colour", "painted"]

_CODES: Final = {"green": 32, "yellow": 33, "red": 31}

STATES: Final[Mapping[str, str]] = {
    "open": "green",
    "connecting": "yellow",
    "close": "red",
    "refused": "red",
    "queued": "yellow",
    "sending": "yellow",
    "sent": "green",
    "server": "green",
    "delivered": "green",
    "read": "green",
    "failed": "red",
    "unknown": "red",
}
"""Colours of the states of instances and of messages."""


def may_colour() -> bool:
    """Tell if stdout is a terminal that understands escape sequences, and NO_COLOR is not set."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return sys.stdout.isatty()


def painted(words: str, colour: str | None) -> str:
    """Return words in a colour.

    Args:
        words: The words.
        colour: ``green``, ``yellow`` or ``red``; None leaves them as they are.
    """
    return words if colour is None else f"\x1b[{_CODES[colour]}m{words}\x1b[0m"
