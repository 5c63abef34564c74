"""Signals by which a handler passes an event on, or keeps it from the handlers after it."""

from __future__ import annotations

from collections.abc import Awaitable
from enum import Enum
from typing import TypeAlias


class Handling(Enum):
    """A handler's decision about the handlers after it; None leaves it to the router."""

    CONTINUE = "continue"
    """Pass the event on to the next matching handler."""
    STOP = "stop"
    """Stop the event: no other handler gets it, in any router."""


class StopHandling(Exception):  # noqa: N818 - a signal, not an error; the name that the field uses
    """Raised by a handler so that no other gets the event. The handler counts as finished."""


class ContinueHandling(Exception):  # noqa: N818 - a signal, not an error; the name that the field uses
    """Raised by a handler to pass the event on to the next matching handler."""


HandlerReturn: TypeAlias = Handling | Awaitable[Handling | None] | None
"""Return value of a handler, written as ``def`` or as ``async def``.

An awaitable of any other type is a forgotten ``await`` (``return event.reply_text(…)`` with an
async client), which type checkers reject because of this type.
"""
