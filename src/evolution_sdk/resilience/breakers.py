"""The breakers of one client: one for the server, one for each instance that has failed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import permutations
from types import MappingProxyType
from typing import Any

from evolution_sdk._base.forking import free_in_child, in_child
from evolution_sdk._base.handler_log import tell_handler_failure
from evolution_sdk._base.harmless import harmless, quiet_logger
from evolution_sdk._base.quiet_log import QuietLog
from evolution_sdk.config import BreakerConfig
from evolution_sdk.errors import CircuitOpenError
from evolution_sdk.operations.operation import Operation, TimeoutKind

from .breaker import BreakerSnapshot, BreakerState, CallOutcome, CircuitBreaker, Permit, Refusal
from .outcome import cause_of, judge

__all__ = ["BreakerChange", "BreakerListener", "Breakers", "Entry"]

_log = quiet_logger("evolution_sdk.resilience")
_MOST_INSTANCES = 1_024

Entry = tuple[Permit, tuple[bool, bool], str | None, CircuitBreaker | None, Permit]
"""An attempt under way: permit of the server's breaker, whether it goes through the session and
whether it carries a file, its instance, that one's breaker and its permit."""


@dataclass(frozen=True, slots=True)
class BreakerChange:
    """A breaker has changed its state.

    Attributes:
        scope: ``server`` or ``instance``.
        instance: Whose, for an instance's.
        old: The state before.
        new: The state now.
        failure_rate: Share of failed attempts in the window, 0 to 1.
        calls: Attempts in the window.
        reason: What opened it, in words; empty once it is closed.
    """

    scope: str
    instance: str | None
    old: BreakerState
    new: BreakerState
    failure_rate: float
    calls: int
    reason: str = ""


BreakerListener = Callable[[BreakerChange], object]


class Breakers:
    """Asked before each attempt and told after it; safe for threads.

    An instance gets a breaker with its first failure, so that healthy ones cost nothing. The
    number of breakers is bounded: the longest unused one goes first.

    Args:
        config: When they open, and for how long.
        clock: Seconds that never go back.
        most_instances: Most instances with a breaker of their own.
    """

    def __init__(
        self,
        config: BreakerConfig,
        clock: Callable[[], float],
        *,
        most_instances: int = _MOST_INSTANCES,
    ) -> None:
        self._config = config
        self._clock = clock
        self._most = most_instances
        self._lock = free_in_child(threading.Lock())
        self._listeners: tuple[BreakerListener, ...] = ()
        self._trouble = QuietLog(_log, clock)
        self._scopes: dict[str, tuple[bool, bool]] = {}
        self._begin()
        in_child(self._begin)

    def _begin(self) -> None:
        self._server = CircuitBreaker(self._config, self._clock())
        self._instances: OrderedDict[str, CircuitBreaker] = OrderedDict()

    def enter(self, operation: Operation[Any], instance: str | None) -> Entry:
        """Ask for leave for one attempt; :meth:`leave` must follow.

        Args:
            operation: What is to be called.
            instance: For which instance.

        Returns:
            What :meth:`leave` wants back.

        Raises:
            CircuitOpenError: It is not worth trying now.
        """
        scope = self._scopes.get(operation.name)
        if scope is None:
            of_file = operation.timeout is TimeoutKind.MEDIA
            scope = self._scopes[operation.name] = (operation.session, of_file)
        by_session = scope[0]
        own = self._instances.get(instance) if by_session and instance is not None else None
        own_permit = 0 if own is None else self._acquire(own, "instance", instance)
        if self._server.state is BreakerState.CLOSED:  # without looking at the clock
            return (self._server.generation, scope, instance, own, own_permit)
        try:
            permit = self._acquire(self._server, "server", None)
        except CircuitOpenError:
            if own is not None:
                own.record(own_permit, CallOutcome.IGNORED, self._clock())
            raise
        return (permit, scope, instance, own, own_permit)

    def check(self, operation: Operation[Any], instance: str | None) -> None:
        """Raise if :meth:`enter` would now; takes no place.

        Args:
            operation: What is to be called.
            instance: For which instance.

        Raises:
            CircuitOpenError: It is not worth trying now.
        """
        own = self._instances.get(instance) if instance is not None else None
        if own is not None and operation.session:
            refused = own.refuses(self._clock())
            if refused is not None:
                raise CircuitOpenError("instance", instance, refused.retry_after_ms)
        refused = self._server.refuses(self._clock())
        if refused is not None:
            raise CircuitOpenError("server", None, refused.retry_after_ms)

    def leave(self, entry: Entry, error: BaseException | None) -> None:
        """Tell how an attempt ended; never raises.

        Args:
            entry: What :meth:`enter` gave.
            error: What it raised, or None.
        """
        permit, (by_session, one_file), instance, own, own_permit = entry
        if error is None and own is None:
            if self._server.record(permit, CallOutcome.SUCCESS, self._clock()):
                self._announce("server", None, self._server)
            return
        outcomes = judge(error, by_session=by_session, one_file=one_file)
        now = self._clock()
        self._record(self._server, permit, outcomes.server, now, None, error)
        if not by_session or instance is None:
            return
        if own is None and outcomes.instance is CallOutcome.FAILURE:
            own = self._made(instance, now)
            # Made by another attempt and changed since: this outcome is of the past.
            own_permit = 0
        if own is not None:
            self._touch(instance)
            self._record(own, own_permit, outcomes.instance, now, instance, error)

    def try_early(self, instance: str | None = None) -> bool:
        """Half-open an open breaker before its time, for the usual number of trial calls.

        Once per period: when the trial fails, it stays open for its full time.

        Args:
            instance: Whose breaker; None for the server's.

        Returns:
            Whether one was open and lets calls through now.
        """
        breaker = self._server if instance is None else self._instances.get(instance)
        if breaker is None or not breaker.try_early():
            return False
        self._announce("server" if instance is None else "instance", instance, breaker)
        return True

    def snapshot(self) -> Mapping[str, BreakerSnapshot]:
        """How all breakers stand.

        Returns:
            By scope: ``server``, and ``instance:<name>`` for each instance that has failed.
        """
        now = self._clock()
        with self._lock:
            instances = list(self._instances.items())
        found = {"server": self._server.snapshot(now)}
        found.update({f"instance:{name}": each.snapshot(now) for name, each in instances})
        return MappingProxyType(found)

    def listen(self, listener: BreakerListener) -> Callable[[], None]:
        """Call a function at every change of state; what it raises is logged and harms nothing.

        Args:
            listener: Is given a :class:`BreakerChange`, in the thread of the call that caused it.

        Returns:
            A function that ends it.
        """
        with self._lock:
            self._listeners = (*self._listeners, listener)

        def stop() -> None:
            with self._lock:
                self._listeners = tuple(each for each in self._listeners if each is not listener)

        return stop

    def _acquire(self, breaker: CircuitBreaker, scope: str, instance: str | None) -> Permit:
        rested = breaker.state is not BreakerState.CLOSED
        permit = breaker.acquire(self._clock())
        if isinstance(permit, Refusal):
            raise CircuitOpenError(scope, instance, permit.retry_after_ms)
        if rested:
            self._announce(scope, instance, breaker)
        return permit

    def _made(self, instance: str, now: float) -> CircuitBreaker:
        with self._lock:
            found = self._instances.get(instance)
            if found is None:
                found = self._instances[instance] = CircuitBreaker(self._config, now)
                while len(self._instances) > self._most:
                    self._instances.popitem(last=False)
            return found

    def _touch(self, instance: str) -> None:
        with self._lock:
            if instance in self._instances:
                self._instances.move_to_end(instance)

    def _record(
        self,
        breaker: CircuitBreaker,
        permit: Permit,
        outcome: CallOutcome,
        now: float,
        instance: str | None,
        error: BaseException | None,
    ) -> None:
        cause = "" if error is None or outcome is not CallOutcome.FAILURE else cause_of(error)
        if breaker.record(permit, outcome, now, cause):
            self._announce("server" if instance is None else "instance", instance, breaker)

    def _announce(self, scope: str, instance: str | None, breaker: CircuitBreaker) -> None:
        now = breaker.snapshot(self._clock())
        whose = "server" if instance is None else f"instance {instance!r}"
        while (move := breaker.next_move()) is not None:
            change = BreakerChange(scope, instance, *move, now.failure_rate, now.calls, now.reason)
            if change.new is BreakerState.CLOSED:  # the end of a trouble is always told
                for pair in permutations(BreakerState, 2):
                    self._trouble.forget((whose, *pair))
            self._trouble.trouble(
                (whose, *move), "circuit of %s: %s -> %s%s", whose, *move, _why(change)
            )
            for listener in self._listeners:
                harmless(listener, change, failed=partial(self._listener_failed, move))

    def _listener_failed(self, move: Any, error: BaseException) -> None:
        tell_handler_failure(
            self._trouble, "a breaker listener", error, old=str(move[0]), new=str(move[1])
        )


def _why(change: BreakerChange) -> str:
    match change.new:
        case BreakerState.OPEN:
            return f": opened after {change.reason}"
        case BreakerState.HALF_OPEN:
            return f": it was opened after {change.reason}"
        case BreakerState.CLOSED:
            return ": the trial calls succeeded"
