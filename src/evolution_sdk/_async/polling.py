"""Polling: a question is asked again until its answer is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from evolution_sdk._client.linking import NotYet
from evolution_sdk.errors import RequestValidationError, WaitTimeoutError

from ._seam import Later
from .pipeline import Pipeline

T = TypeVar("T")


async def poll_until(
    pipeline: Pipeline,
    ask: Callable[[], Later[T | NotYet | None]],
    what: str,
    wait_ms: float,
    poll_ms: float,
) -> T:
    """Ask until there is an answer, the first time at once.

    Args:
        pipeline: Lends clock and sleep.
        ask: Returns the answer; NotYet with what it saw, or None, to be asked again.
        what: Names the thing waited for, in an error.
        wait_ms: Longest wait in all, in milliseconds.
        poll_ms: Pause between two questions, in milliseconds.

    Returns:
        The answer.

    Raises:
        WaitTimeoutError: There was none in time; it says what was seen last.
        RequestValidationError: ``poll_ms`` is below 1.
    """
    if poll_ms < 1:
        raise RequestValidationError("poll_ms", "must be at least 1")
    begun, slept_ms = pipeline.ports.monotonic(), 0.0
    while True:
        answer = await ask()
        if answer is not None and not isinstance(answer, NotYet):
            return answer
        # With a simulated sleep the clock may stand still: the time slept counts as well, or this
        # loop would never end.
        left_ms = wait_ms - max((pipeline.ports.monotonic() - begun) * 1_000, slept_ms)
        if left_ms <= 0:
            words = f"Waited {wait_ms:g} ms for {what}; it did not come. {answer or ''}"
            raise WaitTimeoutError(words.rstrip())
        nap_ms = min(poll_ms, left_ms)
        await pipeline.ports.sleep_ms(nap_ms)
        slept_ms += nap_ms
