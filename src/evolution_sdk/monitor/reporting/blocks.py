"""Parts of a report, and their forms as Markdown and HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final, TypeAlias

__all__ = ["Block", "Heading", "Plot", "Table", "Text", "as_html", "as_markdown", "sparkline"]

_TICKS: Final = "▁▂▃▄▅▆▇█"
_WIDTH: Final = 60
_BODY: Final = (
    "font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;color:#1c211f;"
    "background:#ffffff;max-width:680px;margin:0 auto;padding:16px"
)
_CELL: Final = (
    "text-align:left;vertical-align:top;padding:5px 12px 5px 0;border-bottom:1px solid #dcdfda"
)
_COLOURS: Final = {
    "healthy": "#136c3d",
    "degraded": "#8a5a00",
    "unhealthy": "#b3261e",
    "unknown": "#5a625e",
}


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading.

    Attributes:
        words: Its text.
        level: 1 for the title.
    """

    words: str
    level: int = 2


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph.

    Attributes:
        words: Its text.
        status: The state of health it tells of, for its colour.
    """

    words: str
    status: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes:
        titles: Titles of the columns.
        rows: The cells of each row.
    """

    titles: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot: a picture in HTML, a line of text in Markdown.

    Attributes:
        words: What it shows.
        svg: The picture.
        text: The same in characters.
    """

    words: str
    svg: str
    text: str


Block: TypeAlias = Heading | Text | Table | Plot


def sparkline(values: Sequence[float | None]) -> str:
    """Draw a line with characters; a space where nothing was measured.

    Args:
        values: The values.
    """
    step = max(1, -(-len(values) // _WIDTH))
    parts = [
        [value for value in values[place : place + step] if value is not None]
        for place in range(0, len(values), step)
    ]
    means = [sum(part) / len(part) if part else None for part in parts]
    top = max((mean for mean in means if mean is not None), default=0.0) or 1.0
    return "".join(
        " " if mean is None else _TICKS[min(7, round(max(mean, 0.0) / top * 7))] for mean in means
    )


def as_markdown(blocks: Sequence[Block]) -> str:
    """Write a report as Markdown.

    Args:
        blocks: Its parts.
    """
    return "\n\n".join(map(_markdown, blocks)) + "\n"


def _markdown(block: Block) -> str:
    match block:
        case Heading():
            return f"{'#' * block.level} {_plain(block.words)}"
        case Text():
            return f"**{_plain(block.words)}**" if block.status else _plain(block.words)
        case Plot():
            return f"{_plain(block.words)}\n\n```\n{block.text}\n```"
        case Table():
            lines = [block.titles, ["---"] * len(block.titles), *block.rows]
            return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _plain(words: str) -> str:
    # Words of a server must not become a link, an image or a heading of the report.
    return "".join(f"\\{each}" if each in "\\`*_[]<>" else each for each in " ".join(words.split()))


def _cell(words: str) -> str:
    return words if words == "---" else _plain(words).replace("|", "\\|")


def as_html(blocks: Sequence[Block], language: str) -> str:
    """Write a report as a page of HTML that mail readers show, too.

    Args:
        blocks: Its parts; the first one is the title.
        language: Its language, as HTML names it.
    """
    title = next((escape(each.words) for each in blocks if isinstance(each, Heading)), "")
    inside = "\n".join(map(_html, blocks))
    return (
        f'<!doctype html>\n<html lang="{escape(language, quote=True)}">\n<head>\n'
        '<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">\n'
        f"<title>{title}</title>\n</head>\n"
        f'<body style="{_BODY}">\n{inside}\n</body>\n</html>\n'
    )


def _html(block: Block) -> str:
    match block:
        case Heading():
            size = "22px" if block.level == 1 else "17px"
            return (
                f'<h{block.level} style="font-size:{size};margin:22px 0 8px">'
                f"{escape(block.words)}</h{block.level}>"
            )
        case Text():
            colour = _COLOURS.get(block.status)
            style = f"font-size:18px;font-weight:600;color:{colour};" if colour else ""
            return f'<p style="{style}margin:6px 0">{escape(block.words)}</p>'
        case Plot():
            words = f'<p style="margin:10px 0 4px;color:#5a625e">{escape(block.words)}</p>'
            return f"{words}\n{block.svg}"
        case Table():
            heads = "".join(
                f'<th style="{_CELL};color:#5a625e;font-size:13px">{escape(each)}</th>'
                for each in block.titles
            )
            rows = "".join(
                "<tr>"
                + "".join(f'<td style="{_CELL}">{escape(each)}</td>' for each in row)
                + "</tr>"
                for row in block.rows
            )
            return (
                '<table style="width:100%;border-collapse:collapse;font-size:14px">'
                f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
            )
