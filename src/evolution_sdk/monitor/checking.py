"""One check: ask, fold, tell. Made by the runner, or when it is asked for."""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Callable, Generator
from threading import Event
from typing import Any

from evolution_sdk._base.handler_log import tell_handler_failure
from evolution_sdk._base.quiet_log import QuietLog
from evolution_sdk._common.arguments import checked
from evolution_sdk.errors import EvolutionError

from .clients import ObservedClients
from .delivery import AlertDelivery
from .events import (
    AlertRaised,
    AlertResolved,
    MetricsUpdated,
    MonitorEvent,
    MonitoringError,
    RetryMetricsUpdated,
)
from .outages import OutageLog
from .probe import ProbeReport, ProbeRequest, ProbeResult, ProbeSteps, probe
from .probing import drive_async, drive_sync
from .process import ProcessSource
from .queries import Queries
from .retries import RetryOutcomes
from .runner import in_thread
from .server_version import ServerVersionProbe
from .setup import breaker_causes, breaker_states, in_flight, not_negative
from .summary import LocalReadings

__all__ = ["Checking"]


@checked()
class Checking(Queries):
    """The checking half of the monitor; the service makes its parts."""

    _given: Any
    _own: Any
    _probe_timeout: float
    _process: ProcessSource
    _retries: RetryOutcomes
    _delivery: AlertDelivery
    _untold: deque[MonitorEvent]
    _outages: OutageLog
    _trouble: QuietLog
    _version: ServerVersionProbe
    _clients: ObservedClients

    @property
    def _is_async(self) -> bool:
        return inspect.iscoroutinefunction(getattr(self._given, "close", None))

    def wait_for_version(self, timeout_ms: float = 2_000) -> str | None:
        """Wait for the server's version, which is asked for in the background of a check.

        Args:
            timeout_ms: How long, in milliseconds. With an async client nothing is waited for.

        Returns:
            The version, or None when it is not known yet.
        """
        self._version.wait(not_negative("timeout_ms", timeout_ms) / 1_000)
        return self._core.version

    def _check(self, lag_ms: float | None, abandoned: Event | None = None) -> None:
        """Make a check and tell what it found, unless nobody waits for it any more."""
        self._check_here(lag_ms, abandoned)
        self._tell()

    async def _check_async(self, lag_ms: float | None) -> None:
        """Make a check on the running loop and tell what it found."""
        broken_off = Event()
        try:
            if self._is_async:
                steps = self._steps(lag_ms, broken_off.is_set)
                await drive_async(steps, self._given, self._probe_timeout, self._clock)
            else:
                await in_thread(lambda: self._check_here(lag_ms, broken_off))
        except Exception as error:  # noqa: BLE001 - the next check may succeed
            self._untold.append(self._check_failed(error))
        finally:
            broken_off.set()
            self._tell()

    def _check_here(self, lag_ms: float | None, broken_off: Event | None = None) -> None:
        client = self._given

        def void() -> bool:
            """Whether the client was closed under it, or nobody waits for it any more."""
            closed = self._given is None and self._own is not client
            return closed or (broken_off is not None and broken_off.is_set())

        try:
            client = self._client()
            drive_sync(self._steps(lag_ms, void), client, self._probe_timeout, self._clock)
        except Exception as error:  # noqa: BLE001 - the next check may succeed
            if not void():
                self._untold.append(self._check_failed(error))

    def _steps(
        self, lag_ms: float | None, void: Callable[[], bool]
    ) -> Generator[ProbeRequest, ProbeResult, None]:
        with self._lock:
            watched, deep, names = self._core.plan()
        probed = yield from _unless(void, probe(watched, deep, list_names=names))
        if probed is None:
            return
        self._outages.heard(probed)
        client = self._own if self._given is None else self._given
        self._version.checked(client, probed.server, is_async=self._is_async)
        self._clients.try_breakers(probed)
        told: list[MonitorEvent] = []
        told += self._take_retries()
        around = self._surroundings(lag_ms, told)
        with self._lock:
            if void():
                return
            events, moves = self._core.fold(probed, around)
            # Kept until they are told: what happens to the check from here on loses none.
            self._untold.extend((*told, *events))
        if self._file is not None:
            for event in events:
                if isinstance(event, MetricsUpdated):
                    self._file.add(event.sample)
        for move in moves:
            if move.ask is not None:
                answer = yield move.ask
                with self._lock:
                    self._untold.extend(self._core.heard(move.ask, answer))

    def _take_retries(self) -> list[MonitorEvent]:
        ask = getattr(getattr(self._given, "retry", None), "get_metrics", None)
        if not callable(ask):
            return []
        metrics: Any = ask()
        self._retries.update("client", metrics, self._clock())
        return [RetryMetricsUpdated(metrics, self._retries.recent(self._clock())[1])]

    def _surroundings(self, lag_ms: float | None, told: list[MonitorEvent]) -> LocalReadings:
        memory: int | None = None
        cpu: float | None = None
        try:
            memory, cpu = self._process.memory_bytes(), self._process.cpu_percent()
        except Exception as error:  # noqa: BLE001 - health does not hang on it
            told.append(MonitoringError("process", f"{type(error).__name__}", error))
        client = self._given
        states, causes = breaker_states(client), breaker_causes(client)
        return LocalReadings(in_flight(client), states, causes, memory, cpu, lag_ms)

    def _tell(self) -> None:
        while True:
            try:
                event = self._untold.popleft()
            except IndexError:
                return
            self._emit(event)
            if isinstance(event, AlertRaised | AlertResolved):
                self._delivery.post(event.alert)

    def _client(self) -> Any:
        if self._given is not None:
            return self._given
        with self._lock:
            if self._own is None:
                from evolution_sdk import EvolutionClient

                self._own = EvolutionClient(config=self._config)
            return self._own

    def _check_failed(self, error: Exception) -> MonitoringError:
        name = type(error).__name__
        if isinstance(error, EvolutionError):
            self._trouble.trouble(("check", name), "a check failed: %s", name)
        else:  # a defect: of a client of the user's making, or ours
            tell_handler_failure(self._trouble, "a check", error)
        return MonitoringError("check", f"the check failed ({name})", error)


def _unless(
    void: Callable[[], bool], asking: ProbeSteps
) -> Generator[ProbeRequest, ProbeResult, ProbeReport | None]:
    """Ask on, until nobody waits for it any more: one hanging question holds up no thread long."""
    try:
        ask = next(asking)
        while True:
            answer = yield ask
            if void():
                return None
            ask = asking.send(answer)
    except StopIteration as done:
        probed: ProbeReport = done.value
        return probed
