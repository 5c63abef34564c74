"""The thin shell around the decision: the only place that sleeps and awaits, in both colours."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias, TypeVar

from evolution_sdk.errors import EvolutionError

from .call import Call
from .decision import Attempt, Failed, GiveUp, Outcome, Resolve, Return, Sleep, Step, Steps, Value
from .switches import WAITS_OFF

__all__ = ["ASYNC_SLEEP", "SLEEP", "Run", "drive_async", "drive_sync", "within"]

T = TypeVar("T")
Attempts: TypeAlias = Callable[[int], Any]
Resolver: TypeAlias = Callable[[EvolutionError], Any]
Sleeper: TypeAlias = Callable[[float], Any]

SLEEP: Final[Callable[[float], object]] = time.sleep
ASYNC_SLEEP: Final[Callable[[float], Awaitable[object]]] = asyncio.sleep


async def drive_async(call: Call, attempt: Attempts, resolve: Resolver, sleep: Sleeper) -> Any:
    """Do what the decision says, awaiting; whatever is no ``Exception`` gets out at once."""
    try:
        value = await attempt(1)
    except Exception as error:  # noqa: BLE001 - the decision judges it
        run = Run(call.decision(), attempt, resolve, sleep, Failed(error))
    except BaseException:
        call.broken_off()
        raise
    else:
        call.succeeded()
        return value
    with run:
        while run.goes_on():
            try:
                run.heard(await run.begin())
            except Exception as error:  # noqa: BLE001 - the decision judges it
                run.broke(error)
        return run.result()


def drive_sync(call: Call, attempt: Attempts, resolve: Resolver, sleep: Sleeper) -> Any:
    """Do what the decision says, blocking; whatever is no ``Exception`` gets out at once."""
    try:
        value = attempt(1)
    except Exception as error:  # noqa: BLE001 - the decision judges it
        run = Run(call.decision(), attempt, resolve, sleep, Failed(error))
    except BaseException:
        call.broken_off()
        raise
    else:
        call.succeeded()
        return value
    with run:
        while run.goes_on():
            try:
                run.heard(run.begin())
            except Exception as error:  # noqa: BLE001 - the decision judges it
                run.broke(error)
        return run.result()


async def within(milliseconds: float, awaitable: Awaitable[T]) -> T:
    """Await something for a limited time.

    Raises:
        TimeoutError: It took longer, and was cancelled.
    """
    async with asyncio.timeout(milliseconds / 1_000):
        return await awaitable


class Run:
    """One call under way: takes its next step, and hands the outcome back to the decision.

    Args:
        steps: The decision, after its first step.
        attempt: Makes the attempt of a number.
        resolve: Looks up what became of a send.
        sleep: Waits for some seconds.
        first: What the first attempt came to.
    """

    __slots__ = ("_attempt", "_outcome", "_resolve", "_sleep", "_step", "_steps")

    def __init__(
        self,
        steps: Steps,
        attempt: Attempts,
        resolve: Resolver,
        sleep: Sleeper,
        first: Outcome,
    ) -> None:
        self._steps = steps
        self._attempt = attempt
        self._resolve = resolve
        self._sleep = sleep
        self._step: Step | None = None
        self._outcome: Outcome | None = first

    def __enter__(self) -> None:
        """Nothing is to be prepared."""

    def __exit__(self, *_: object) -> None:
        self._steps.close()
        # An error holds its traceback, and that this run: without this, a cycle.
        self._step = self._outcome = None

    def goes_on(self) -> bool:
        """Ask for the next step; False when it is the last."""
        step = self._steps.send(self._outcome)
        while isinstance(step, Sleep) and WAITS_OFF.get():
            step = self._steps.send(None)
        self._step = step
        return not isinstance(step, Return | GiveUp)

    def begin(self) -> Any:
        """Begin the step; where functions are async, return what is to be awaited."""
        match self._step:
            case Attempt(number):
                return self._attempt(number)
            case Sleep(ms):
                return self._sleep(ms / 1_000)
            case Resolve(error):
                return self._resolve(error)
            case _:
                raise RuntimeError(f"Nothing to begin at {self._step!r}.")

    def heard(self, answer: Any) -> None:
        """Keep what the step came to."""
        match self._step:
            case Attempt():
                self._outcome = Value(answer)
            case Resolve():
                self._outcome = answer
            case _:
                self._outcome = None

    def broke(self, error: Exception) -> None:
        """Keep what the step raised; a sleep that fails is nobody's to judge."""
        if isinstance(self._step, Sleep):
            raise error
        self._outcome = Failed(error)

    def result(self) -> Any:
        """Return or raise what the last step says."""
        if isinstance(self._step, GiveUp):
            raise self._step.error
        return self._step.value if isinstance(self._step, Return) else None
