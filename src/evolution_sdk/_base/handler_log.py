"""The log of what a user's handler raised: its class and the lines it came through, no texts.

A typing error in a handler must not pass in silence, and what an exception says may quote a
message. So the log names files, lines and functions, which are the program's own, and leaves out
the exception's text, the values, and the lines of code, which may hold words as well.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Hashable
from pathlib import PurePath
from typing import Any, Final, Protocol, cast

__all__ = ["first_of", "raised_at", "tell_handler_failure"]

_MOST_FRAMES: Final = 20
_OURS: Final = str(PurePath(__file__).parent.parent)


class _Troubles(Protocol):
    """The part of ``QuietLog`` that is used here."""

    def trouble(
        self,
        kind: Hashable,
        message: str,
        *args: Any,
        level: int = ...,
        extra: Callable[[], dict[str, Any]] | None = None,
    ) -> None:
        """Log a trouble, at most once a minute per kind."""
        ...


def tell_handler_failure(log: _Troubles, who: str, error: BaseException, **fields: object) -> None:
    """Log at ERROR that a handler raised: at once, then at most once a minute from one place.

    Args:
        log: Where.
        who: Whose handler it is, such as ``the handler of messages.upsert``; no secret.
        error: What it raised.
        **fields: More for ``extra``, such as ``operation``.
    """
    error = _thrown(error)
    frames = _frames(error)
    name = type(error).__qualname__
    if not frames:  # it was made and never raised
        log.trouble(
            (who, name), "%s raised %s (its text is left out)", who, name,
            level=logging.ERROR, extra=lambda: {**fields, "error": name},
        )  # fmt: skip
        return
    place = frames[-1]
    lines = "".join(f"\n  {file}:{line} in {function}" for file, line, function in frames[:-1])
    log.trouble(
        (who, name, place),
        "%s raised %s at %s:%d in %s (its text is left out; it came through)%s"
        if lines
        else "%s raised %s at %s:%d in %s (its text is left out)%s",
        who,
        name,
        *place,
        lines,
        level=logging.ERROR,
        extra=lambda: {
            **fields,
            "error": name,
            "error_file": place[0],
            "error_line": place[1],
            "error_function": place[2],
        },
    )


def raised_at(error: BaseException) -> tuple[str, int, str]:
    """File, line and function in which an exception was raised, as near to the user as is known."""
    frames = _frames(error)
    return frames[-1] if frames else ("?", 0, "?")


def first_of(error: BaseException) -> BaseException:
    """The error itself; of several in a group, the first."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    group = cast("BaseExceptionGroup[BaseException]", error)
    return first_of(group.exceptions[0])


def _thrown(error: BaseException) -> BaseException:
    """Return the handler's own exception: Python turns a StopIteration into a RuntimeError."""
    cause = error.__cause__
    stopped = isinstance(error, RuntimeError) and isinstance(cause, StopIteration)
    return cause if stopped and cause is not None else error


def _frames(error: BaseException) -> list[tuple[str, int, str]]:
    """The lines an exception came through, from the first that is not ours."""
    trace = _thrown(first_of(error)).__traceback__
    found = [
        (frame.f_code.co_filename, line, frame.f_code.co_qualname)
        for frame, line in traceback.walk_tb(trace)
    ]
    theirs = next((i for i, each in enumerate(found) if not each[0].startswith(_OURS)), 0)
    return found[theirs:][-_MOST_FRAMES:]
