"""Showing of the server's words, and of people's numbers, no more than may be shown."""

from __future__ import annotations

import re
from typing import Any, TypeGuard

from .json_types import is_array

NO_DETAIL = "[object Object]"
"""The text the server prints where it turned an inner error into text and lost it."""

_MAX_SHOWN = 200
_QUERY = re.compile(r"Invalid `[^`]*` invocation\b")


def headline(text: str) -> str:
    """Shorten a server text; database errors echo the whole row, message included.

    Args:
        text: One text of an error answer.

    Returns:
        Its first line, cut; or a plain sentence where the text is empty of sense or not for logs.
    """
    lines = [line for line in text.strip().splitlines() if line.strip()]
    first = lines[0] if lines else ""
    if first == NO_DETAIL:
        return "no detail given (the server lost its own error text)"
    # A minified server leaves out whose words they are.
    if "prisma" in text.lower() or _QUERY.match(first):
        return "database error on the server (its full text is in .messages)"
    return first if len(first) <= _MAX_SHOWN else first[:_MAX_SHOWN] + "…"


_PHONE = re.compile(
    r"""
      (?<![0-9A-Za-z]) [0-9]{5,15} (?= (?:[:_][0-9]+)? (?:-[0-9]{10})? @ )  # before a JID's server
    | \+ [1-9] (?: [\ ().-]{0,2} [0-9] ){6,14}                 # with its sign, as people write it
    | (?<=%2[Bb]) [1-9] [0-9]{6,14}                            # with its sign, in a URL
    | \( [0-9]{2,3} \) \ ? [0-9]{4,5} [\ -]? [0-9]{4}          # national, as people write it
    | (?<![0-9A-Za-z]) (?<![0-9A-Za-z][-.]) [0-9]{10,15} (?! [0-9A-Za-z] | [.] [0-9] )
    | \A [0-9]{8,15} \Z
    """,
    re.VERBOSE,
)
_shows_numbers = False


def set_phone_numbers_shown(shown: bool) -> None:
    """Show phone numbers whole, or mask them; see :func:`evolution_sdk.show_phone_numbers`."""
    global _shows_numbers
    _shows_numbers = shown


def mask_phone(text: str) -> str:
    """Mask the middle digits of every phone number and personal JID in a text.

    Ids of groups, messages and instances stay; so does everything else.

    Args:
        text: A number, a JID, or a text with some in it.

    Returns:
        The text, ``5511999991234`` as ``5511*****1234``; unchanged after ``show_phone_numbers()``.
    """
    return text if _shows_numbers else _PHONE.sub(_masked, text)


def masked(value: Any) -> Any:
    """Mask a value for a repr: texts, also in lists; all else stays as it is.

    Args:
        value: The value of a field.

    Returns:
        The value to show.
    """
    if isinstance(value, str):
        shown = mask_phone(value)
        return value if shown == value else shown  # an enum stays one
    if is_array(value):
        return [masked(each) for each in value]
    return tuple(map(masked, value)) if _is_tuple(value) else value


def _is_tuple(value: object) -> TypeGuard[tuple[Any, ...]]:
    return type(value) is tuple


def _masked(found: re.Match[str]) -> str:
    number = found[0]
    count = sum(map(str.isdigit, number))
    kept = min(4, count // 3)
    seen = 0
    masked: list[str] = []
    for sign in number:
        if sign.isdigit():
            seen += 1
            sign = sign if seen <= kept or seen > count - kept else "*"
        masked.append(sign)
    return "".join(masked)
