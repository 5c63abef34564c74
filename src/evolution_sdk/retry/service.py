"""EvolutionRetryService: retries calls where that is safe, counts them, and tells listeners."""

from __future__ import annotations

import inspect
import logging
import random as _random
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial, wraps
from pathlib import Path
from typing import (
    Any,
    Final,
    Literal,
    ParamSpec,
    TypedDict,
    TypeVar,
    Unpack,
    cast,
    overload,
)

from evolution_sdk._base.coroutines import is_async
from evolution_sdk._base.handler_log import tell_handler_failure
from evolution_sdk._base.harmless import quiet_logger
from evolution_sdk._base.quiet_log import QuietLog
from evolution_sdk._common.arguments import checked, checked_call
from evolution_sdk._common.emitter import Handler, Subscribers
from evolution_sdk.config import EvolutionConfig, RetryConfig
from evolution_sdk.errors import ConfigurationError

from .background import NoEventLoopError, spawn
from .budget import RetryBudget
from .counters import WINDOW_MS, MetricsRegistry
from .drive import ASYNC_SLEEP
from .events import (
    RETRY_EVENT_NAMES,
    FailureEvent,
    RetryEvent,
    RetryEventName,
    RetryServiceEvent,
    SuccessEvent,
)
from .instrumentation import Instrumentation
from .metrics import RetryMetrics
from .policy import Jitter, RetryPolicy
from .runner import CallRunner
from .safety import RetryOn, as_predicate
from .settings import chosen_budget, policy_of
from .waits import Draw, RandomSource

__all__ = [
    "EvolutionRetryService",
    "RetryServiceOptions",
    "runner_of",
]

P = ParamSpec("P")
T = TypeVar("T")
_OnSuccess = TypeVar("_OnSuccess", bound=Callable[[SuccessEvent], object])
_OnRetry = TypeVar("_OnRetry", bound=Callable[[RetryEvent], object])
_OnFailure = TypeVar("_OnFailure", bound=Callable[[FailureEvent], object])

_log: Final = quiet_logger("evolution_sdk.retry")
_SYSTEM_RANDOM: Final = _random.SystemRandom()  # forked workers must not draw the same waits


class RetryServiceOptions(TypedDict, total=False):
    """Options of a service besides its policy; see :class:`EvolutionRetryService`."""

    retry_on: RetryOn | None
    budget: RetryBudget | None
    clock: Callable[[], float]
    sleep: Callable[[float], object]
    async_sleep: Callable[[float], Awaitable[object]]
    random: RandomSource | Draw


# The two ways to execute are called for every message: they have a shorter check of their own. The
# subscribing ones check event and handler by themselves.
@checked(
    but=(
        "retryable",
        "execute_with_retry",
        "execute_with_retry_sync",
        "listeners",
        "on",
        "once",
        "remove_listener",
    )
)
class EvolutionRetryService:
    """Runs functions, retries them where that is safe and may help, and keeps count.

    Usable alone with any function, and the client's own engine. One service may be shared by
    threads and tasks. Subscribe with ``on("success" | "retry" | "failure", handler)``.

    The first seven arguments are those of :class:`RetryPolicy`. One that is left out comes from
    ``policy``, or else from its environment variable, such as ``EVOLUTION_RETRY_DELAY_MS`` for
    ``delay_ms``, or else from the default named here.

    Args:
        max_attempts: Most attempts in all, the first one included. Default: 3.
        delay_ms: Wait after the first failed attempt, in milliseconds. Default: 1,000.
        backoff_factor: Factor by which each further wait is longer; at least 1. Default: 2.
        max_delay_ms: Cap of a single wait, in milliseconds. Default: 30,000.
        jitter: ``equal``, ``full``, ``decorrelated`` or ``none``. Default: ``equal``.
        max_elapsed_ms: No wait is begun that would end later than this after the call began, in
            milliseconds. Default: no limit.
        attempt_timeout_ms: Longest time of one attempt, in milliseconds. Default: no limit.
        policy: Policy to start from, instead of the environment.
        retry_on: Exception classes, or a function of the error, that restrict what is retried. It
            never widens: an ``EvolutionError`` that is not ``retryable`` stays so. Default: no
            restriction.
        budget: Budget that all retries of this service share. Default: the one of the settings,
            when a variable ``EVOLUTION_RETRY_BUDGET_…`` is set and no policy is given; else no
            bound (the client's own service has one).
        clock: Seconds that never go back. Default: ``time.monotonic``.
        sleep: Blocks for some seconds. Default: ``time.sleep``.
        async_sleep: Awaits some seconds. Default: ``asyncio.sleep``.
        random: Source of the jitter: a ``random.Random`` or a function returning 0 to 1. Default:
            the operating system's.

    Raises:
        ConfigurationError: A value is out of range; ``variable`` names it.
    """

    def __init__(
        self,
        max_attempts: int | None = None,
        delay_ms: float | None = None,
        backoff_factor: float | None = None,
        max_delay_ms: float | None = None,
        *,
        jitter: Jitter | None = None,
        max_elapsed_ms: float | None = None,
        attempt_timeout_ms: float | None = None,
        policy: RetryPolicy | None = None,
        **options: Unpack[RetryServiceOptions],
    ) -> None:
        given: dict[str, Any] = {
            "max_attempts": max_attempts,
            "delay_ms": delay_ms,
            "backoff_factor": backoff_factor,
            "max_delay_ms": max_delay_ms,
            "jitter": jitter,
            "max_elapsed_ms": max_elapsed_ms,
            "attempt_timeout_ms": attempt_timeout_ms,
        }
        timeout_is_wanted = policy is not None or attempt_timeout_ms is not None
        # Arguments win over the policy, a policy replaces the environment as a whole.
        if policy is None:
            settings = RetryConfig.from_env()
            policy = policy_of(settings)
            options.setdefault("budget", chosen_budget(settings))
        changes: Any = {name: value for name, value in given.items() if value is not None}

        random = options.get("random", _SYSTEM_RANDOM)
        if not callable(random) and not callable(getattr(cast("object", random), "random", None)):
            raise ConfigurationError(
                "random: must be a random.Random or a function returning 0 to 1.",
                variable="random",
            )
        clock = options.get("clock", time.monotonic)
        self._registry = MetricsRegistry(clock)
        self._subscribers = Subscribers(RETRY_EVENT_NAMES, self._handler_failed, spawn)
        self._handler_log = QuietLog(_log)
        self._runner = CallRunner(
            policy.with_(**changes) if changes else policy,
            Instrumentation(self._registry, self._subscribers, clock),
            allows=as_predicate(options.get("retry_on")),
            budget=options.get("budget"),
            sleep=options.get("sleep", time.sleep),
            async_sleep=options.get("async_sleep", ASYNC_SLEEP),
            draw=random if callable(random) else random.random,
            # A time limit from the settings is for calls that can be cut short. One that the
            # program asks for must not be ignored: blocking functions are refused then.
            refuses_blocking=timeout_is_wanted,
        )

    @classmethod
    def from_env(
        cls,
        env_file: str | Path | None = ".env",
        *,
        environ: Mapping[str, str] | None = None,
        **options: Unpack[RetryServiceOptions],
    ) -> EvolutionRetryService:
        """Make a service from ``EVOLUTION_RETRY_…`` of the environment and a ``.env`` file.

        ``EvolutionRetryService()`` does the same with their defaults. No other setting is read.

        Args:
            env_file: Path of the file, or None for no file. The default may be absent.
            environ: The process environment. Default: the real one, which wins over the file.
            **options: ``retry_on``, ``budget``, ``clock``, ``sleep``, ``async_sleep``, ``random``.

        Returns:
            A new service.

        Raises:
            ConfigurationError: A value is wrong; ``variable`` names it.
        """
        return cls._of(RetryConfig.from_env(env_file, environ=environ), options)

    @classmethod
    def from_config(
        cls, config: EvolutionConfig | RetryConfig, **options: Unpack[RetryServiceOptions]
    ) -> EvolutionRetryService:
        """Make a service from settings.

        Args:
            config: All settings, or their section ``retry``.
            **options: ``retry_on``, ``budget``, ``clock``, ``sleep``, ``async_sleep``, ``random``.

        Returns:
            A new service.
        """
        return cls._of(config if isinstance(config, RetryConfig) else config.retry, options)

    @classmethod
    def _of(cls, settings: RetryConfig, options: RetryServiceOptions) -> EvolutionRetryService:
        options.setdefault("budget", chosen_budget(settings))
        service = cls(policy=policy_of(settings), **options)
        service._runner.refuses_blocking = False
        return service

    @classmethod
    def from_policy(
        cls, policy: RetryPolicy, **options: Unpack[RetryServiceOptions]
    ) -> EvolutionRetryService:
        """Make a service from a policy.

        Args:
            policy: Number of attempts and the waits between them.
            **options: ``retry_on``, ``budget``, ``clock``, ``sleep``, ``async_sleep``, ``random``.

        Returns:
            A new service.
        """
        return cls(policy=policy, **options)

    @property
    def policy(self) -> RetryPolicy:
        """Policy of all calls that bring none of their own."""
        return self._runner.policy

    @property
    def budget(self) -> RetryBudget | None:
        """Budget that all retries share; None when there is no bound."""
        return self._runner.budget

    async def execute_with_retry(
        self,
        fn: Callable[[], Awaitable[T]],
        operation: str,
        *,
        policy: RetryPolicy | None = None,
        retry_on: RetryOn | None = None,
    ) -> T:
        """Await ``fn()`` and try again when it fails.

        Any ``Exception`` is retried, but for an ``EvolutionError`` that is not ``retryable``, for
        errors that ``retry_on`` leaves out, and for those that a client or service inside ``fn``
        has already retried. Cancellation and ``KeyboardInterrupt`` get out at once.

        Args:
            fn: Called anew for every attempt; returns an awaitable. A plain value is accepted.
            operation: Name for metrics, events and logs, such as ``send``; not a secret.
            policy: Policy of this call. Default: the service's.
            retry_on: Exceptions to retry in this call. Default: the service's.

        Returns:
            The value that ``fn`` returned.

        Raises:
            ConfigurationError: ``retry_on`` is neither exception classes nor a function.
            Exception: The last one of ``fn``, unchanged, with a note why it was the last.
        """
        if type(operation) is not str or not callable(fn) or policy is not None:
            _check_execute(fn, operation, policy=policy)
        allows = None if retry_on is None else as_predicate(retry_on)
        return await self._runner.execute_async(fn, operation, policy, allows)

    def execute_with_retry_sync(
        self,
        fn: Callable[[], T],
        operation: str,
        *,
        policy: RetryPolicy | None = None,
        retry_on: RetryOn | None = None,
    ) -> T:
        """Call ``fn()`` and try again when it fails; as :meth:`execute_with_retry`, blocking.

        Args:
            fn: Called anew for every attempt.
            operation: Name for metrics, events and logs, such as ``send``; not a secret.
            policy: Policy of this call. Default: the service's.
            retry_on: Exceptions to retry in this call. Default: the service's.

        Returns:
            The value that ``fn`` returned.

        Raises:
            ConfigurationError: ``fn`` returned a coroutine, so that it has not run at all;
                the program gave an ``attempt_timeout_ms``, which no blocking function can obey
                (one from the environment is ignored here); or ``retry_on`` is neither exception
                classes nor a function.
            Exception: The last one of ``fn``, unchanged, with a note why it was the last.
        """
        if type(operation) is not str or not callable(fn) or policy is not None:
            _check_execute(fn, operation, policy=policy)
        allows = None if retry_on is None else as_predicate(retry_on)
        return self._runner.execute_sync(fn, operation, policy, allows)

    def retryable(
        self,
        operation: str,
        *,
        policy: RetryPolicy | None = None,
        retry_on: RetryOn | None = None,
    ) -> Callable[[Callable[P, T]], Callable[P, T]]:
        """Decorate a function, sync or async, so that every call of it is retried.

        Args:
            operation: Name for metrics, events and logs, such as ``send``; not a secret.
            policy: Policy of this function. Default: the service's.
            retry_on: Exceptions to retry in this function. Default: the service's.

        Returns:
            A decorator that keeps signature and name of the function, and whether it is async.

        Raises:
            ConfigurationError: It was used without a name, or on a generator function, whose
                body only runs after the call has returned.
        """
        if not isinstance(cast("object", operation), str):
            raise ConfigurationError(
                'Give the operation a name: @retry.retryable("send").', variable="operation"
            )
        _check_execute(_nothing, operation, policy=policy)
        allows = None if retry_on is None else as_predicate(retry_on)

        def decorate(fn: Callable[P, T]) -> Callable[P, T]:
            # Calling it only makes the generator: its failure would come after the retry service
            # has counted a success.
            if inspect.isgeneratorfunction(fn) or inspect.isasyncgenfunction(fn):
                raise ConfigurationError(
                    "A generator function cannot be retried as a call.", variable="fn"
                )
            if is_async(fn):
                execute_async = self._runner.execute_async
                awaited = cast("Callable[P, Awaitable[Any]]", fn)

                @wraps(fn)
                async def call_async(*args: P.args, **kwargs: P.kwargs) -> Any:
                    return await execute_async(
                        partial(awaited, *args, **kwargs), operation, policy, allows
                    )

                return cast("Callable[P, T]", call_async)

            execute_sync = self._runner.execute_sync

            @wraps(fn)
            def call(*args: P.args, **kwargs: P.kwargs) -> T:
                return execute_sync(partial(fn, *args, **kwargs), operation, policy, allows)

            return call

        return decorate

    def get_metrics(
        self, operation: str | None = None, *, window_ms: float | None = None
    ) -> RetryMetrics:
        """Return the metrics counted so far, as a copy.

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
        return self._registry.snapshot(operation, window_ms)

    def get_active_requests(self, operation: str | None = None) -> int:
        """Count the calls in flight, those waiting for their next attempt included.

        Args:
            operation: Name of one operation or group; None for all.

        Returns:
            The number of calls.
        """
        return self._registry.active(operation)

    def operations(self) -> tuple[str, ...]:
        """List the names of the operations that have been counted.

        Returns:
            The names, sorted; beyond 1,000 of them the rest is counted together, as ``other``.
        """
        return self._registry.operations()

    def reset_metrics(self) -> None:
        """Begin counting anew; calls in flight are counted when they finish."""
        self._registry.reset()

    @overload
    def on(self, event: Literal["success"]) -> Callable[[_OnSuccess], _OnSuccess]: ...
    @overload
    def on(self, event: Literal["retry"]) -> Callable[[_OnRetry], _OnRetry]: ...
    @overload
    def on(self, event: Literal["failure"]) -> Callable[[_OnFailure], _OnFailure]: ...
    @overload
    def on(
        self, event: Literal["success"], handler: Callable[[SuccessEvent], T]
    ) -> Callable[[SuccessEvent], T]: ...
    @overload
    def on(
        self, event: Literal["retry"], handler: Callable[[RetryEvent], T]
    ) -> Callable[[RetryEvent], T]: ...
    @overload
    def on(
        self, event: Literal["failure"], handler: Callable[[FailureEvent], T]
    ) -> Callable[[FailureEvent], T]: ...
    def on(self, event: RetryEventName, handler: Handler | None = None) -> Any:
        """Subscribe a handler; also usable as a decorator, ``@retry.on("retry")``.

        A handler is called in the thread of its call, before that call goes on. One that raises is
        logged and counted in ``handler_errors``; the call and the other handlers go on. An async
        handler runs as a task of the event loop that runs in that thread. A blocking call outside
        of any loop has none: the handler is then not run, which is logged by its name and counted
        in ``handler_errors``. Subscribe a plain function for blocking calls.

        Args:
            event: ``success``, ``retry`` or ``failure``.
            handler: Takes the event, :class:`SuccessEvent`, :class:`RetryEvent` or
                :class:`FailureEvent`. The same handler is called once per event, however
                often it was subscribed.

        Returns:
            The handler; without one, a decorator.

        Raises:
            ConfigurationError: There is no such event, or the handler cannot be called.
        """
        return self._subscribers.on(event, handler)

    @overload
    def once(self, event: Literal["success"]) -> Callable[[_OnSuccess], _OnSuccess]: ...
    @overload
    def once(self, event: Literal["retry"]) -> Callable[[_OnRetry], _OnRetry]: ...
    @overload
    def once(self, event: Literal["failure"]) -> Callable[[_OnFailure], _OnFailure]: ...
    @overload
    def once(
        self, event: Literal["success"], handler: Callable[[SuccessEvent], T]
    ) -> Callable[[SuccessEvent], T]: ...
    @overload
    def once(
        self, event: Literal["retry"], handler: Callable[[RetryEvent], T]
    ) -> Callable[[RetryEvent], T]: ...
    @overload
    def once(
        self, event: Literal["failure"], handler: Callable[[FailureEvent], T]
    ) -> Callable[[FailureEvent], T]: ...
    def once(self, event: RetryEventName, handler: Handler | None = None) -> Any:
        """Subscribe a handler for the next event only; as :meth:`on`.

        Args:
            event: ``success``, ``retry`` or ``failure``.
            handler: Takes the event. One that is subscribed already stays as it is.

        Returns:
            The handler; without one, a decorator.

        Raises:
            ConfigurationError: There is no such event, or the handler cannot be called.
        """
        return self._subscribers.once(event, handler)

    def remove_listener(self, event: RetryEventName, handler: Handler) -> bool:
        """Unsubscribe a handler.

        Args:
            event: Event it was subscribed to.
            handler: Handler that was given to :meth:`on` or :meth:`once`.

        Returns:
            True when it was subscribed; one that was not is no error.

        Raises:
            ConfigurationError: There is no such event.
        """
        return self._subscribers.remove_listener(event, handler)

    def listeners(self, event: RetryEventName) -> list[Handler]:
        """List the handlers of an event.

        Args:
            event: ``success``, ``retry`` or ``failure``.

        Returns:
            The handlers, in the order in which they are called.

        Raises:
            ConfigurationError: There is no such event.
        """
        return self._subscribers.listeners(event)

    def _handler_failed(self, event: RetryServiceEvent, error: BaseException) -> None:
        """Log and count a handler's failure."""
        who = f"a listener of {event.name!r}"
        if isinstance(error, NoEventLoopError):
            # No fault inside of the handler, so its traceback would point at the SDK.
            self._handler_log.trouble(
                (who, error.place),
                "%s is async and was not run, because no event loop runs in the thread of the "
                "blocking call: %s. Subscribe a plain function, or make the call async.",
                who,
                error.place,
                level=logging.ERROR,
                extra=lambda: {"operation": event.operation, "instance": event.instance},
            )
        else:
            tell_handler_failure(
                self._handler_log,
                who,
                error,
                operation=event.operation,
                instance=event.instance,
            )
        self._registry.handler_failed(event.operation)


def runner_of(service: EvolutionRetryService) -> CallRunner:
    """Return the part of a service that makes calls: the client's own way in."""
    return service._runner  # pyright: ignore[reportPrivateUsage] - not for users, so no property


@checked_call()
def _check_execute(
    fn: Callable[..., Any], operation: str, *, policy: RetryPolicy | None = None
) -> None:
    """Refuse wrong arguments in the words of all public methods.

    Called only when something is unusual at first sight: every message passes by, and the full
    check costs more than all that the service does for a call that succeeds.
    """


def _nothing() -> None:
    """Stand in for a function that is not known yet."""
