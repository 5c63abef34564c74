"""A handler's word about the handlers after it."""

from __future__ import annotations

from collections.abc import Awaitable
from enum import Enum
from typing import TypeAlias


class Handling(Enum):
    """A handler's return value about the handlers after it; None leaves it to the router."""

    CONTINUE = "continue"
    """Let the next matching handler have the event, too."""
    STOP = "stop"
    """Give the event to nobody else, in no router."""


class StopHandling(Exception):  # noqa: N818 - a signal, not an error; the name that the field uses
    """Raised by a handler: nobody else gets this event. The handler counts as finished."""


class ContinueHandling(Exception):  # noqa: N818 - a signal, not an error; the name that the field uses
    """Raised by a handler: the next matching handler gets the event, too."""


HandlerReturn: TypeAlias = Handling | Awaitable[Handling | None] | None
"""Return value of a handler: of one written as ``def``, or as ``async def``.

An awaitable of anything else is a forgotten ``await`` (``return event.reply_text(…)`` with an async
client), which type checkers refuse by this type.
"""
