"""EvolutionRetryService: tries again what may be tried again, and tells what happened."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar, Unpack, cast

from evolution_sdk._core.arguments import checked
from evolution_sdk.errors import ConfigurationError

from .drive import drive_async, drive_sync, within
from .engine import ENCLOSING, Engine, ServiceOptions, no_way, no_way_async
from .policy import RetryPolicy
from .safety import RetryOn

__all__ = ["EvolutionRetryService"]

P = ParamSpec("P")
T = TypeVar("T")


@checked(but=("retryable",))
class EvolutionRetryService(Engine):
    """Runs functions, tries them again when that may help and cannot harm, and keeps count.

    Usable alone with any function, and the client's own engine. One service may be shared by
    threads and tasks. Subscribe with ``on("success" | "retry" | "failure", handler)``.

    Args:
        max_attempts: Most attempts in all, the first one included.
        delay_ms: Wait after the first failed attempt, in milliseconds.
        backoff_factor: What each further wait is multiplied with; at least 1.
        max_delay_ms: Cap of a single wait, in milliseconds.
        jitter: ``full`` (default), ``equal``, ``decorrelated`` or ``none``; see
            :class:`RetryPolicy`.
        max_elapsed_ms: No wait is begun that would end later than this, in milliseconds.
        attempt_timeout_ms: Longest time of one attempt, in milliseconds; see
            :class:`RetryPolicy`.
        retry_on: Exception classes, or a function of the error, that restrict what is tried
            again. It never widens: an ``EvolutionError`` that is not ``retryable`` stays so.
        budget: What all retries of this service together are taken from. Default: no bound (the
            client's own service has one).
        clock: Seconds that never go back, as ``time.monotonic``.
        sleep: Blocks for some seconds, as ``time.sleep``.
        async_sleep: Awaits some seconds, as ``asyncio.sleep``.
        random: Source of the jitter: a ``random.Random`` or a function returning 0 to 1.

    Raises:
        ConfigurationError: A value is out of range; ``variable`` names it.
    """

    @classmethod
    def from_policy(
        cls, policy: RetryPolicy, **options: Unpack[ServiceOptions]
    ) -> EvolutionRetryService:
        """Make a service from a policy.

        Args:
            policy: How often and how long apart.
            **options: ``retry_on``, ``budget``, ``clock``, ``sleep``, ``async_sleep``, ``random``.

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
            attempt_timeout_ms=policy.attempt_timeout_ms,
            **options,
        )

    async def execute_with_retry(
        self,
        fn: Callable[[], Awaitable[T]],
        operation: str,
        *,
        policy: RetryPolicy | None = None,
        retry_on: RetryOn | None = None,
    ) -> T:
        """Await ``fn()`` and try again when it fails.

        Any ``Exception`` is tried again, but for an ``EvolutionError`` that is not
        ``retryable``, for what ``retry_on`` leaves out, and for what a client or service inside
        ``fn`` has already retried. Cancellation and ``KeyboardInterrupt`` get out at once.

        Args:
            fn: Called anew for every attempt; returns an awaitable. A plain value is accepted.
            operation: Name for metrics, events and logs, such as ``send``; not a secret.
            policy: How often and how long apart, for this call. Default: the service's.
            retry_on: What is tried again, for this call. Default: the service's.

        Returns:
            What ``fn`` returned.

        Raises:
            ConfigurationError: ``retry_on`` is neither exception classes nor a function.
            Exception: The last one of ``fn``, unchanged, with a note why it was the last.
        """
        limit_ms = (policy or self._policy).attempt_timeout_ms

        async def attempt(_: int) -> T:
            result = fn()
            if not inspect.isawaitable(result):
                return cast("T", result)
            return await (result if limit_ms is None else within(limit_ms, result))

        given_up: list[BaseException] = []
        call = self._call(operation, policy, retry_on=retry_on, retried_inside=given_up)
        token = ENCLOSING.set(given_up)
        try:
            return cast("T", await drive_async(call, attempt, no_way_async, self._async_sleep))
        finally:
            ENCLOSING.reset(token)
            given_up.clear()  # a task begun by the function may hold this for ever

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
            policy: How often and how long apart, for this call. Default: the service's.
            retry_on: What is tried again, for this call. Default: the service's.

        Returns:
            What ``fn`` returned.

        Raises:
            ConfigurationError: ``fn`` returned a coroutine, so that it has not run at all;
                ``attempt_timeout_ms`` is set, which no blocking function can obey; or
                ``retry_on`` is neither exception classes nor a function.
            Exception: The last one of ``fn``, unchanged, with a note why it was the last.
        """
        if (policy or self._policy).attempt_timeout_ms is not None:
            raise ConfigurationError(
                "attempt_timeout_ms cannot cut a blocking function short. Give the function a "
                "time limit of its own (timeout_ms= in calls of the client), or make it async.",
                variable="attempt_timeout_ms",
            )

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

        given_up: list[BaseException] = []
        call = self._call(operation, policy, retry_on=retry_on, retried_inside=given_up)
        token = ENCLOSING.set(given_up)
        try:
            return cast("T", drive_sync(call, attempt, no_way, self._sleep))
        finally:
            ENCLOSING.reset(token)
            given_up.clear()  # a thread begun by the function may hold this for ever

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
            policy: How often and how long apart, for this function. Default: the service's.
            retry_on: What is tried again, for this function. Default: the service's.

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
                        lambda: awaited(*args, **kwargs),
                        operation,
                        policy=policy,
                        retry_on=retry_on,
                    )

                return cast("Callable[P, T]", call_async)

            @wraps(fn)
            def call(*args: P.args, **kwargs: P.kwargs) -> T:
                return self.execute_with_retry_sync(
                    lambda: fn(*args, **kwargs), operation, policy=policy, retry_on=retry_on
                )

            return call

        return decorate


def _is_async(fn: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(
        getattr(fn, "__call__", None)  # noqa: B004 - an object whose call is async, not a check
    )
