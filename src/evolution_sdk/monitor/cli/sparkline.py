"""A row of bars, one per value, in plain text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

__all__ = ["sparkline"]

_BARS: Final = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float | None], width: int, *, least_top: float = 0.0) -> str:
    """Draw the last values, from zero to the highest of them.

    Args:
        values: The oldest first; None leaves a gap.
        width: Most characters.
        least_top: The top of the scale is at least this, so that noise stays small.

    Returns:
        At most ``width`` characters, one per value.
    """
    shown = list(values)[-width:] if width > 0 else list[float | None]()
    top = max((v for v in shown if v is not None), default=0.0)
    return "".join(" " if v is None else _bar(v, max(top, least_top)) for v in shown)


def _bar(value: float, top: float) -> str:
    share = max(0.0, value) / top if top > 0 else 0.0
    return _BARS[min(len(_BARS) - 1, int(share * len(_BARS)))]
