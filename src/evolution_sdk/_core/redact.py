"""What of the server's words may be shown."""

from __future__ import annotations

from .envelopes import NO_DETAIL

_MAX_SHOWN = 200


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
    if "prisma" in text.lower():
        return "database error on the server (its full text is in .messages)"
    return first if len(first) <= _MAX_SHOWN else first[:_MAX_SHOWN] + "…"
