"""The monitor's judgement without I/O: readings go in, events and next steps come out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from evolution_sdk.config._monitoring import Thresholds

from .ack_tracker import NO_SENDS
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
    judge_instances,
    judge_server,
)
from .history import SampleHistory
from .hysteresis import Stabilizer
from .probe import ProbeReport, ProbeRequest, ProbeResult
from .recovery import RecoveryAction, RecoveryPlanner
from .refusals import NO_REFUSALS
from .report import HealthReport, InstanceHealth, details_of
from .roster import ProbePlan, Roster
from .sample import HealthStatus, LocalReadings, Sample
from .server_identity import ServerIdentity
from .window import RetryOutcomes, WindowTotals

__all__ = ["CheckOutcome", "HealthTracker"]


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """The result of one check.

    Attributes:
        events: Events to tell, in order.
        actions: Questions that bring instances back.
    """

    events: list[MonitorEvent]
    actions: list[RecoveryAction]


@dataclass(frozen=True, slots=True)
class _Traffic:
    """The calls of the window, and the ends of retried ones.

    Attributes:
        calls: Sums over the window.
        covered_s: Seconds that they really cover.
        retried: Retried calls of late.
        retry_success_rate: Share of them that succeeded in the end.
    """

    calls: WindowTotals
    covered_s: float
    retried: int
    retry_success_rate: float | None


@dataclass(frozen=True, slots=True)
class _Judged:
    """One check, judged: facts and verdicts of the instances, and the verdict of the whole."""

    report: ProbeReport
    traffic: _Traffic
    facts: Mapping[str, InstanceFacts]
    verdicts: Mapping[str, HealthVerdict]
    overall: HealthVerdict


class HealthTracker:
    """Keeps the state of health, and judges every check.

    Args:
        limits: Thresholds.
        window_ms: Length of the window, in milliseconds.
        collector: Collects calls and events.
        retries: Collects the ends of retried calls.
        history: Keeps samples.
        alerts: Steps the alert rules.
        anomalies: Runs the detectors.
        recovery: Brings instances back; None leaves them alone.
        roster: Keeps the watched instances.
        identity: Keeps the server's version and licence.
        clock: Seconds that never go back.
        wall_clock: Unix seconds.

    Attributes:
        report: Health as of the last check.
    """

    def __init__(
        self,
        limits: Thresholds,
        *,
        window_ms: float,
        collector: Collector,
        retries: RetryOutcomes,
        history: SampleHistory,
        alerts: AlertTracker,
        anomalies: AnomalyTracker,
        recovery: RecoveryPlanner | None,
        roster: Roster,
        identity: ServerIdentity,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
    ) -> None:
        self._limits = limits
        self._window = window_ms
        self._collector = collector
        self._retries = retries
        self._history = history
        self._alerts = alerts
        self._anomalies = anomalies
        self._recovery = recovery
        self._roster = roster
        self._identity = identity
        self._clock = clock
        self._wall = wall_clock
        self._checked_at = float("-inf")
        self._overall = Stabilizer(limits)
        self._each: dict[str, Stabilizer] = {}
        # Instances that were not without blemish at the last check.
        self._unsure: set[str] = set()
        self._watch()
        self.report: HealthReport = HealthReport()

    @property
    def watched(self) -> tuple[str, ...]:
        """Names of the watched instances."""
        return self._roster.watched

    @property
    def active_alerts(self) -> tuple[Alert, ...]:
        """The alerts that are not over, the oldest first."""
        return self._alerts.active

    def plan(self) -> ProbePlan:
        """Plan the questions of the next check."""
        suspected = self._collector.suspected()

        def doubtful(name: str, asked_at: float) -> bool:
            """Tell if anything speaks against an instance, whatever the list may say of it."""
            suspected_at = suspected.get(name)
            since = suspected_at is not None and suspected_at >= asked_at
            return since or name in self._unsure

        return self._roster.plan(self._clock(), doubtful)

    @property
    def version(self) -> str | None:
        """The server's version; None before it was told."""
        return self._identity.version

    @property
    def license_route(self) -> bool:
        """True if the server tells the state of its licence, as far as is known."""
        return self._identity.has_license_routes

    def take_version(self, version: str) -> list[MonitorEvent]:
        """Take in the server's version, which is told beside the checks.

        Args:
            version: As the server wrote it; empty where it wrote none.

        Returns:
            Events to tell, in order: it may be another one than before.
        """
        at = self._wall()
        notice = self._identity.told(version, self._clock(), at)
        self._show_identity()
        if notice is None:
            return []
        # A newer finding takes the place of the one before.
        ended = self._alerts.settle(None, at)
        return [_alert_event(alert) for alert in (*ended, *self._alerts.notice(notice))]

    def take_license(self, state: str) -> None:
        """Take in the state of the licence, which is told beside the checks."""
        self._identity.licensed(state)
        self._show_identity()

    def _show_identity(self) -> None:
        if self.report.checked_at is not None:
            details = MappingProxyType({**self.report.details, **self._identity.details})
            self.report = replace(self.report, details=details)

    def take_check(self, report: ProbeReport, local: LocalReadings) -> CheckOutcome:
        """Take in a check.

        Args:
            report: The result of its probes.
            local: Readings of this process and of the client.

        Returns:
            Events to tell, in order, and questions that bring instances back.
        """
        # Read once: all parts of a check see the same time.
        now, at = self._clock(), self._wall()
        report = self._count_answered_calls(report, now)
        settled = self._identify(report, now)
        gone = self._update_roster(report, now)
        judged = self._judge(report, local, now, at)
        # The state moves before the sample is made: a sample tells the state after its check.
        changes = self._move_states(judged, now, at)
        sample = self._sample(judged, local, at)
        self._history.add(sample)
        # The report is in place before anything is told: handlers ask for it.
        details = details_of(sample, report, local, self._identity.details)
        reasons = self._overall.reasons(judged.overall, now)
        self.report = self._health_report(judged, details, reasons, now, at)
        # Anomalies before alerts: a rule may watch for them.
        anomalies = self._anomalies.step(sample, now)
        alerts = self._step_alerts(judged, sample, reasons, now)
        over: tuple[str | None, ...] = (*gone, None) if settled else (*gone,)
        ended = [alert for name in over for alert in self._alerts.settle(name, at)]
        actions = self._plan_recovery(report, now, at)
        # Handlers see the numbers first, then anomalies, then changes, and alerts last.
        events: list[MonitorEvent] = [
            MetricsUpdated(sample),
            *anomalies,
            *(replace(change, details=details) for change in changes),
            *map(_alert_event, (*alerts, *ended)),
        ]
        for action in actions:
            events += self._tell(action)
        return CheckOutcome(events, [action for action in actions if action.request is not None])

    def take_recovery(self, request: ProbeRequest, result: ProbeResult) -> list[MonitorEvent]:
        """Take the answer to a restart or connect.

        Args:
            request: The question.
            result: Its answer.

        Returns:
            Events to tell.
        """
        if self._recovery is None:
            return []
        name = request.instance or ""
        if result.error is None:
            # The next check is the follow-up: it probes the socket anew.
            self._collector.connection_proven(name)
            self._roster.revive(name)
        action = self._recovery.answered(request, result, self._clock(), self._wall())
        return [] if action is None else self._tell(action)

    def _count_answered_calls(self, report: ProbeReport, now: float) -> ProbeReport:
        """Count the server as reachable where it answered a call since the last check."""
        # A probe may fail where calls succeed: behind a proxy, or with a narrower key.
        since, self._checked_at = self._checked_at, now
        if report.server.reachable or not self._collector.answered_since(since):
            return report
        return replace(report, server=replace(report.server, reachable=True, by_calls=True))

    def _identify(self, report: ProbeReport, now: float) -> bool:
        """Take in whether the server is activated; tells if an alert about its version is over."""
        if report.server.reachable and not report.server.by_calls:
            self._identity.gate(locked=report.server.activate_at is not None)
        return self._identity.is_settled(now)

    def _update_roster(self, report: ProbeReport, now: float) -> set[str]:
        """Take in which instances there are; returns those that are no longer watched."""
        for name in self._roster.update(report, now):
            self._collector.connection_proven(name)
        self._watch()
        asked = (each.name for each in report.instances if not each.listed)
        self._collector.settle(asked, self._roster.planned_at)
        gone = set(self._each).difference(self._roster.watched)
        # Whoever comes back later starts anew, without an old state or restart budget.
        for name in gone:
            del self._each[name]
            self._roster.forget(name)
            if self._recovery is not None:
                self._recovery.forget(name)
        return gone

    def _watch(self) -> None:
        """Let the memory of calls and events follow the watched instances."""
        roster = self._roster
        self._collector.watch(roster.watched, listed=roster.listed or not roster.watches_all)

    def _judge(self, report: ProbeReport, local: LocalReadings, now: float, at: float) -> _Judged:
        """Judge the server, its instances and the calls to them."""
        traffic = self._measure(report, now)
        facts = self._instance_facts(report, now, at)
        verdicts = {
            name: HealthVerdict.of(judge_instance(each, self._limits))
            for name, each in facts.items()
        }
        server = ServerFacts(
            report.server,
            traffic.calls,
            traffic.retried,
            traffic.retry_success_rate,
            local.breakers,
            local.causes,
        )
        findings = judge_server(server, self._limits)
        # What a silent or locked server says about instances is old, or nothing at all.
        if report.server.reachable and report.server.activate_at is None:
            # Nor does a server that this SDK does not speak to say anything that could be read.
            findings += self._identity.findings or (
                *judge_instances(verdicts),
                *self._judge_roster(verdicts),
            )
        return _Judged(report, traffic, facts, verdicts, HealthVerdict.of(findings))

    def _measure(self, report: ProbeReport, now: float) -> _Traffic:
        """Count the probes of this check, and sum up the window."""
        # Probes keep the response time known while the program makes no calls.
        for ms in report.times_ms:
            self._collector.calls.probe(now, ms)
        calls, covered = self._collector.calls.totals(now, self._window)
        retried, rate = self._retries.recent(now)
        return _Traffic(calls, covered, retried, rate)

    def _instance_facts(
        self, report: ProbeReport, now: float, at: float
    ) -> dict[str, InstanceFacts]:
        readings = {each.name: each for each in report.instances}
        # Each memory is read once, and not once per instance.
        acks = self._collector.acks.shares(now)
        gaps, failed = self._collector.gaps, self._collector.not_connected_calls
        dead = self._roster.dead
        refusals = self._collector.refusals.counts(now)
        facts: dict[str, InstanceFacts] = {}
        for name in self._roster.watched:
            reading = readings.get(name)
            # A deep probe is rare: its finding stands until a later one takes it back.
            if reading is not None and name in dead:
                reading = replace(reading, dead=True)
            facts[name] = InstanceFacts(
                reading,
                acks=acks.get(name, NO_SENDS),
                connecting_ms=self._roster.connecting_ms(name, now),
                not_connected_calls=failed(name, now),
                missing_events=gaps.missing(name, at),
                event_age_s=gaps.age_s(name, at),
                refusals=refusals.get(name, NO_REFUSALS),
            )
        return facts

    def _judge_roster(self, verdicts: Mapping[str, HealthVerdict]) -> list[HealthFinding]:
        """Judge the list of instances itself: refused, or empty."""
        roster = self._roster
        if roster.unlisted is not None:
            words = f"the instances could not be listed ({roster.unlisted})"
            return [HealthFinding("degraded" if verdicts else "unknown", words)]
        if roster.watches_all and roster.listed and not verdicts:
            words = "the server has no instance: nothing is connected to WhatsApp"
            return [HealthFinding("unhealthy", words, hard=True)]
        return []

    def _move_states(self, judged: _Judged, now: float, at: float) -> list[HealthStatusChanged]:
        """Move the states in force; returns the changes, still without details."""
        changes: list[HealthStatusChanged] = []
        # "Well" is what counts here and not the state in force, which may lag behind.
        self._unsure = {
            name for name, facts in judged.facts.items() if _is_unsure(facts, judged.verdicts[name])
        }
        before = self._overall.status
        if self._overall.step(judged.overall, now):
            reasons = self._overall.reasons(judged.overall, now)
            changes.append(HealthStatusChanged(before, self._overall.status, reasons, {}, at))
        # A single instance changes with the whole: an event of its own would say it twice.
        several = len(judged.verdicts) > 1
        for name, verdict in judged.verdicts.items():
            each = self._each.get(name)
            if each is None:
                each = self._each[name] = Stabilizer(self._limits)
            before = each.status
            if each.step(verdict, now) and several:
                reasons = each.reasons(verdict, now)
                changes.append(HealthStatusChanged(before, each.status, reasons, {}, at, name))
        return changes

    def _sample(self, judged: _Judged, local: LocalReadings, at: float) -> Sample:
        """Make the row of measurements of this check."""
        calls, covered = judged.traffic.calls, judged.traffic.covered_s
        facts = judged.facts.values()
        # The newest event of all: one quiet instance says nothing about the server.
        ages = [each.event_age_s for each in facts if each.event_age_s is not None]
        # A share of very few sends is chance; the worst instance stands for all.
        outbox = local.outbox
        shares = [
            each.acks.share
            for each in facts
            if each.acks.share is not None and each.acks.judged >= self._limits.min_sends
        ]
        return Sample(
            at=at,
            status=self._overall.status,
            reachable=judged.report.server.reachable,
            response_time_ms=calls.average_ms,
            p50_response_time_ms=calls.percentile_ms(0.5),
            p95_response_time_ms=calls.percentile_ms(0.95),
            probe_ms=judged.report.server.latency_ms,
            send_time_ms=calls.average_send_ms,
            error_rate=calls.error_rate,
            messages_per_second=(calls.sends + calls.received) / covered if covered else 0.0,
            requests=calls.requests,
            in_flight=local.in_flight,
            active_connections=self._roster.count_open(judged.report),
            retry_success_rate=judged.traffic.retry_success_rate,
            unacked_share=max(shares, default=None),
            refusals=max((each.refusals.messages for each in facts), default=0),
            event_age_s=min(ages, default=None),
            memory_bytes=local.memory_bytes,
            cpu_percent=local.cpu_percent,
            loop_lag_ms=local.loop_lag_ms,
            outbox_depth=None if outbox is None else outbox.depth,
            outbox_oldest_s=None if outbox is None else outbox.oldest_s,
            outbox_unknown=None if outbox is None else outbox.unknown,
            outbox_paused=None if outbox is None else len(outbox.pauses),
            outbox_sent_per_second=None if outbox is None else outbox.sent_per_second,
            outbox_wait_ms=None if outbox is None else outbox.p95_wait_ms,
        )

    def _health_report(
        self,
        judged: _Judged,
        details: Mapping[str, Any],
        reasons: tuple[str, ...],
        now: float,
        at: float,
    ) -> HealthReport:
        """Make the answer to ``get_health_status``."""
        instances: dict[str, InstanceHealth] = {}
        for name, facts in judged.facts.items():
            state = self._each[name]
            instances[name] = InstanceHealth(
                state.status,
                state.reasons(judged.verdicts[name], now),
                None if facts.reading is None else facts.reading.state,
                name in self._roster.dead,
                facts.event_age_s,
                facts.refusals.messages,
            )
        return HealthReport(self._overall.status, at, reasons, details, MappingProxyType(instances))

    def _step_alerts(
        self, judged: _Judged, sample: Sample, reasons: tuple[str, ...], now: float
    ) -> list[Alert]:
        """Step the alert rules; returns the alerts that were raised or are over."""
        # Rules about single instances are for several: one alone is the whole.
        instances: dict[str, tuple[HealthStatus, Sequence[str]]] = {}
        if len(judged.verdicts) > 1:
            for name, verdict in judged.verdicts.items():
                state = self._each[name]
                instances[name] = (state.status, state.reasons(verdict, now))
        overall = (self._overall.status, reasons)
        lasting = self._anomalies.lasting(now)
        return self._alerts.step(sample, overall, instances, lasting, now)

    def _plan_recovery(self, report: ProbeReport, now: float, at: float) -> list[RecoveryAction]:
        """Plan how to bring back the instances that do not come back by themselves."""
        if self._recovery is None:
            return []
        actions: list[RecoveryAction] = []
        for reading in (each for each in report.instances if each.name in self._each):
            # Failed calls prove a dead socket as well as the deep probe does.
            failed = self._collector.not_connected_calls(reading.name, now)
            dead = reading.name in self._roster.dead or failed >= self._limits.not_connected_calls
            action = self._recovery.step(reading, dead, now, at)
            if action is not None:
                actions.append(action)
        return actions

    def _tell(self, action: RecoveryAction) -> list[MonitorEvent]:
        """Raise or end the alerts of a recovery action."""
        # Recovered: its alerts end, whatever they said.
        if action.settled:
            ended = self._alerts.settle(action.instance, self._wall())
            return [_alert_event(alert) for alert in ended]
        if action.notice is None:
            return []
        return [_alert_event(alert) for alert in self._alerts.notice(action.notice)]


def _is_unsure(facts: InstanceFacts, verdict: HealthVerdict) -> bool:
    """Tell if the next check must ask for an instance itself."""
    return verdict.status != "healthy" or facts.acks.unacked > 0 or facts.not_connected_calls > 0


def _alert_event(alert: Alert) -> AlertRaised | AlertResolved:
    return AlertRaised(alert) if alert.resolved_at is None else AlertResolved(alert)
