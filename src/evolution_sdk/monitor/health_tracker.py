"""The monitor without I/O: what was asked and told goes in, events and next steps come out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from .ack_tracker import AckShare
from .alert import Alert, AlertTracker
from .anomalies import AnomalyTracker
from .collector import Collector
from .events import AlertRaised, AlertResolved, HealthStatusChanged, MetricsUpdated, MonitorEvent
from .health import (
    HealthFinding,
    HealthVerdict,
    InstanceFacts,
    ServerFacts,
    judge_instance,
    judge_server,
)
from .history import SampleHistory
from .hysteresis import Stabilizer
from .probe import InstanceReading, ProbeReport, ProbeRequest, ProbeResult
from .recovery import RecoveryAction, RecoveryPlanner
from .report import HealthReport, InstanceHealth
from .retries import RetryOutcomes
from .sample import HealthStatus, Sample
from .summary import LocalReadings, count_open, details_of, of_instances, times
from .thresholds import Thresholds

__all__ = ["HealthTracker"]

_NAMES_EVERY_S: Final = 60.0
_DEAD_AGAIN_S: Final = 60.0


class HealthTracker:
    """Everything the monitor knows.

    Args:
        limits: Thresholds.
        window_ms: Length of the window, in milliseconds.
        intake: Collects calls and events.
        retries: Collects the sums of retry services.
        ring: Where samples go.
        alerts: The rules.
        anomalies: The detectors.
        recoverer: Brings instances back; None leaves them alone.
        instances: Names of the instances to watch; ``*`` stands for all of the server.
        deep_probe_ms: How often to probe a socket deeply, in milliseconds; None for never.
        clock: Seconds that never go back.
        wall_clock: Unix seconds.
    """

    def __init__(
        self,
        limits: Thresholds,
        *,
        window_ms: float,
        intake: Collector,
        retries: RetryOutcomes,
        ring: SampleHistory,
        alerts: AlertTracker,
        anomalies: AnomalyTracker,
        recoverer: RecoveryPlanner | None,
        instances: Sequence[str],
        deep_probe_ms: float | None,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
    ) -> None:
        self._limits = limits
        self._window = window_ms
        self._intake = intake
        self._retries = retries
        self._ring = ring
        self._alerts = alerts
        self._anomalies = anomalies
        self._recoverer = recoverer
        self._named = tuple(dict.fromkeys(name for name in instances if name != "*"))
        self._all = "*" in instances
        self._found: tuple[str, ...] = ()
        self._listed_at = float("-inf")
        self._unlisted: str | None = None
        self._checked_at = float("-inf")
        self.version: str | None = None
        self._deep = None if deep_probe_ms is None else deep_probe_ms / 1_000
        self._deep_at: dict[str, float] = {}
        self._no_deep: set[str] = set()
        self._dead: set[str] = set()
        self._connecting: dict[str, float] = {}
        self._clock = clock
        self._wall = wall_clock
        self._overall = Stabilizer(limits)
        self._each: dict[str, Stabilizer] = {}
        self.report: HealthReport = HealthReport()

    @property
    def watched(self) -> tuple[str, ...]:
        """The instances that are watched."""
        return tuple(dict.fromkeys((*self._named, *self._found)))

    def plan(self) -> tuple[tuple[str, ...], frozenset[str], bool]:
        """What to ask in the next check: which instances, which deeply, whether for all names."""
        now = self._clock()
        deep = frozenset(name for name in self.watched if self._deep_due(name, now))
        list_names = not self.watched or now - self._listed_at >= _NAMES_EVERY_S
        return self.watched, deep, self._all and list_names

    def versioned(self, version: str) -> None:
        """Take in the server's version, which is told beside the checks."""
        self.version = version
        if self.report.checked_at is not None:
            details = MappingProxyType({**self.report.details, "server_version": version})
            self.report = replace(self.report, details=details)

    def fold(
        self, probed: ProbeReport, around: LocalReadings
    ) -> tuple[list[MonitorEvent], list[RecoveryAction]]:
        """Take in a check.

        Args:
            probed: What the server told.
            around: What was read beside it.

        Returns:
            What to tell, in order, and what to do about instances.
        """
        now, at = self._clock(), self._wall()
        since, self._checked_at = self._checked_at, now
        if not probed.server.reachable and self._intake.answered_since(since):
            server_reading = replace(probed.server, reachable=True, by_calls=True)
            probed = replace(probed, server=server_reading)
        gone = self._learn(probed, now)
        for ms in times(probed):
            self._intake.calls.probe(now, ms)
        calls, covered = self._intake.calls.totals(now, self._window)
        retried, rate = self._retries.recent(now)
        acks = self._intake.acks.shares(now)
        facts = {
            name: self._facts(name, probed, acks.get(name, AckShare()), now, at)
            for name in self.watched
        }
        verdicts = {
            name: HealthVerdict.of(judge_instance(each, self._limits))
            for name, each in facts.items()
        }
        server = judge_server(
            ServerFacts(probed.server, calls, retried, rate, around.breakers, around.causes),
            self._limits,
        )
        if probed.server.reachable and probed.server.activate_at is None:
            server += of_instances(verdicts)
            if self._unlisted is not None:
                words = f"the instances could not be listed ({self._unlisted})"
                server.append(HealthFinding("unknown" if not verdicts else "degraded", words))
            elif self._all and self._listed_at > float("-inf") and not verdicts:
                words = "the server has no instance: nothing is connected to WhatsApp"
                server.append(HealthFinding("unhealthy", words, hard=True))
        overall = HealthVerdict.of(server)
        events = self._step(overall, verdicts, now, at)
        ages = [each.event_age_s for each in facts.values() if each.event_age_s is not None]
        shares = [
            each.acks.share
            for each in facts.values()
            if each.acks.share is not None and each.acks.judged >= self._limits.min_sends
        ]
        messages = calls.sends + calls.received
        sample = Sample(
            at=at,
            status=self._overall.status,
            reachable=probed.server.reachable,
            response_time_ms=calls.average_ms,
            p95_response_time_ms=calls.percentile_ms(0.95),
            probe_ms=probed.server.latency_ms,
            send_time_ms=calls.average_send_ms,
            error_rate=calls.error_rate,
            messages_per_second=messages / covered if covered else 0.0,
            requests=calls.requests,
            in_flight=around.in_flight,
            active_connections=count_open(probed, self._dead, complete=self._complete(probed)),
            retry_success_rate=rate,
            unacked_share=max(shares, default=None),
            event_age_s=min(ages, default=None),
            memory_bytes=around.memory_bytes,
            cpu_percent=around.cpu_percent,
            loop_lag_ms=around.loop_lag_ms,
        )
        self._ring.add(sample)
        reasons = self._overall.reasons(overall, now)
        details = details_of(sample, probed, around, self.version)
        self.report = HealthReport(
            self._overall.status,
            at,
            reasons,
            details,
            MappingProxyType({name: self._health(name, facts, verdicts, now) for name in facts}),
        )
        events = [replace(event, details=details) for event in events]
        ended = [alert for name in gone for alert in self._alerts.settle(name, at)]
        anomalies = self._anomalies.step(sample, now)
        alerts = self._alerts.step(
            sample,
            (self._overall.status, reasons),
            self._for_rules(verdicts, now),
            self._anomalies.lasting(now),
            now,
        )
        moves = self._moves(probed, now, at)
        told: list[MonitorEvent] = [
            MetricsUpdated(sample),
            *anomalies,
            *events,
            *map(_alert_event, (*alerts, *ended)),
        ]
        for move in moves:
            told += self.tell(move)
        return told, [move for move in moves if move.ask is not None]

    def heard(self, ask: ProbeRequest, answer: ProbeResult) -> list[MonitorEvent]:
        """Take what a restart or connect answered."""
        if self._recoverer is None:
            return []
        name = ask.instance or ""
        if answer.error is None:
            # The next check is the follow-up: it probes the socket anew.
            self._intake.connection_proven(name)
            self._dead.discard(name)
            self._deep_at.pop(name, None)
        move = self._recoverer.heard(ask, answer, self._clock(), self._wall())
        return [] if move is None else self.tell(move)

    def tell(self, move: RecoveryAction) -> list[MonitorEvent]:
        """The alerts that a move raises or ends."""
        if move.settled:
            return [
                _alert_event(alert) for alert in self._alerts.settle(move.instance, self._wall())
            ]
        if move.notice is None:
            return []
        return [_alert_event(alert) for alert in self._alerts.notice(move.notice)]

    def _learn(self, probed: ProbeReport, now: float) -> set[str]:
        """Take in what was told; returns the instances that are no longer watched."""
        gone = self._drop_deleted(probed, now)
        if probed.names is not None or probed.unlisted is not None:
            self._unlisted = probed.unlisted
        if probed.names is not None:
            self._found, self._listed_at = probed.names, now
            left = set(self._each) - set(self.watched)
            for name in left:
                self._forget(name)
            gone |= left
        self._no_deep.update(probed.no_deep_probe)
        for reading in probed.instances:
            name = reading.name
            if reading.state == "connecting":
                self._connecting.setdefault(name, now)
            else:
                self._connecting.pop(name, None)
            if reading.state in ("close", "connecting"):
                self._dead.discard(name)
                self._deep_at.pop(name, None)
                self._intake.connection_proven(name)
            if reading.state == "open" and self._deep is not None and self._deep_due(name, now):
                self._deep_at[name] = now
            if reading.dead is False:
                self._dead.discard(name)
                self._intake.connection_proven(name)
            elif reading.dead:
                self._dead.add(name)
        return gone

    def _drop_deleted(self, probed: ProbeReport, now: float) -> set[str]:
        """Let go of instances that were listed and are not there any more; list them anew."""
        missing = {each.name for each in probed.instances if each.problem == "missing"}
        deleted = missing.intersection(self._found).difference(self._named)
        if not deleted:
            return set()
        self._found = tuple(name for name in self._found if name not in deleted)
        self._listed_at = min(self._listed_at, now - _NAMES_EVERY_S)
        known = deleted.intersection(self._each)
        for name in known:
            self._forget(name)
        return known

    def _forget(self, name: str) -> None:
        for since in (self._deep_at, self._connecting):
            since.pop(name, None)
        del self._each[name]
        self._dead.discard(name)
        self._no_deep.discard(name)
        if self._recoverer is not None:
            self._recoverer.forget(name)

    def _deep_due(self, name: str, now: float) -> bool:
        if self._deep is None or name in self._no_deep:
            return False
        pause = min(self._deep, _DEAD_AGAIN_S) if name in self._dead else self._deep
        return now - self._deep_at.get(name, float("-inf")) >= pause

    def _facts(
        self, name: str, probed: ProbeReport, acks: AckShare, now: float, at: float
    ) -> InstanceFacts:
        reading = next((each for each in probed.instances if each.name == name), None)
        if reading is not None and name in self._dead:
            reading = replace(reading, dead=True)
        since = self._connecting.get(name)
        return InstanceFacts(
            reading,
            acks=acks,
            connecting_ms=0.0 if since is None else (now - since) * 1_000,
            not_connected_calls=self._intake.not_connected_calls(name, now),
            missing_events=self._intake.silence.missing(name, at),
            event_age_s=self._intake.silence.age_s(name, at),
        )

    def _step(
        self, overall: HealthVerdict, verdicts: Mapping[str, HealthVerdict], now: float, at: float
    ) -> list[HealthStatusChanged]:
        events: list[HealthStatusChanged] = []
        before = self._overall.status
        if self._overall.step(overall, now):
            reasons = self._overall.reasons(overall, now)
            events.append(HealthStatusChanged(before, self._overall.status, reasons, {}, at))
        for name, verdict in verdicts.items():
            each = self._each.get(name)
            if each is None:
                each = self._each[name] = Stabilizer(self._limits)
            before = each.status
            if each.step(verdict, now) and len(verdicts) > 1:
                reasons = each.reasons(verdict, now)
                events.append(HealthStatusChanged(before, each.status, reasons, {}, at, name))
        return events

    def _moves(self, probed: ProbeReport, now: float, at: float) -> list[RecoveryAction]:
        if self._recoverer is None:
            return []
        moves: list[RecoveryAction] = []
        for reading in (each for each in probed.instances if each.name in self._each):
            dead = reading.name in self._dead or (
                self._intake.not_connected_calls(reading.name, now)
                >= self._limits.not_connected_calls
            )
            move = self._recoverer.step(reading, dead, now, at)
            if move is not None:
                moves.append(move)
        return moves

    def _for_rules(
        self, verdicts: Mapping[str, HealthVerdict], now: float
    ) -> dict[str, tuple[HealthStatus, Sequence[str]]]:
        if len(verdicts) < 2:
            return {}
        return {
            name: (self._each[name].status, self._each[name].reasons(each, now))
            for name, each in verdicts.items()
        }

    def _complete(self, probed: ProbeReport) -> bool:
        """Whether all instances that are to be watched are known."""
        if self._all:
            return self._unlisted is None and self._listed_at > float("-inf")
        return bool(probed.instances)

    def _health(
        self,
        name: str,
        facts: Mapping[str, InstanceFacts],
        verdicts: Mapping[str, HealthVerdict],
        now: float,
    ) -> InstanceHealth:
        reading: InstanceReading | None = facts[name].reading
        return InstanceHealth(
            self._each[name].status,
            self._each[name].reasons(verdicts[name], now),
            None if reading is None else reading.state,
            name in self._dead,
            facts[name].event_age_s,
        )


def _alert_event(alert: Alert) -> AlertRaised | AlertResolved:
    return AlertRaised(alert) if alert.resolved_at is None else AlertResolved(alert)
