"""EvolutionRetryService: tries again what may be tried again, and tells what happened."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, Unpack, cast

from evolution_sdk._common.arguments import checked
from evolution_sdk.config import EvolutionConfig, RetryConfig
from evolution_sdk.errors import ConfigurationError

from .drive import drive_async, drive_sync, within
from .engine import ENCLOSING, Engine, ServiceOptions, no_way, no_way_async
from .policy import Jitter, RetryPolicy
from .safety import RetryOn
from .settings import chosen_budget, policy_of

__all__ = ["EvolutionRetryService"]

P = ParamSpec("P")
T = TypeVar("T")


@checked(but=("retryable",))
class EvolutionRetryService(Engine):
    """Runs functions, tries them again when that may help and cannot harm, and keeps count.

    Usable alone with any function, and the client's own engine. One service may be shared by
    threads and tasks. Subscribe with ``on("success" | "retry" | "failure", handler)``.

    Args:
        max_attempts: Most attempts in all, the first one included. Default:
            ``EVOLUTION_RETRY_MAX_ATTEMPTS``, else 3.
        delay_ms: Wait after the first failed attempt, in milliseconds. Default:
            ``EVOLUTION_RETRY_DELAY_MS``, else 1,000.
        backoff_factor: What each further wait is multiplied with; at least 1. Default:
            ``EVOLUTION_RETRY_BACKOFF_FACTOR``, else 2.
        max_delay_ms: Cap of a single wait, in milliseconds. Default:
            ``EVOLUTION_RETRY_MAX_DELAY_MS``, else 30,000.
        jitter: ``equal``, ``full``, ``decorrelated`` or ``none``; see :class:`RetryPolicy`.
            Default: ``EVOLUTION_RETRY_JITTER``, else ``equal``.
        max_elapsed_ms: No wait is begun that would end later than this, in milliseconds. Default:
            ``EVOLUTION_RETRY_MAX_ELAPSED_MS``, else no limit.
        attempt_timeout_ms: Longest time of one attempt, in milliseconds; see
            :class:`RetryPolicy`. Default: ``EVOLUTION_RETRY_ATTEMPT_TIMEOUT_MS``, else no limit.
        policy: All of these at once, instead of the environment; the arguments above win over it.
        retry_on: Exception classes, or a function of the error, that restrict what is tried
            again. It never widens: an ``EvolutionError`` that is not ``retryable`` stays so.
        budget: What all retries of this service together are taken from. Default: what
            ``EVOLUTION_RETRY_BUDGET_…`` say where one of them is set and no policy is given, else
            no bound (the client's own service has one).
        clock: Seconds that never go back, as ``time.monotonic``.
        sleep: Blocks for some seconds, as ``time.sleep``.
        async_sleep: Awaits some seconds, as ``asyncio.sleep``.
        random: Source of the jitter: a ``random.Random`` or a function returning 0 to 1.

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
        **options: Unpack[ServiceOptions],
    ) -> None:
        # A limit from the settings is for what can be cut short; it must not break the rest.
        self._timeout_is_wanted = policy is not None or attempt_timeout_ms is not None
        given: dict[str, Any] = {
            "max_attempts": max_attempts,
            "delay_ms": delay_ms,
            "backoff_factor": backoff_factor,
            "max_delay_ms": max_delay_ms,
            "jitter": jitter,
            "max_elapsed_ms": max_elapsed_ms,
            "attempt_timeout_ms": attempt_timeout_ms,
        }
        if policy is None:
            settings = RetryConfig.from_env()
            policy = policy_of(settings)
            options.setdefault("budget", chosen_budget(settings))
        changes: Any = {name: value for name, value in given.items() if value is not None}
        super().__init__(policy.with_(**changes) if changes else policy, **options)

    @classmethod
    def from_env(
        cls,
        env_file: str | Path | None = ".env",
        *,
        environ: Mapping[str, str] | None = None,
        **options: Unpack[ServiceOptions],
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
        cls, config: EvolutionConfig | RetryConfig, **options: Unpack[ServiceOptions]
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
    def _of(cls, settings: RetryConfig, options: ServiceOptions) -> EvolutionRetryService:
        options.setdefault("budget", chosen_budget(settings))
        service = cls(policy=policy_of(settings), **options)
        service._timeout_is_wanted = False
        return service

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
        return cls(policy=policy, **options)

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
                ``attempt_timeout_ms`` is given, which no blocking function can obey (one of the
                settings is left out of account here); or
                ``retry_on`` is neither exception classes nor a function.
            Exception: The last one of ``fn``, unchanged, with a note why it was the last.
        """
        wanted = policy is not None or self._timeout_is_wanted
        if wanted and (policy or self._policy).attempt_timeout_ms is not None:
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
