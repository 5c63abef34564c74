"""Output of a command: text for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from .colour import may_colour, painted

__all__ = ["age_words", "print_json", "print_table", "print_text", "printable", "time_words"]


def printable(words: str) -> str:
    """Replace control characters: words may come from elsewhere, and must not steer a terminal.

    Args:
        words: The words.

    Returns:
        One line.
    """
    one_line = " ".join(words.splitlines())
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in one_line)


def print_text(*lines: str) -> None:
    """Print lines for people, at once.

    Args:
        *lines: The lines.
    """
    for line in lines:
        sys.stdout.write(f"{printable(line)}\n")
    sys.stdout.flush()


def print_json(value: Any) -> None:
    """Print one JSON value in one line, at once.

    Args:
        value: What :mod:`json` can write.
    """
    sys.stdout.write(f"{json.dumps(value)}\n")
    sys.stdout.flush()


def print_table(
    titles: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    colours: Mapping[str, str] | None = None,
) -> None:
    """Print a table with aligned columns; the last one is as long as it likes.

    Args:
        titles: Titles of the columns.
        rows: The rows.
        colours: Colours of cells by their text, for a terminal. Default: none.
    """
    shown = [[printable(cell) for cell in row] for row in (titles, *rows)]
    widths = [max(len(row[place]) for row in shown) for place in range(len(titles))]
    used = colours if colours and may_colour() else {}
    for row in shown:
        padded = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        padded[-1] = row[-1]
        cells = (painted(each, used.get(each.rstrip())) for each in padded)
        sys.stdout.write(f"{'  '.join(cells).rstrip()}\n")
    sys.stdout.flush()


def age_words(seconds: float) -> str:
    """Write a length of time shortly: ``45 s``, ``3 min``, ``2 h``, ``5 d``.

    Args:
        seconds: The time.
    """
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def time_words(at: datetime) -> str:
    """Write a time to the second, in UTC.

    Args:
        at: An aware time.
    """
    return f"{at:%Y-%m-%d %H:%M:%S} {at.tzname() or 'UTC'}"
