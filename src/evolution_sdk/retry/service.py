"""EvolutionRetryService: tries again what may be tried again, and tells what happened."""

from __future__ import annotations

import inspect
import random as _random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, Final, ParamSpec, Protocol, TypedDict, TypeVar, Unpack, cast

from evolution_sdk._core.effect import Effect
from evolution_sdk.errors import ConfigurationError, EvolutionError

from .decision import Absent, Found, Situation, Steps, decide
from .drive import ASYNC_SLEEP, SLEEP, Run, drive_async, drive_sync
from .events import Notifier
from .metrics import MetricsBook, RetryMetrics
from .policy import Jitter, RetryPolicy
from .recording import Recorder, recorded
from .safety import OnUnknown, RetryOn, as_predicate, check_on_unknown
from .waits import Draw

__all__ = ["EvolutionRetryService", "RandomSource", "ServiceOptions"]

P = ParamSpec("P")
T = TypeVar("T")


class RandomSource(Protocol):
    """Anything with the ``random()`` of :class:`random.Random`."""

    def random(self) -> float:
        """Return a number from 0 (included) to 1 (not included)."""
        ...


class ServiceOptions(TypedDict, total=False):
    """What a service has besides its policy; see :class:`EvolutionRetryService`."""

    retry_on: RetryOn | None
    clock: Callable[[], float]
    sleep: Callable[[float], object]
    async_sleep: Callable[[float], Awaitable[object]]
    random: RandomSource | Draw


_SYSTEM_RANDOM: Final = _random.SystemRandom()  # forked workers must not draw the same waits

_MOST_REMEMBERED: Final = 64  # of a function that never ends, and whose calls fail all the time

# The errors that services inside the running function have given up on after retrying.
_enclosing: Final[ContextVar[deque[BaseException] | None]] = ContextVar("retry", default=None)


class EvolutionRetryService(Notifier):
    """Runs functions, tries them again when that may help and cannot harm, and keeps count.

    Usable alone with any function, and the client's own engine. One service may be shared by
    threads and tasks. Subscribe with ``on("success" | "retry" | "failure", handler)``.

    Args:
        max_attempts: Most attempts in all, the first one included.
        delay_ms: Wait after the first failed attempt, in milliseconds.
        backoff_factor: What each further wait is multiplied with; at least 1.
        max_delay_ms: Cap of a single wait, in milliseconds.
        jitter: ``full`` (default), ``equal`` or ``none``; see :class:`RetryPolicy`.
        max_elapsed_ms: No wait is begun that would end later than this, in milliseconds.
        retry_on: Exception classes, or a function of the error, that restrict what is tried
            again. It never widens: an ``EvolutionError`` that is not ``retryable`` stays so.
        clock: Seconds that never go back, as ``time.monotonic``.
        sleep: Blocks for some seconds, as ``time.sleep``.
        async_sleep: Awaits some seconds, as ``asyncio.sleep``.
        random: Source of the jitter: a ``random.Random`` or a function returning 0 to 1.

    Raises:
        ConfigurationError: A value is out of range; ``variable`` names it.
    """

    def __init__(
        self,
        max_attempts: int = 3,
        delay_ms: float = 1_000,
        backoff_factor: float = 2,
        max_delay_ms: float = 30_000,
        *,
        jitter: Jitter = "full",
        max_elapsed_ms: float | None = None,
        retry_on: RetryOn | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = SLEEP,
        async_sleep: Callable[[float], Awaitable[object]] = ASYNC_SLEEP,
        random: RandomSource | Draw = _SYSTEM_RANDOM,
    ) -> None:
        self._book = MetricsBook()
        super().__init__(self._book.handler_failed)
        self._policy = RetryPolicy(
            max_attempts, delay_ms, backoff_factor, max_delay_ms, jitter, max_elapsed_ms
        )
        self._allows = as_predicate(retry_on)
        self._sleep = sleep
        self._async_sleep = async_sleep
        self._draw: Draw = random if callable(random) else random.random
        self._recorder = Recorder(self._book, self, clock)

    @classmethod
    def from_policy(
        cls, policy: RetryPolicy, **options: Unpack[ServiceOptions]
    ) -> EvolutionRetryService:
        """Make a service from a policy.

        Args:
            policy: How often and how long apart.
            **options: ``retry_on``, ``clock``, ``sleep``, ``async_sleep`` and ``random``.

        Returns:
            A new service.
        """
        return cls(
            policy.max_attempts,
            policy.delay_ms,
            policy.backoff_factor,
            policy.max_delay_ms,
            jitter=policy.jitter,
            max_elapsed_ms=policy.max_elapsed_ms,
            **options,
        )

    @property
    def policy(self) -> RetryPolicy:
        """How often and how long apart, unless a call says otherwise."""
        return self._policy

    async def execute_with_retry(self, fn: Callable[[], Awaitable[T]], operation: str) -> T:
        """Await ``fn()`` and try again when it fails.

        Any ``Exception`` is tried again, but for an ``EvolutionError`` that is not
        ``retryable``, for what ``retry_on`` leaves out, and for what a client or service inside
        ``fn`` has already retried. Cancellation and ``KeyboardInterrupt`` get out at once.

        Args:
            fn: Called anew for every attempt; returns an awaitable. A plain value is accepted.
            operation: Name for metrics, events and logs, such as ``send``; not a secret.

        Returns:
            What ``fn`` returned.

        Raises:
            Exception: The last one of ``fn``, unchanged, with a note why it was the last.
        """

        async def attempt(_: int) -> T:
            result = fn()
            return (await result) if inspect.isawaitable(result) else cast("T", result)

        with self._enclosed(operation) as steps:
            run = Run(steps, attempt, _no_way_async, self._async_sleep)
            return cast("T", await drive_async(run))

    def execute_with_retry_sync(self, fn: Callable[[], T], operation: str) -> T:
        """Call ``fn()`` and try again when it fails; as :meth:`execute_with_retry`, blocking.

        Args:
            fn: Called anew for every attempt.
            operation: Name for metrics, events and logs, such as ``send``; not a secret.

        Returns:
            What ``fn`` returned.

        Raises:
            ConfigurationError: ``fn`` returned a coroutine, so that it has not run at all.
            Exception: The last one of ``fn``, unchanged, with a note why it was the last.
        """

        def attempt(_: int) -> T:
            result = fn()
            if inspect.iscoroutine(result):
                result.close()
                raise ConfigurationError(
                    "The function is async: await execute_with_retry(...), or decorate an "
                    "'async def'.",
                    variable="fn",
                )
            return result

        with self._enclosed(operation) as steps:
            return cast("T", drive_sync(Run(steps, attempt, _no_way, self._sleep)))

    def retryable(self, operation: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
        """Decorate a function, sync or async, so that every call of it is retried.

        Args:
            operation: Name for metrics, events and logs, such as ``send``; not a secret.

        Returns:
            A decorator that keeps signature, name and colour of the function.

        Raises:
            ConfigurationError: It was used without a name, or on a generator function, whose
                body only runs after the call has returned.
        """
        if not isinstance(cast("object", operation), str):
            raise ConfigurationError(
                'Give the operation a name: @retry.retryable("send").', variable="operation"
            )

        def decorate(fn: Callable[P, T]) -> Callable[P, T]:
            if inspect.isgeneratorfunction(fn) or inspect.isasyncgenfunction(fn):
                raise ConfigurationError(
                    "A generator function cannot be retried as a call.", variable="fn"
                )
            if _is_async(fn):
                awaited = cast("Callable[P, Awaitable[Any]]", fn)

                @wraps(fn)
                async def call_async(*args: P.args, **kwargs: P.kwargs) -> Any:
                    return await self.execute_with_retry(
                        lambda: awaited(*args, **kwargs), operation
                    )

                return cast("Callable[P, T]", call_async)

            @wraps(fn)
            def call(*args: P.args, **kwargs: P.kwargs) -> T:
                return self.execute_with_retry_sync(lambda: fn(*args, **kwargs), operation)

            return call

        return decorate

    async def run_async(
        self,
        attempt: Callable[[int], Awaitable[T]],
        operation: str,
        *,
        effect: Effect,
        policy: RetryPolicy | None = None,
        on_unknown: OnUnknown = "reconcile",
        resolve: Callable[[EvolutionError], Awaitable[Found[T] | Absent]] | None = None,
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
        steps = self._begin(operation, policy, effect, on_unknown, instance)
        run = Run(steps, attempt, resolve or _no_way_async, self._async_sleep)
        return cast("T", await drive_async(run))

    def run_sync(
        self,
        attempt: Callable[[int], T],
        operation: str,
        *,
        effect: Effect,
        policy: RetryPolicy | None = None,
        on_unknown: OnUnknown = "reconcile",
        resolve: Callable[[EvolutionError], Found[T] | Absent] | None = None,
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
        steps = self._begin(operation, policy, effect, on_unknown, instance)
        return cast("T", drive_sync(Run(steps, attempt, resolve or _no_way, self._sleep)))

    def get_metrics(self, operation: str | None = None) -> RetryMetrics:
        """Return what has been counted so far, as a copy.

        Args:
            operation: Name of one operation (zeros when it was never seen); None for the total.

        Returns:
            The numbers; later calls do not change them.
        """
        return self._book.snapshot(operation)

    def get_active_requests(self, operation: str | None = None) -> int:
        """Count the calls in flight, those waiting for their next attempt included.

        Args:
            operation: Name of one operation; None for all.

        Returns:
            How many.
        """
        return self._book.active(operation)

    def reset_metrics(self) -> None:
        """Begin counting anew; calls in flight are counted when they finish."""
        self._book.reset()

    def _begin(
        self,
        operation: str,
        policy: RetryPolicy | None,
        effect: Effect | None,
        on_unknown: OnUnknown,
        instance: str | None,
        retried_inside: Collection[BaseException] = (),
    ) -> Steps:
        check_on_unknown(on_unknown)
        situation = Situation(
            policy or self._policy,
            operation,
            effect,
            on_unknown,
            instance,
            self._allows,
            retried_inside,
        )
        steps = decide(situation, self._recorder.clock, self._draw)
        return recorded(steps, operation, self._recorder, _enclosing.get())

    @contextmanager
    def _enclosed(self, operation: str) -> Generator[Steps]:
        """Begin a call of a user's function, in which further retry services may be at work."""
        given_up: deque[BaseException] = deque(maxlen=_MOST_REMEMBERED)
        steps = self._begin(operation, None, None, "reconcile", None, given_up)
        token = _enclosing.set(given_up)
        try:
            yield steps
        finally:
            _enclosing.reset(token)
            given_up.clear()  # a task begun by the function may hold this for ever


def _is_async(fn: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(
        getattr(fn, "__call__", None)  # noqa: B004 - an object whose call is async, not a check
    )


def _no_way(_: EvolutionError) -> None:
    """Stand in for the resolver where there is none."""


async def _no_way_async(_: EvolutionError) -> None:
    """Stand in for the resolver where there is none."""
