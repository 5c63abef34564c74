"""Runner of calls: the part of the retry service that makes them."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Collection
from contextvars import ContextVar
from types import CoroutineType
from typing import Final, TypeVar, cast

from evolution_sdk._base.effect import Effect
from evolution_sdk._base.forking import check
from evolution_sdk.errors import ConfigurationError, EvolutionError

from .budget import RetryBudget
from .decision import CallSpec, SendAbsent, SendFound, SendUnsettled
from .drive import drive_call, drive_call_async, limited
from .instrumentation import InFlightCall, Instrumentation
from .policy import RetryPolicy
from .safety import OnUnknown, check_on_unknown
from .waits import Draw

__all__ = ["ENCLOSING_CALL", "CallRunner", "RetryPredicate"]

T = TypeVar("T")
RetryPredicate = Callable[[Exception], bool]

ENCLOSING_CALL: Final[ContextVar[list[BaseException] | None]] = ContextVar("retry", default=None)
"""Errors that services inside the running function have given up on after retrying."""


class CallRunner:
    """Makes calls by one policy, and records them.

    Args:
        policy: Policy of calls that bring none of their own.
        instrumentation: Places where the calls are recorded.
        allows: Predicate that restricts what is retried; None for no restriction.
        budget: Budget that all retries share; None for no bound.
        sleep: Blocks for some seconds.
        async_sleep: Awaits some seconds.
        draw: Source of random numbers, for the waits.
        refuses_blocking: Whether blocking functions are refused when the policy has a time limit
            for attempts.
    """

    def __init__(
        self,
        policy: RetryPolicy,
        instrumentation: Instrumentation,
        *,
        allows: RetryPredicate | None,
        budget: RetryBudget | None,
        sleep: Callable[[float], object],
        async_sleep: Callable[[float], Awaitable[object]],
        draw: Draw,
        refuses_blocking: bool,
    ) -> None:
        self.policy = policy
        self.budget = budget
        self.async_sleep = async_sleep
        self.refuses_blocking = refuses_blocking
        self._instrumentation = instrumentation
        self._allows = allows
        self._sleep = sleep
        self._draw = draw

    async def execute_async(
        self,
        fn: Callable[[], Awaitable[T]],
        operation: str,
        policy: RetryPolicy | None,
        allows: RetryPredicate | None,
    ) -> T:
        """Run a function of the user's.

        Args:
            fn: Called anew for every attempt; returns an awaitable or a plain value.
            operation: Name for metrics, events and logs.
            policy: Policy of this call; None for the runner's.
            allows: Predicate of this call; None for the runner's.

        Returns:
            The value that ``fn`` returned.

        Raises:
            Exception: The last one of ``fn``.
        """
        policy = policy or self.policy
        limit_ms = policy.attempt_timeout_ms

        async def attempt(_: int) -> T:
            result = fn()
            # A function that is async only sometimes, or a mock, is no reason to fail.
            if not inspect.isawaitable(result):
                return cast("T", result)
            return await (result if limit_ms is None else limited(limit_ms, result))

        # A client or service inside of the function writes the errors that it has retried itself
        # to this list; three attempts inside and three here then make three, not nine.
        given_up: list[BaseException] = []
        call = self._begin(operation, policy, allows, retried_inside=given_up)
        token = ENCLOSING_CALL.set(given_up)
        try:
            result: T = await drive_call_async(call, attempt, None, self.async_sleep)
            return result
        finally:
            ENCLOSING_CALL.reset(token)
            given_up.clear()  # a task that the function began may keep the list alive

    def execute_sync(
        self,
        fn: Callable[[], T],
        operation: str,
        policy: RetryPolicy | None,
        allows: RetryPredicate | None,
    ) -> T:
        """Run a blocking function of the user's; as :meth:`execute_async`.

        Args:
            fn: Called anew for every attempt.
            operation: Name for metrics, events and logs.
            policy: Policy of this call; None for the runner's.
            allows: Predicate of this call; None for the runner's.

        Returns:
            The value that ``fn`` returned.

        Raises:
            ConfigurationError: ``fn`` is async, or an attempt has a time limit.
            Exception: The last one of ``fn``.
        """
        # No thread can be stopped from outside. Ignoring a limit that the program asks for would
        # be worse than refusing the call before anything has happened.
        refuses = self.refuses_blocking or policy is not None
        policy = policy or self.policy
        if refuses and policy.attempt_timeout_ms is not None:
            raise ConfigurationError(
                "attempt_timeout_ms cannot cut a blocking function short. Give the function a "
                "time limit of its own (timeout_ms= in calls of the client), or make it async.",
                variable="attempt_timeout_ms",
            )

        def attempt(_: int) -> T:
            result = fn()
            if isinstance(result, CoroutineType):
                result.close()  # or Python warns that it was never awaited
                raise ConfigurationError(
                    "The function is async: await execute_with_retry(...), or decorate an "
                    "'async def'.",
                    variable="fn",
                )
            return result

        given_up: list[BaseException] = []  # as in execute_async
        call = self._begin(operation, policy, allows, retried_inside=given_up)
        token = ENCLOSING_CALL.set(given_up)
        try:
            result: T = drive_call(call, attempt, None, self._sleep)
            return result
        finally:
            ENCLOSING_CALL.reset(token)
            given_up.clear()  # a thread that the function began may keep the list alive

    async def run_async(
        self,
        attempt: Callable[[int], Awaitable[T]],
        operation: str,
        *,
        effect: Effect,
        policy: RetryPolicy | None = None,
        on_unknown: OnUnknown = "reconcile",
        resolve: Callable[[EvolutionError], Awaitable[SendFound[T] | SendAbsent | SendUnsettled]]
        | None = None,
        instance: str | None = None,
    ) -> T:
        """Make one API call by the table of effect and phase.

        Args:
            attempt: Makes one attempt; is given its number, from 1. Raises ``EvolutionError`` with
                the right phase.
            operation: Name of the operation, such as ``message.send_text``.
            effect: Effect of the operation; decides what may be repeated.
            policy: Policy of this call; ``max_attempts=1`` means no retry, but an unknown outcome
                is looked up nevertheless. Default: the runner's.
            on_unknown: Policy for a send that may have happened: ``raise``, ``reconcile`` (look it
                up, return it when found, else raise) or ``resend`` (look it up, return it when
                found, try again when surely absent).
            resolve: Looks it up; is given the error. One that fails settles nothing. Default: it
                cannot be looked up.
            instance: Instance the call goes through, for the error.

        Returns:
            The value of the attempt, or the one the resolver found.

        Raises:
            SendOutcomeUnknownError: A send may or may not have happened; ``__cause__`` is the
                failure.
            Exception: The last one of the attempts, unchanged.
        """
        check_on_unknown(on_unknown)  # before anything is sent
        call = self._begin(
            operation, policy, None, effect=effect, on_unknown=on_unknown, instance=instance
        )
        result: T = await drive_call_async(call, attempt, resolve, self.async_sleep)
        return result

    def run_sync(
        self,
        attempt: Callable[[int], T],
        operation: str,
        *,
        effect: Effect,
        policy: RetryPolicy | None = None,
        on_unknown: OnUnknown = "reconcile",
        resolve: Callable[[EvolutionError], SendFound[T] | SendAbsent | SendUnsettled]
        | None = None,
        instance: str | None = None,
    ) -> T:
        """Make one API call, blocking; as :meth:`run_async`.

        Args:
            attempt: Makes one attempt; is given its number, from 1.
            operation: Name of the operation, such as ``message.send_text``.
            effect: Effect of the operation; decides what may be repeated.
            policy: Policy of this call. Default: the runner's.
            on_unknown: Policy for a send that may or may not have happened.
            resolve: Looks it up. Default: it cannot be looked up.
            instance: Instance the call goes through, for the error.

        Returns:
            The value of the attempt, or the one the resolver found.

        Raises:
            SendOutcomeUnknownError: A send may or may not have happened.
            Exception: The last one of the attempts, unchanged.
        """
        if on_unknown != "reconcile":
            check_on_unknown(on_unknown)
        call = self._begin(
            operation, policy, None, effect=effect, on_unknown=on_unknown, instance=instance
        )
        result: T = drive_call(call, attempt, resolve, self._sleep)
        return result

    def _begin(
        self,
        operation: str,
        policy: RetryPolicy | None,
        allows: RetryPredicate | None,
        *,
        effect: Effect | None = None,
        on_unknown: OnUnknown = "reconcile",
        instance: str | None = None,
        retried_inside: Collection[BaseException] = (),
    ) -> InFlightCall:
        check()  # in a forked process, counters and locks begin anew
        # As CallSpec(...) does it, without a call into Python: every message comes by here.
        spec = tuple.__new__(  # pyright: ignore[reportUnknownMemberType] - as typeshed has it
            CallSpec,
            (
                policy or self.policy,
                operation,
                effect,
                on_unknown,
                instance,
                allows or self._allows,
                retried_inside,
                self.budget,
            ),
        )
        return InFlightCall(spec, self._instrumentation, self._draw, ENCLOSING_CALL.get())
