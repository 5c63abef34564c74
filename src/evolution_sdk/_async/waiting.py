"""Asking again and again until something is so."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from evolution_sdk._async.caller import Caller
from evolution_sdk._core.linking import NotYet
from evolution_sdk.errors import WaitTimeoutError

from ._seam import Later

T = TypeVar("T")


async def wait_for(
    caller: Caller,
    ask: Callable[[], Later[T | NotYet | None]],
    what: str,
    wait_ms: float,
    poll_ms: float,
) -> T:
    """Ask until there is an answer; the first question is asked at once.

    Args:
        caller: Lends clock and sleep.
        ask: Returns the answer; NotYet with what it saw, or None, to be asked again.
        what: What is waited for, in words.
        wait_ms: Longest wait in all, in milliseconds.
        poll_ms: Pause between two questions, in milliseconds.

    Returns:
        The answer.

    Raises:
        WaitTimeoutError: There was none in time; it says what was seen last.
    """
    begun = caller.monotonic()
    while True:
        answer = await ask()
        if answer is not None and not isinstance(answer, NotYet):
            return answer
        left_ms = wait_ms - (caller.monotonic() - begun) * 1_000
        if left_ms <= 0:
            words = f"Waited {wait_ms:g} ms for {what}; it did not come. {answer or ''}"
            raise WaitTimeoutError(words.rstrip())
        await caller.sleep(min(poll_ms, left_ms))
