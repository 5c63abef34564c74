"""One check: ask the server, judge the answers, tell the events."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from dataclasses import replace
from threading import Event, RLock
from typing import Final, TypeAlias, cast

from evolution_sdk._base.forking import free_in_child, in_child
from evolution_sdk._base.handler_log import tell_handler_failure
from evolution_sdk._base.quiet_log import QuietLog
from evolution_sdk.errors import EvolutionError

from .alert import Alert
from .clients import (
    ClientProvider,
    ObservedClients,
    in_flight,
    probe_async,
    probe_sync,
    read_breakers,
    retry_metrics,
)
from .events import MonitorEvent, MonitoringError, RetryMetricsUpdated
from .health_tracker import CheckOutcome, HealthTracker
from .probe import (
    MOST_AT_ONCE,
    BlockingWork,
    ProbeAnswer,
    ProbeQuestion,
    ProbeReport,
    ProbeResult,
    ProbeSteps,
    probe,
)
from .process import ProcessSource
from .runner import run_in_daemon_thread
from .sample import LocalReadings, OutboxReadings
from .server_version import ServerVersionProbe
from .window import RetryOutcomes

__all__ = ["HealthChecker", "OutageLog"]

ReadOutbox: TypeAlias = Callable[[], tuple[OutboxReadings | None, Exception | None]]
_DEAD: Final = "its socket is dead, although it is open"
# More lines at one check would say no more; they are counted.
_MOST_NAMED: Final = 20
# Judging more takes longer than an event loop should be held up.
_MOST_ON_LOOP: Final = 250
_PROBLEMS: Final[dict[str | None, str]] = {
    "missing": "the server does not know it",
    "unauthorized": "the key was refused",
    "unanswered": "its state was not told",
}


class HealthChecker:
    """Makes checks, in a thread or on the running event loop.

    Args:
        clients: Gives the client to ask.
        new_tracker: Makes the tracker of health; again in a forked process, which knows nothing.
        observed: The clients whose breakers may try again after a good check.
        retries: Collects the ends of retried calls.
        version: Asks for the server's version.
        process: Source of memory and CPU use.
        log: Log of outages and of failed checks.
        publish: Called with each event.
        timeout_ms: Longest wait for the answer of a probe, in milliseconds.
        clock: Seconds that never go back.
        read_outbox: Reads the figures of the watched outbox, and tells why it could not; may
            block. None without one.
    """

    def __init__(
        self,
        clients: ClientProvider,
        new_tracker: Callable[[], HealthTracker],
        *,
        observed: ObservedClients,
        retries: RetryOutcomes,
        version: ServerVersionProbe,
        process: ProcessSource,
        log: QuietLog,
        publish: Callable[[MonitorEvent], None],
        timeout_ms: float,
        clock: Callable[[], float],
        read_outbox: ReadOutbox | None = None,
    ) -> None:
        self._read_outbox = read_outbox
        self._clients = clients
        self._new_tracker = new_tracker
        self._observed = observed
        self._retries = retries
        self._version = version
        self._process = process
        self._log = log
        self._outages = OutageLog(log)
        self._publish = publish
        self._timeout = timeout_ms
        self._clock = clock
        # A check in a thread, one asked for by the user, and queries may meet.
        self._lock = free_in_child(RLock())
        self._begin()
        in_child(self._begin)

    def _begin(self) -> None:
        """Start without knowledge: the parent of a forked process tells what it knows itself."""
        self._untold: deque[MonitorEvent] = deque()
        self._outbox_failed = False
        self.tracker: HealthTracker = self._new_tracker()

    @property
    def active_alerts(self) -> tuple[Alert, ...]:
        """The alerts that are not over, the oldest first."""
        with self._lock:
            return self.tracker.active_alerts

    def take_version(self, version: str) -> None:
        """Take in the server's version; what it leads to is told by the next check."""
        with self._lock:
            self._untold.extend(self.tracker.take_version(version))

    def take_license(self, state: str) -> None:
        """Take in the state of the server's licence."""
        with self._lock:
            self.tracker.take_license(state)

    def check(self, lag_ms: float | None, abandoned: Event | None = None) -> None:
        """Make a check, blocking, and tell its events.

        Args:
            lag_ms: Delay of the event loop, in milliseconds; None without a loop.
            abandoned: Set when nobody waits for the check any more.
        """
        self._check_here(lag_ms, abandoned)
        self._tell()

    async def check_async(self, lag_ms: float | None) -> None:
        """Make a check on the running loop and tell its events.

        Args:
            lag_ms: Delay of the event loop, in milliseconds.
        """
        cancelled = Event()
        try:
            client = self._clients.given
            if client is not None and self._clients.is_async:
                steps = self._steps(lag_ms, cancelled.is_set)
                await probe_async(steps, client, self._timeout, self._clock)
            else:
                await run_in_daemon_thread(lambda: self._check_here(lag_ms, cancelled))
        except Exception as error:  # noqa: BLE001 - the next check may succeed
            self._untold.append(self._failed(error))
        finally:
            # The thread of a cancelled check goes on until its question is answered.
            cancelled.set()
            self._tell()

    def _check_here(self, lag_ms: float | None, abandoned: Event | None = None) -> None:
        client = self._clients.given

        def void() -> bool:
            """Tell if the client was closed under the check, or nobody waits for it any more."""
            closed = self._clients.current is not client
            return closed or (abandoned is not None and abandoned.is_set())

        try:
            client = self._clients.get()
            probe_sync(self._steps(lag_ms, void), client, self._timeout, self._clock)
        except Exception as error:  # noqa: BLE001 - the next check may succeed
            # The error of a client that was closed under it is no finding.
            if not void():
                self._untold.append(self._failed(error))

    def _steps(
        self, lag_ms: float | None, void: Callable[[], bool]
    ) -> Generator[ProbeQuestion, ProbeAnswer, None]:
        """Ask, judge, and bring instances back: the questions of one check, without I/O."""
        with self._lock:
            plan = self.tracker.plan()
            license_route = self.tracker.license_route
        steps = probe(
            plan.instances,
            plan.deep,
            list_names=plan.list_names,
            license_route=license_route,
            own=plan.own,
            states=plan.states,
            known=plan.known,
        )
        report = yield from _unless(void, steps)
        if report is None:
            return
        # Side effects of a check, none of which may change its judgement.
        self._outages.update(report)
        self._observed.try_breakers(report)
        found: list[CheckOutcome] = []
        outbox = yield from self._outbox()

        def judge() -> None:
            """Judge the answers; of many, aside from an event loop."""
            events = self._read_retries()
            local = replace(self._read_locally(lag_ms, events), outbox=outbox)
            with self._lock:
                # Under the lock: a check that is abandoned now must not count any more.
                if void():
                    return
                found.append(outcome := self.tracker.take_check(report, local))
                # Kept until they are told: they survive whatever happens to the check from here on.
                self._untold.extend((*events, *outcome.events))

        if len(report.instances) > _MOST_ON_LOOP:
            yield BlockingWork(judge)
        else:
            judge()
        if not found:
            return
        # After the judgement: what it says of the licence belongs to the state that was judged.
        self._version.checked(self._clients.current, report.server, is_async=self._clients.is_async)
        requests = [each.request for each in found[0].actions if each.request is not None]
        for begin in range(0, len(requests), MOST_AT_ONCE):
            few = tuple(requests[begin : begin + MOST_AT_ONCE])
            # Asked after the lock is free: a restart may take seconds.
            results = cast("tuple[ProbeResult, ...]", (yield few))
            with self._lock:
                for request, result in zip(few, results, strict=True):
                    self._untold.extend(self.tracker.take_recovery(request, result))

    def _outbox(self) -> Generator[ProbeQuestion, ProbeAnswer, OutboxReadings | None]:
        """Read the watched outbox, aside from an event loop."""
        read = self._read_outbox
        if read is None:
            return None
        found: list[tuple[OutboxReadings | None, Exception | None]] = []
        yield BlockingWork(lambda: found.append(read()))
        readings, error = found[0]
        if error is None:
            self._log.over("outbox", "the outbox can be read again")
        else:
            words = f"the outbox cannot be read ({getattr(error, 'kind', type(error).__name__)})"
            self._log.trouble("outbox", "%s", words)
            if not self._outbox_failed:
                self._untold.append(MonitoringError("outbox", words, error))
        self._outbox_failed = error is not None
        return readings

    def _read_retries(self) -> list[MonitorEvent]:
        metrics = retry_metrics(self._clients.given)
        if metrics is None:
            return []
        now = self._clock()
        self._retries.update("client", metrics, now)
        return [RetryMetricsUpdated(metrics, self._retries.recent(now)[1])]

    def _read_locally(self, lag_ms: float | None, events: list[MonitorEvent]) -> LocalReadings:
        memory: int | None = None
        cpu: float | None = None
        try:
            memory, cpu = self._process.memory_bytes(), self._process.cpu_percent()
        except Exception as error:  # noqa: BLE001 - health does not depend on it
            events.append(MonitoringError("process", f"{type(error).__name__}", error))
        client = self._clients.given
        states, causes = read_breakers(client)
        return LocalReadings(in_flight(client), states, causes, memory, cpu, lag_ms)

    def _tell(self) -> None:
        # Handlers run without the lock, and may make a check themselves.
        while True:
            try:
                event = self._untold.popleft()
            except IndexError:
                return
            self._publish(event)

    def _failed(self, error: Exception) -> MonitoringError:
        name = type(error).__name__
        if isinstance(error, EvolutionError):
            self._log.trouble(("check", name), "a check failed: %s", name)
        else:
            # A defect, in a client of the user's own or in ours: with its traceback.
            tell_handler_failure(self._log, "a check", error)
        return MonitoringError("check", f"the check failed ({name})", error)


def _unless(
    void: Callable[[], bool], steps: ProbeSteps
) -> Generator[ProbeQuestion, ProbeAnswer, ProbeReport | None]:
    """Ask on until nobody waits any more: one hanging question then holds up no thread for long."""
    try:
        request = next(steps)
        while True:
            result = yield request
            if void():
                return None
            request = steps.send(result)
    except StopIteration as done:
        report: ProbeReport = done.value
        return report


class OutageLog:
    """Logs a server or an instance that does not answer: its beginning, each minute, its end.

    Args:
        log: The log.
    """

    def __init__(self, log: QuietLog) -> None:
        self._log = log

    def update(self, report: ProbeReport) -> None:
        """Take in a check.

        Args:
            report: The result of its probes.
        """
        server = report.server
        if not server.reachable:
            # Nothing was learned about the instances.
            self._log.trouble("server", "the server does not answer: %s", server.failure)
            return
        self._log.over("server", "the server answers again")
        if report.unlisted is not None:
            self._log.trouble("names", "the instances were not listed: %s", report.unlisted)
        elif report.names is not None:
            self._log.over("names", "the instances are listed again")
        unwell = 0
        for reading in report.instances:
            words = _DEAD if reading.dead else _PROBLEMS.get(reading.problem)
            if words is None:
                self._log.over(
                    ("instance", reading.name), "instance %s is well again", reading.name
                )
                continue
            unwell += 1
            if unwell <= _MOST_NAMED:
                self._log.trouble(
                    ("instance", reading.name), "instance %s: %s", reading.name, words
                )
        if unwell > _MOST_NAMED:
            self._log.trouble(
                "instances", "%d more instances are not well either", unwell - _MOST_NAMED
            )
