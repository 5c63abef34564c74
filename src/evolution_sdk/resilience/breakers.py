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
# From so many on, breakers that have nothing to say make room; one that has failures stays.
_MOST_IDLE = 1_024
# A server has nowhere near as many instances: names beyond that were made up by the program.
_MOST_INSTANCES = 100_000
# Looked at for each new breaker, so that its cost does not grow with the number of breakers.
_LOOKED_AT = 8
# Kinds of change in the log, so that those of all instances are remembered.
_MOST_KINDS = 20_000

Entry = tuple[Permit, tuple[bool, bool], str | None, CircuitBreaker | None, Permit]
"""An attempt under way: permit of the server's breaker; flags for "uses the WhatsApp session" and
"carries a file"; the instance, its breaker, and the permit of that breaker."""


@dataclass(frozen=True, slots=True)
class BreakerChange:
    """Change of state of a breaker.

    Attributes:
        scope: ``server`` or ``instance``.
        instance: Name of the instance, or None for the server's breaker.
        old: The state before.
        new: The state now.
        failure_rate: Share of failed attempts in the window, 0 to 1.
        calls: Attempts in the window.
        reason: Why it opened, in words; empty once it is closed.
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
    """The server's breaker and those of the instances; safe for threads.

    An instance gets a breaker with its first failure, so that healthy instances cost nothing. From
    1,024 on, breakers that are closed and without a failure in their window make room. One that
    counts failures never goes, so any number of instances that fail in turn open theirs.

    Args:
        config: Thresholds and times.
        clock: Monotonic clock, in seconds.
        most_idle: Number of breakers from which on idle ones make room.
        most_instances: Most instances with a breaker of their own, failing ones included. For
            another, one whose last attempt succeeded has to go; where there is none, it gets none.

    Attributes:
        dropped: Times that there was no room; the first is logged.
    """

    def __init__(
        self,
        config: BreakerConfig,
        clock: Callable[[], float],
        *,
        most_idle: int = _MOST_IDLE,
        most_instances: int = _MOST_INSTANCES,
    ) -> None:
        self._config = config
        self._clock = clock
        self._most = most_instances
        self._most_idle = min(most_idle, most_instances)
        self._lock = free_in_child(threading.Lock())
        self._listeners: tuple[BreakerListener, ...] = ()
        self._trouble = QuietLog(_log, clock, most=_MOST_KINDS)
        self._scopes: dict[str, tuple[bool, bool]] = {}
        self._begin()
        in_child(self._begin)

    def _begin(self) -> None:
        self._server = CircuitBreaker(self._config, self._clock())
        # The one used or looked at longest ago comes first.
        self._instances: OrderedDict[str, CircuitBreaker] = OrderedDict()
        self.dropped: int = 0

    def enter(self, operation: Operation[Any], instance: str | None) -> Entry:
        """Ask for permission to make one attempt; :meth:`leave` must follow.

        Args:
            operation: The operation to be called.
            instance: The instance it is for, or None.

        Returns:
            The entry to hand to :meth:`leave`.

        Raises:
            CircuitOpenError: A breaker is open.
        """
        scope = self._scopes.get(operation.name)
        if scope is None:
            of_file = operation.timeout is TimeoutKind.MEDIA
            scope = self._scopes[operation.name] = (operation.session, of_file)
        by_session = scope[0]
        # A call that does not use the WhatsApp session says nothing about it, and succeeds without.
        own = self._instances.get(instance) if by_session and instance is not None else None
        own_permit = 0 if own is None else self._acquire(own, "instance", instance)
        # The usual case, without a look at the clock.
        if self._server.state is BreakerState.CLOSED:
            return (self._server.generation, scope, instance, own, own_permit)
        try:
            permit = self._acquire(self._server, "server", None)
        except CircuitOpenError:
            # The instance's breaker may have given the place of a probe, which is not used now.
            if own is not None:
                own.record(own_permit, CallOutcome.IGNORED, self._clock())
            raise
        return (permit, scope, instance, own, own_permit)

    def check(self, operation: Operation[Any], instance: str | None) -> None:
        """Raise if :meth:`enter` would raise now; counts nothing.

        Args:
            operation: The operation to be called.
            instance: The instance it is for, or None.

        Raises:
            CircuitOpenError: A breaker is open.
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
        """Record the outcome of an attempt; never raises.

        Args:
            entry: The result of :meth:`enter`.
            error: The exception of the attempt, or None.
        """
        permit, (by_session, one_file), instance, own, own_permit = entry
        # The usual case: a success, of an instance that has never failed.
        if error is None and own is None:
            if self._server.record(permit, CallOutcome.SUCCESS, self._clock()):
                self._announce("server", None, self._server)
            return
        outcomes = judge(error, by_session=by_session, one_file=one_file)
        now = self._clock()
        self._record(self._server, permit, outcomes.server, now, None, error)
        if not by_session or instance is None:
            return
        known = own is not None and self._instances.get(instance) is own
        if outcomes.instance is CallOutcome.FAILURE and not known:
            # None yet, or one that was idle and made room while this attempt was under way.
            own = self._made(instance, now)
            # 0 is the first generation. Another attempt may have made and changed this breaker
            # meanwhile; then the permit is outdated and the outcome is not counted.
            own_permit = 0
        if own is not None:
            self._touch(instance)
            self._record(own, own_permit, outcomes.instance, now, instance, error)

    def try_early(self, instance: str | None = None) -> bool:
        """Half-open an open breaker before its time, for the usual number of trial calls.

        This works once per period: if a trial call fails, the breaker stays open for its full time.

        Args:
            instance: Name of the instance; None for the server's breaker.

        Returns:
            True if a breaker was open and lets calls through now.
        """
        breaker = self._server if instance is None else self._instances.get(instance)
        if breaker is None or not breaker.try_early():
            return False
        self._announce("server" if instance is None else "instance", instance, breaker)
        return True

    def snapshot(self) -> Mapping[str, BreakerSnapshot]:
        """Return the state of all breakers.

        Returns:
            By scope: ``server``, and ``instance:<name>`` for each instance with a breaker.
        """
        now = self._clock()
        # Copied, because a failing call may add a breaker meanwhile.
        with self._lock:
            instances = list(self._instances.items())
        found = {"server": self._server.snapshot(now)}
        found.update({f"instance:{name}": each.snapshot(now) for name, each in instances})
        return MappingProxyType(found)

    def listen(self, listener: BreakerListener) -> Callable[[], None]:
        """Call a function at every change of state; an exception of it is logged and dropped.

        Args:
            listener: Gets a :class:`BreakerChange`, in the thread of the call that caused it.

        Returns:
            A function that removes the listener.
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

    def _made(self, instance: str, now: float) -> CircuitBreaker | None:
        """Return the breaker of an instance, made if there is room; None if there is none."""
        with self._lock:
            found = self._instances.get(instance)
            if found is not None:
                return found
            if len(self._instances) >= self._most_idle:
                self._make_room(CircuitBreaker.is_idle, self._most_idle, now)
            full = len(self._instances) >= self._most
            if full:
                # Counts are lost here, but none of a breaker that has failed last.
                self.dropped += 1
                self._make_room(CircuitBreaker.succeeds, self._most, now)
            if len(self._instances) < self._most:
                found = self._instances[instance] = CircuitBreaker(self._config, now)
        if full:
            # One kind for all, so that it is told once and not for each name.
            self._trouble.trouble(
                "room", "%d instances have failed: others get no circuit breaker", self._most
            )
        return found

    def _make_room(
        self, goes: Callable[[CircuitBreaker, float], bool], most: int, now: float
    ) -> None:
        """Let some breakers go until there are fewer; a few are looked at, which take turns."""
        for _ in range(min(_LOOKED_AT, len(self._instances))):
            if len(self._instances) < most:
                return
            name, breaker = next(iter(self._instances.items()))
            if goes(breaker, now):
                del self._instances[name]
            else:
                self._instances.move_to_end(name)

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
        # Outside the breaker's lock: a listener may make calls, which ask the breaker.
        now = breaker.snapshot(self._clock())
        whose = "server" if instance is None else f"instance {instance!r}"
        while (move := breaker.next_move()) is not None:
            change = BreakerChange(scope, instance, *move, now.failure_rate, now.calls, now.reason)
            if change.new is BreakerState.CLOSED:  # the end of an outage is always logged
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
