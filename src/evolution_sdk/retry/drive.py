"""Execution of a call: the only place of the retry service that sleeps and awaits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias, TypeVar

from evolution_sdk._base import effects
from evolution_sdk._base.context import SKIP_RETRY_WAITS
from evolution_sdk._base.harmless import contain
from evolution_sdk.errors import EvolutionError

from .decision import (
    Attempt,
    AttemptOutcome,
    Decision,
    Failed,
    GiveUp,
    RetryEnd,
    RetryStep,
    Sleep,
    Value,
)
from .instrumentation import InFlightCall

__all__ = ["ASYNC_SLEEP", "drive_call", "drive_call_async", "limited"]

T = TypeVar("T")
MakeAttempt: TypeAlias = Callable[[int], Any]
LookUp: TypeAlias = Callable[[EvolutionError], Any]

ASYNC_SLEEP: Final[Callable[[float], Awaitable[object]]] = asyncio.sleep


def drive_call(
    call: InFlightCall,
    attempt: MakeAttempt,
    resolve: LookUp | None,
    sleep: Callable[[float], object],
) -> Any:
    """Make a call, blocking. A ``BaseException`` that is no ``Exception`` gets out at once.

    Args:
        call: The call, counted as in flight.
        attempt: Makes one attempt; is given its number, from 1.
        resolve: Looks up a send of unknown outcome; None when that cannot be done.
        sleep: Blocks for some seconds.

    Returns:
        The value of an attempt, or of the look-up.

    Raises:
        Exception: The one the decision gives up with.
    """
    # The first attempt is made before there is a decision: nearly every call ends with it, and
    # making the generators would cost more than all the rest of the retry service.
    try:
        value = attempt(1)
    except Exception as error:  # noqa: BLE001 - the decision judges it
        decision = call.decide_after(error)
    except BaseException:
        call.cancelled()
        raise
    else:
        try:
            call.succeeded()
        except BaseException as error:  # noqa: BLE001 - the call is done, whatever happens here
            contain(error, call.succeeded)
        return value
    return _go_on(decision, attempt, resolve, sleep)


async def drive_call_async(
    call: InFlightCall,
    attempt: MakeAttempt,
    resolve: LookUp | None,
    sleep: Callable[[float], Awaitable[object]],
) -> Any:
    """Make a call, awaiting; otherwise as :func:`drive_call`.

    Args:
        call: The call, counted as in flight.
        attempt: Makes one attempt; is given its number, from 1.
        resolve: Looks up a send of unknown outcome; None when that cannot be done.
        sleep: Awaits some seconds.

    Returns:
        The value of an attempt, or of the look-up.

    Raises:
        Exception: The one the decision gives up with.
    """
    try:
        value = await attempt(1)
    except Exception as error:  # noqa: BLE001 - the decision judges it
        decision = call.decide_after(error)
    except BaseException:
        call.cancelled()
        raise
    else:
        try:
            call.succeeded()
        except BaseException as error:  # noqa: BLE001 - as in drive_call
            contain(error, call.succeeded)
        return value
    return await _go_on_async(decision, attempt, resolve, sleep)


async def limited(milliseconds: float, awaitable: Awaitable[T]) -> T:
    """Await something for a limited time.

    Raises:
        TimeoutError: It took longer, and was cancelled.
    """
    async with asyncio.timeout(milliseconds / 1_000):
        return await awaitable


# Functions of their own, because a function that makes a closure is slower from its first line on.
def _go_on(
    decision: Decision,
    attempt: MakeAttempt,
    resolve: LookUp | None,
    sleep: Callable[[float], object],
) -> Any:
    """Do what the decision asks for after the first attempt has failed."""

    def perform(step: RetryStep) -> AttemptOutcome | None:
        if isinstance(step, Sleep):
            # Outside of the try: a sleep that fails ends the call, it is no failed attempt.
            if not SKIP_RETRY_WAITS.get():
                sleep(step.ms / 1_000)
            return None
        try:
            if isinstance(step, Attempt):
                return Value(attempt(step.number))
            return None if resolve is None else resolve(step.error)
        except Exception as error:  # noqa: BLE001 - as above
            return Failed(error)

    return _finish(effects.drive_sync(decision, perform))


async def _go_on_async(
    decision: Decision,
    attempt: MakeAttempt,
    resolve: LookUp | None,
    sleep: Callable[[float], Awaitable[object]],
) -> Any:
    """Do what the decision asks for after the first attempt has failed, awaiting."""

    async def perform(step: RetryStep) -> AttemptOutcome | None:
        if isinstance(step, Sleep):
            if not SKIP_RETRY_WAITS.get():
                await sleep(step.ms / 1_000)
            return None
        try:
            if isinstance(step, Attempt):
                return Value(await attempt(step.number))
            return None if resolve is None else await resolve(step.error)
        except Exception as error:  # noqa: BLE001 - as above
            return Failed(error)

    return _finish(await effects.drive_async(decision, perform))


def _finish(end: RetryEnd) -> Any:
    """Return or raise what the decision has ended with."""
    if isinstance(end, GiveUp):
        try:
            raise end.error
        finally:
            # The error holds its traceback, and that this frame: without this, a cycle.
            del end
    return end.value
