"""Literals of patterns: what a text must contain to match at all.

A pattern is read with the parser of ``re`` itself. Whatever is not surely understood tells nothing:
the pattern is then tried on every text, as without all this. Letters are compared as
:func:`lowered` writes them, in which those that ``re.IGNORECASE`` takes for equal are equal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any, Final, NamedTuple, TypeAlias

# Letters that re takes for others in any case, or that str.lower writes by what surrounds them.
_ODD: Final = {0x130: "i", 0x131: "i", 0x17F: "s", 0x212A: "k", 0x3A3: chr(0x3C3)}
_LATIN: Final = frozenset(chr(code) for code in range(0xC0, 0x100))
# More alternatives than this are tried one by one, which re does well.
_MOST_WORDS = 32
_MOST_DEEP = 20

ANY_DIGIT: Final = re.compile(r"\d")


class Digit(NamedTuple):
    """Stands for a digit in any script."""


Word: TypeAlias = "str | Digit"
Words: TypeAlias = "frozenset[Word] | None"
"""Parts of which every match contains at least one; None where nothing is known."""


def lowered(text: str) -> str:
    """Write a text in small letters, each letter by itself.

    Args:
        text: The text.
    """
    return text.translate(_ODD).lower() if not text.isascii() else text.lower()


def needed_words(pattern: re.Pattern[Any]) -> Words:
    """Find parts, in small letters, of which every text that matches contains at least one.

    Args:
        pattern: A pattern for ``re.search``.

    Returns:
        The parts; None where nothing is surely known.
    """
    if not isinstance(pattern.pattern, str):
        return None
    try:
        parser: Any = import_module("re._parser")
        tree = parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)
        return _words(tree, bool(pattern.flags & re.IGNORECASE), 0)
    except Exception:  # noqa: BLE001 - the parser is private to Python: a newer one may differ
        return None


def _words(tree: Any, folds: bool, depth: int) -> Words:
    best: Words = None
    for found in _candidates(tree, folds, depth):
        if found is not None and _worth(found) > _worth(best):
            best = found
    return best


def _candidates(tree: Any, folds: bool, depth: int) -> Iterator[Words]:
    """Yield every condition that a sequence makes, one after the other."""
    if depth > _MOST_DEEP:
        return
    run = ""
    for code, told in tree:
        name = str(code)
        if name in ("AT", "ASSERT", "ASSERT_NOT"):
            continue  # they take no text: what is around them stays together
        letter = _letter(name, told, folds)
        if letter:
            run += letter
            continue
        if run:
            yield frozenset({run})
            run = ""
        yield _inner(name, told, folds, depth + 1)
    if run:
        yield frozenset({run})


def _inner(name: str, told: Any, folds: bool, depth: int) -> Words:
    if name == "SUBPATTERN":
        _, more, less, tree = told
        inner = bool((folds or more & re.IGNORECASE) and not less & re.IGNORECASE)
        return _words(tree, inner, depth)
    if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        least, _, tree = told
        return _words(tree, folds, depth) if least > 0 else None
    if name == "ATOMIC_GROUP":
        return _words(told, folds, depth)
    if name == "BRANCH":
        return _any_of([_words(tree, folds, depth) for tree in told[1]])
    if name == "IN" and all(_is_digit(str(code), value) for code, value in told):
        return frozenset({Digit()})
    return None


def _any_of(branches: list[Words]) -> Words:
    every: frozenset[Word] = frozenset()
    for words in branches:
        if words is None:
            return None
        every |= words
    return every if len(every) <= _MOST_WORDS else None


def _letter(name: str, told: Any, folds: bool) -> str:
    """Return the one letter that stands here, in small letters; empty if it may be several."""
    if name == "LITERAL":
        letter = chr(told)
        known = not folds or letter.isascii() or letter in _LATIN
        return lowered(letter) if known else ""
    if name == "IN":
        letters = {_letter(str(code), value, folds) for code, value in told}
        return letters.pop() if len(letters) == 1 else ""
    return ""


def _is_digit(name: str, told: Any) -> bool:
    if name == "CATEGORY":
        return str(told) == "CATEGORY_DIGIT"
    if name == "RANGE":
        return bool(told[0] >= ord("0") and told[1] <= ord("9"))
    return name == "LITERAL" and chr(told) in "0123456789"


def _worth(words: Words) -> int:
    """Tell how few texts meet a condition: the length of its shortest part."""
    if words is None:
        return 0
    # A digit is rarer than a letter, and less rare than two.
    return min((3 if isinstance(word, Digit) else 2 * len(word) for word in words), default=0)
