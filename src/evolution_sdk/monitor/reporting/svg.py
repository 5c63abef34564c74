"""Small plots as SVG, for mail: no script, no style sheet, nothing loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

__all__ = ["area", "bars", "strip"]

WIDTH: Final = 640
_COLOURS: Final = {
    "healthy": "#3fa873",
    "degraded": "#e0a100",
    "unhealthy": "#d0443b",
    "unknown": "#a9b0ac",
}
_LINES: Final = ("#0f6b5c", "#b06000")
_GRID: Final = "#dcdfda"
_BRIDGED: Final = 2
Values = Sequence[float | None]


def _svg(height: int, title: str, inside: str) -> str:
    words = escape(title, quote=True)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="100%" '
        f'role="img" aria-label="{words}"><title>{words}</title>{inside}</svg>'
    )


def strip(runs: Sequence[tuple[float, float, str]], begin: float, end: float, title: str) -> str:
    """Draw the states of a time side by side.

    Args:
        runs: Begin, end and state of each run, in unix seconds.
        begin: Begin of the time.
        end: End of the time.
        title: What it shows, in words.
    """
    scale = WIDTH / max(end - begin, 1e-9)
    boxes = [f'<rect width="{WIDTH}" height="18" rx="4" fill="#eceeeb"/>']
    for first, last, state in runs:
        # A short outage must be seen.
        width = max((last - first) * scale, 1.5)
        x = min((first - begin) * scale, WIDTH - width)
        colour = _COLOURS.get(state, _COLOURS["unknown"])
        boxes.append(f'<rect x="{x:.1f}" width="{width:.1f}" height="18" fill="{colour}"/>')
    return _svg(18, title, "".join(boxes))


def area(lines: Sequence[Values], title: str) -> str:
    """Draw one or two lines, the first one filled, from zero to their highest value.

    Args:
        lines: The lines; None where nothing was measured.
        title: What it shows, in words.
    """
    height = 120
    known = [value for line in lines for value in line if value is not None]
    top = max(known, default=0.0) * 1.05 or 1.0
    grid = "".join(
        f'<line x1="0" x2="{WIDTH}" y1="{y}" y2="{y}" stroke="{_GRID}"/>'
        for y in (0.5, height / 2, height - 0.5)
    )
    drawn: list[str] = []
    for place, line in enumerate(lines[:2]):
        for piece in _pieces(line, top, height):
            points = " ".join(f"{x:.1f},{y:.1f}" for x, y in piece)
            if place == 0 and len(piece) > 1:
                ends = f"{piece[-1][0]:.1f},{height} {piece[0][0]:.1f},{height}"
                drawn.append(
                    f'<polygon points="{points} {ends}" fill="{_LINES[0]}" fill-opacity="0.13"/>'
                )
            drawn.append(
                f'<polyline points="{points}" fill="none" stroke="{_LINES[place]}" '
                'stroke-width="1.8"/>'
            )
    return _svg(height, title, grid + "".join(drawn))


def _pieces(line: Values, top: float, height: int) -> list[list[tuple[float, float]]]:
    step = WIDTH / max(len(line) - 1, 1)
    pieces: list[list[tuple[float, float]]] = [[]]
    silent = 0
    for place, value in enumerate(line):
        if value is None:
            silent += 1
            continue
        # Checks may be further apart than points; only a longer silence is a gap.
        if silent > _BRIDGED:
            pieces.append([])
        silent = 0
        pieces[-1].append((place * step, height - value / top * height))
    return [piece for piece in pieces if piece]


def bars(values: Sequence[tuple[str, float]], title: str) -> str:
    """Draw one bar for each value, against the largest.

    Args:
        values: Names and values.
        title: What it shows, in words.
    """
    top = max((value for _, value in values), default=0.0) or 1.0
    drawn: list[str] = []
    for place, (name, value) in enumerate(values):
        y = place * 24
        width = max(value / top * 420, 0.0)
        drawn.append(
            f'<text x="0" y="{y + 15}" font-size="13" font-family="sans-serif" fill="#1c211f">'
            f'{escape(name)}</text><rect x="130" y="{y + 2}" width="420" height="17" rx="3" '
            f'fill="#eceeeb"/><rect x="130" y="{y + 2}" width="{width:.1f}" height="17" rx="3" '
            f'fill="{_LINES[0]}"/><text x="560" y="{y + 15}" font-size="13" '
            f'font-family="sans-serif" fill="#1c211f">{value:g}</text>'
        )
    return _svg(max(24 * len(values), 1), title, "".join(drawn))
