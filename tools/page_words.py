"""Portuguese words of the tables that are made from the code.

The English words stand where the facts are declared; each needs its line in tools/page_words.json.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal, TypeAlias

Language: TypeAlias = Literal["en", "pt"]
Words: TypeAlias = Callable[[str], str]

# {words of the code: words of a Portuguese page}
_PORTUGUESE: Final[dict[str, str]] = json.loads(
    Path(__file__).with_suffix(".json").read_text("utf-8")
)


def words_of(language: Language) -> Words:
    """What turns English words of the code into those of a page.

    Args:
        language: Of the page.

    Returns:
        A function from words to words. It raises SystemExit, with the place to mend, for words that
        have no Portuguese yet.
    """

    def portuguese(words: str) -> str:
        try:
            return _PORTUGUESE[words]
        except KeyError:
            raise SystemExit(f"tools/page_words.json has no Portuguese for: {words!r}") from None

    return portuguese if language == "pt" else str
