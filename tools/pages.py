"""Write pages of docs/ that are made from the code, or check that they are current."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import get_args

from docs_languages import DOCS
from page_words import Language, Words, words_of

BEGIN, END = "<!-- generated: {} -->", "<!-- end -->"


def between_marks(text: str, name: str, lines: Iterable[str], page: str) -> str:
    """Put lines between the marks of a page.

    Args:
        text: The page.
        name: Name in the first mark.
        lines: The lines.
        page: Path of the page, for the error.

    Raises:
        SystemExit: The page has no such marks.
    """
    before, mark, rest = text.partition(BEGIN.format(name))
    _, end, after = rest.partition(END)
    if not mark or not end:
        raise SystemExit(f"{page} has no place for the table of {name}")
    return f"{before}{mark}\n" + "\n".join(lines) + f"\n{end}{after}"


def settle(page: Path, made: str, summary: str) -> int:
    """Write a page, or with ``--check`` compare it; return the exit code.

    Args:
        page: Path of the page.
        made: Its text as it should be.
        summary: Words to print when it was written.
    """
    if "--check" in sys.argv[1:]:
        current = page.exists() and page.read_text("utf-8") == made
        state = "is up to date" if current else "differs: run make sync"
        print(f"{page.relative_to(DOCS)} {state}")
        return 0 if current else 1
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(made, "utf-8")
    print(summary)
    return 0


def settle_each(name: str, make: Callable[[str, Words], str], summary: str) -> int:
    """Write a page of both languages, or with ``--check`` compare them; return the exit code.

    Args:
        name: The page within its language's folder.
        make: From its text of now (empty where there is none) and the language's words to the text
            as it should be.
        summary: Words to print when it was written.
    """
    codes: list[int] = []
    for language in get_args(Language):
        page = DOCS / language / name
        text = page.read_text("utf-8") if page.exists() else ""
        codes.append(settle(page, make(text, words_of(language)), f"{language}: {summary}"))
    return max(codes)
