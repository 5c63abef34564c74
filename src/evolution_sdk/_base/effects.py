"""The driver of decisions that are written as generators.

A decision yields what is to be done and gets told what came of it; it never waits itself. That
keeps it free of I/O and of colour: one generator serves blocking and awaiting callers alike.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import TypeVar, cast

__all__ = ["drive_async", "drive_sync"]

Step = TypeVar("Step")
Reply = TypeVar("Reply")
Result = TypeVar("Result")


def drive_sync(
    decision: Generator[Step, Reply, Result], perform: Callable[[Step], Reply]
) -> Result:
    """Do what a decision asks for, blocking.

    Args:
        decision: The generator, not begun.
        perform: Does one step and returns the reply; what it raises ends the decision.

    Returns:
        What the decision returns.
    """
    reply: Reply | None = None
    try:
        while True:
            try:
                step = decision.send(reply)  # type: ignore[arg-type]  # None begins it
            except StopIteration as done:
                return cast("Result", done.value)
            reply = perform(step)
    finally:
        decision.close()
        # A traceback of what was performed keeps this frame alive. Where replies hold exceptions,
        # the frame must not hold them in turn: that would be a cycle.
        step = reply = None  # type: ignore[assignment]


async def drive_async(
    decision: Generator[Step, Reply, Result], perform: Callable[[Step], Awaitable[Reply]]
) -> Result:
    """Do what a decision asks for, awaiting.

    Args:
        decision: The generator, not begun.
        perform: Does one step and returns the reply; what it raises ends the decision.

    Returns:
        What the decision returns.
    """
    reply: Reply | None = None
    try:
        while True:
            try:
                step = decision.send(reply)  # type: ignore[arg-type]  # None begins it
            except StopIteration as done:
                return cast("Result", done.value)
            reply = await perform(step)
    finally:
        decision.close()
        step = reply = None  # type: ignore[assignment]  # as above
