"""The engine of the retry service: its settings, its books, and the client's own entry."""

from __future__ import annotations

import random as _random
import time
from collections.abc import Awaitable, Callable, Collection
from contextvars import ContextVar
from typing import Final, Protocol, TypedDict, TypeVar, cast

from evolution_sdk._base.effect import Effect
from evolution_sdk._base.forking import check
from evolution_sdk._common.arguments import checked
from evolution_sdk.errors import ConfigurationError, EvolutionError

from .book import WINDOW_MS, MetricsBook
from .budget import RetryBudget
from .call import Call
from .decision import Absent, Found, Unsettled
from .drive import ASYNC_SLEEP, SLEEP, drive_async, drive_sync
from .events import Notifier
from .metrics import RetryMetrics
from .policy import RetryPolicy
from .recording import Recorder
from .safety import OnUnknown, RetryOn, as_predicate, check_on_unknown
from .waits import Draw

__all__ = ["ENCLOSING", "Engine", "RandomSource", "ServiceOptions", "no_way", "no_way_async"]

T = TypeVar("T")


class RandomSource(Protocol):
    """Anything with the ``random()`` of :class:`random.Random`."""

    def random(self) -> float:
        """Return a number from 0 (included) to 1 (not included)."""
        ...


class ServiceOptions(TypedDict, total=False):
    """What a service has besides its policy; see :class:`EvolutionRetryService`."""

    retry_on: RetryOn | None
    budget: RetryBudget | None
    clock: Callable[[], float]
    sleep: Callable[[float], object]
    async_sleep: Callable[[float], Awaitable[object]]
    random: RandomSource | Draw


_SYSTEM_RANDOM: Final = _random.SystemRandom()  # forked workers must not draw the same waits

# The errors that services inside the running function have given up on after retrying.
ENCLOSING: Final[ContextVar[list[BaseException] | None]] = ContextVar("retry", default=None)


@checked(but=("run_async", "run_sync"))
class Engine(Notifier):
    """What the retry service is built on; see :class:`EvolutionRetryService` for its arguments."""

    def __init__(
        self,
        policy: RetryPolicy,
        *,
        retry_on: RetryOn | None = None,
        budget: RetryBudget | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = SLEEP,
        async_sleep: Callable[[float], Awaitable[object]] = ASYNC_SLEEP,
        random: RandomSource | Draw = _SYSTEM_RANDOM,
    ) -> None:
        if not callable(random) and not callable(getattr(cast("object", random), "random", None)):
            raise ConfigurationError(
                "random: must be a random.Random or a function returning 0 to 1.",
                variable="random",
            )
        self._book = MetricsBook(clock)
        super().__init__(self._book.handler_failed)
        self._policy = policy
        self._budget = budget
        self._allows = as_predicate(retry_on)
        self._sleep = sleep
        self._async_sleep = async_sleep
        self._draw: Draw = random if callable(random) else random.random
        self._recorder = Recorder(self._book, self, clock)

    @property
    def policy(self) -> RetryPolicy:
        """How often and how long apart, unless a call says otherwise."""
        return self._policy

    @property
    def budget(self) -> RetryBudget | None:
        """What all retries together are taken from; None when there is no bound."""
        return self._budget

    async def run_async(
        self,
        attempt: Callable[[int], Awaitable[T]],
        operation: str,
        *,
        effect: Effect,
        policy: RetryPolicy | None = None,
        on_unknown: OnUnknown = "reconcile",
        resolve: Callable[[EvolutionError], Awaitable[Found[T] | Absent | Unsettled]] | None = None,
        instance: str | None = None,
    ) -> T:
        """Make one API call by the table of effect and phase; the client's own entry.

        Args:
            attempt: Makes one try; is given its number, from 1. Raises ``EvolutionError`` with
                the right phase.
            operation: Key of the operation, such as ``message.send_text``.
            effect: What the operation does.
            policy: Instead of the service's; ``max_attempts=1`` means no retry, but an unknown
                outcome is looked up nevertheless.
            on_unknown: When a send may have happened: ``raise``, ``reconcile`` (look it up,
                return it when found, else raise) or ``resend`` (look it up, return it when
                found, try again when surely looked for and absent).
            resolve: Looks it up; is given the error. A resolver that fails settles nothing.
            instance: The instance the call goes through, for the error.

        Returns:
            What the attempt returned, or what the resolver found.

        Raises:
            SendOutcomeUnknownError: A send may or may not have happened; ``__cause__`` is the
                failure.
            Exception: The last one of the attempts, unchanged.
        """
        check_on_unknown(on_unknown)
        call = self._call(operation, policy, effect, on_unknown, instance)
        return cast(
            "T", await drive_async(call, attempt, resolve or no_way_async, self._async_sleep)
        )

    def run_sync(
        self,
        attempt: Callable[[int], T],
        operation: str,
        *,
        effect: Effect,
        policy: RetryPolicy | None = None,
        on_unknown: OnUnknown = "reconcile",
        resolve: Callable[[EvolutionError], Found[T] | Absent | Unsettled] | None = None,
        instance: str | None = None,
    ) -> T:
        """As :meth:`run_async`, blocking.

        Args:
            attempt: Makes one try; its argument counts from 1.
            operation: Key for metrics and events.
            effect: What an accepted call does; decides what may be repeated.
            policy: How often and how long apart. Default: the service's.
            on_unknown: What to do when a send may or may not have happened.
            resolve: Finds out whether it happened. Default: it cannot be found out.
            instance: Which instance, for the error.

        Returns:
            What ``attempt`` returned, or what ``resolve`` found.

        Raises:
            SendOutcomeUnknownError: A send may or may not have happened.
            Exception: What the last attempt raised.
        """
        check_on_unknown(on_unknown)
        call = self._call(operation, policy, effect, on_unknown, instance)
        return cast("T", drive_sync(call, attempt, resolve or no_way, self._sleep))

    def get_metrics(
        self, operation: str | None = None, *, window_ms: float | None = None
    ) -> RetryMetrics:
        """Return what has been counted so far, as a copy.

        Args:
            operation: Name of one operation, or of a group, whose operations are added up: the
                effect of API calls (``send``, ``read``, ``idempotent``, ``destructive``) or their
                family (``message``, ``chat`` …, the part of the name before the dot). Zeros when
                it was never seen. Default: the total.
            window_ms: Only calls that finished in the last so many milliseconds, in steps of ten
                seconds and at most 300,000 (five minutes). Default: since the beginning or the
                last reset.

        Returns:
            The numbers; later calls do not change them.

        Raises:
            ConfigurationError: ``window_ms`` is not a number above 0 and at most 300,000.
        """
        if window_ms is not None and not 0 < window_ms <= WINDOW_MS:
            raise ConfigurationError(
                f"window_ms must be above 0 and at most {WINDOW_MS}, not {window_ms!r}.",
                variable="window_ms",
            )
        return self._book.snapshot(operation, window_ms)

    def get_active_requests(self, operation: str | None = None) -> int:
        """Count the calls in flight, those waiting for their next attempt included.

        Args:
            operation: Name of one operation or group; None for all.

        Returns:
            How many.
        """
        return self._book.active(operation)

    def operations(self) -> tuple[str, ...]:
        """List the names of the operations that have been counted.

        Returns:
            The names, sorted; beyond 1,000 of them the rest is counted together, as ``other``.
        """
        return self._book.operations()

    def reset_metrics(self) -> None:
        """Begin counting anew; calls in flight are counted when they finish."""
        self._book.reset()

    def _call(
        self,
        operation: str,
        policy: RetryPolicy | None,
        effect: Effect | None = None,
        on_unknown: OnUnknown = "reconcile",
        instance: str | None = None,
        *,
        retry_on: RetryOn | None = None,
        retried_inside: Collection[BaseException] = (),
    ) -> Call:
        check()
        known = (
            policy or self._policy,
            operation,
            effect,
            on_unknown,
            instance,
            self._allows if retry_on is None else as_predicate(retry_on),
            retried_inside,
            self._budget,
        )
        return Call(known, self._recorder, self._draw, ENCLOSING.get())


def no_way(_: EvolutionError) -> None:
    """Stand in for the resolver where there is none."""


async def no_way_async(_: EvolutionError) -> None:
    """Stand in for the resolver where there is none."""
