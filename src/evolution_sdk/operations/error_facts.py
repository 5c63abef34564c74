"""Peculiarities of the error answers of one operation: data of its declaration."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

__all__ = ["USUAL_ERRORS", "ErrorFacts", "Habit", "Words", "pattern"]


class Words:
    """A pattern of the server's words, compiled when it is first searched for.

    Most programs meet few of the server's errors, and compiling the whole table would be felt in
    every start.

    Args:
        text: A regular expression; upper and lower case count alike.
    """

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        """The pattern, ready."""
        return re.compile(self.text, re.IGNORECASE)

    def search(self, words: str) -> bool:
        """Tell if the words are there."""
        return self.compiled.search(words) is not None

    def __repr__(self) -> str:
        return f"Words({self.text!r})"


def pattern(text: str) -> Words:
    """Make a pattern of the server's words; upper and lower case count alike."""
    return Words(text)


Habit: TypeAlias = Literal[
    "reads_own_name",
    "reads_own_id",
    "maps_list",
    "changes_own_picture",
    "looks_up_bot",
    "fetches_media",
]
"""Something that the server's code does on some routes only, and whose failure it tells there."""


@dataclass(frozen=True, slots=True)
class ErrorFacts:
    """The peculiarities of the error answers of one operation.

    Attributes:
        bare: Answers 400 with the bare object that was thrown (envelope C).
        detailed: Answers with ``details`` of another service (envelope B).
        plain_text: Answers with plain text.
        asks_maker: Answers 502 itself where its maker's licence service could not be asked.
        habits: What the server's code does there, whose failure has words of its own.
        may_have_acted: Words that mean "not sent" elsewhere, and do not prove it here.
    """

    bare: bool = False
    detailed: bool = False
    plain_text: bool = False
    asks_maker: bool = False
    habits: frozenset[Habit] = frozenset()
    may_have_acted: Words | None = None


USUAL_ERRORS = ErrorFacts()
"""Error answers with nothing special about them."""
