"""One check: ask, fold, tell. Made by the runner, or when it is asked for."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Generator, Sequence
from typing import Any

from .core import Surroundings
from .delivery import Delivery
from .drive import drive_async, drive_sync
from .events import (
    AlertRaised,
    AlertResolved,
    MetricsUpdated,
    MonitorEvent,
    MonitoringError,
    RetryMetricsUpdated,
)
from .probe import Answer, Ask, probe
from .process import ProcessSource
from .queries import Queries
from .retries import RetryBook
from .runner import in_thread
from .setup import breaker_states, in_flight

__all__ = ["Checking"]

_log = logging.getLogger("evolution_sdk.monitor")


class Checking(Queries):
    """The checking half of the monitor; the service makes its parts."""

    _given: Any
    _own: Any
    _probe_timeout: float
    _process: ProcessSource
    _retries: RetryBook
    _delivery: Delivery

    @property
    def _is_async(self) -> bool:
        return inspect.iscoroutinefunction(getattr(self._given, "close", None))

    def _check(self, lag_ms: float | None) -> None:
        """Make a check and tell what it found."""
        self._emit_all(self._check_here(lag_ms))

    async def _check_async(self, lag_ms: float | None) -> None:
        """Make a check on the running loop and tell what it found."""
        if self._is_async:
            try:
                steps = self._steps(lag_ms)
                told = await drive_async(steps, self._given, self._probe_timeout, self._clock)
            except Exception as error:  # noqa: BLE001 - the next check may succeed
                told = [_check_failed(error)]
        else:
            told = await in_thread(lambda: self._check_here(lag_ms))
        self._emit_all(told)

    def _check_here(self, lag_ms: float | None) -> list[MonitorEvent]:
        try:
            steps = self._steps(lag_ms)
            return drive_sync(steps, self._client(), self._probe_timeout, self._clock)
        except Exception as error:  # noqa: BLE001 - the next check may succeed
            return [_check_failed(error)]

    def _steps(self, lag_ms: float | None) -> Generator[Ask, Answer, list[MonitorEvent]]:
        with self._lock:
            watched, deep, names = self._core.plan()
        probed = yield from probe(watched, deep, list_names=names)
        told: list[MonitorEvent] = []
        told += self._take_retries()
        around = self._surroundings(lag_ms, told)
        with self._lock:
            events, moves = self._core.fold(probed, around)
        told += events
        if self._file is not None:
            for event in events:
                if isinstance(event, MetricsUpdated):
                    self._file.add(event.sample)
        for move in moves:
            if move.ask is not None:
                answer = yield move.ask
                with self._lock:
                    told += self._core.heard(move.ask, answer)
        return told

    def _take_retries(self) -> list[MonitorEvent]:
        ask = getattr(getattr(self._given, "retry", None), "get_metrics", None)
        if not callable(ask):
            return []
        metrics: Any = ask()
        self._retries.update("client", metrics, self._clock())
        return [RetryMetricsUpdated(metrics, self._retries.recent(self._clock())[1])]

    def _surroundings(self, lag_ms: float | None, told: list[MonitorEvent]) -> Surroundings:
        memory: int | None = None
        cpu: float | None = None
        try:
            memory, cpu = self._process.memory_bytes(), self._process.cpu_percent()
        except Exception as error:  # noqa: BLE001 - health does not hang on it
            told.append(MonitoringError("process", f"{type(error).__name__}", error))
        client = self._given
        return Surroundings(in_flight(client), breaker_states(client), memory, cpu, lag_ms)

    def _emit_all(self, events: Sequence[MonitorEvent]) -> None:
        for event in events:
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


def _check_failed(error: Exception) -> MonitoringError:
    _log.warning("a check failed: %s", type(error).__name__)
    return MonitoringError("check", f"the check failed ({type(error).__name__})", error)
