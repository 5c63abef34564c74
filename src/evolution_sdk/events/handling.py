"""What a handler may say about the handlers after it."""

from __future__ import annotations

from enum import Enum


class Handling(Enum):
    """A handler's return value that says what comes next; any other value says nothing."""

    CONTINUE = "continue"
    """Let the next matching handler have the event, too."""
    STOP = "stop"
    """Nobody else gets the event, in no router."""


class StopHandling(Exception):  # noqa: N818 - a signal, not an error; the name that the field uses
    """Raised by a handler: nobody else gets this event. The handler counts as finished."""


class ContinueHandling(Exception):  # noqa: N818 - a signal, not an error; the name that the field uses
    """Raised by a handler: the next matching handler gets the event, too."""
