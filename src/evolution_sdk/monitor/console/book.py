"""The state as bytes: each section is written once per change, for all pages together."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from .access import Level
from .figures import Figures
from .queues import outbox_shown, receiver_shown
from .recorder import WHOLE, Recorder
from .state import (
    alerts_shown,
    health_shown,
    instance_shown,
    outlook_shown,
    resilience_shown,
    strip_shown,
)

__all__ = ["Changes", "StateBook", "to_json"]

VERSION: Final = 1
"""Version of the shape of the state."""

# Wherever it stands: `mask_phone` leaves those alone that are part of a longer word.
_LONG_NUMBER: Final = re.compile(r"\d{9,}")
_NULL: Final = b"null"

Stamp: TypeAlias = object
Named: TypeAlias = dict[str, bytes]


def to_json(value: object) -> bytes:
    """Write JSON without blanks."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(slots=True)
class Changes:
    """Changes between two looks, as JSON.

    Attributes:
        sections: Whole sections.
        named: Of sections by name, the names that changed; ``null`` for those that are gone.
    """

    sections: dict[str, bytes] = field(default_factory=dict[str, bytes])
    named: dict[str, Named] = field(default_factory=dict[str, Named])

    def __bool__(self) -> bool:
        return bool(self.sections) or bool(self.named)

    def shown_to(self, level: Level, at: float) -> bytes | None:
        """Return the JSON for pages of a level; None where nothing changed for them."""
        named = {name: some for name, some in self.named.items() if _may_see(name, level)}
        if not self.sections and not named:
            return None
        parts = {name: _joined(some) for name, some in named.items()}
        return _joined({"at": to_json(round(at, 1)), **self.sections, **parts})


class StateBook:
    """Writes the state, and tells what changed since it was written last.

    Args:
        recorder: What was recorded.
        figures: Outbox and receiver.
        fixed: Sections that never change.
        show_numbers: True to show phone numbers that keys of messages may hold.
    """

    def __init__(
        self,
        recorder: Recorder,
        figures: Figures,
        fixed: Mapping[str, Any],
        *,
        show_numbers: bool = False,
    ) -> None:
        self._recorder = recorder
        self._source = recorder.source
        self._figures = figures
        self._show_numbers = show_numbers
        self._fixed = {name: to_json(value) for name, value in fixed.items()}
        self._stamps: dict[str, Stamp] = {}
        self._sections: dict[str, bytes] = {}
        self._named: dict[str, Named] = {"instances": {}, "strips": {}, "pairing": {}}
        self._makers: dict[str, tuple[Callable[[], Stamp], Callable[[], Any]]] = {
            "server": (self._checks, self._server),
            "health": (self._checks, self._health),
            "series": (self._checks, self._series),
            "outlook": (self._checks, self._outlook),
            "delivery": (self._delivery_stamp, self._delivery),
            "resilience": (self._checks, self._resilience),
            "outbox": (lambda: (figures.version, recorder.checks), self._outbox),
            "receiver": (lambda: figures.version, self._receiver),
            "alerts": (lambda: (recorder.alert_changes, recorder.checks), self._alerts),
            "calls": (lambda: recorder.traffic.calls_seen, self._calls),
            "events": (lambda: recorder.traffic.events_seen, self._events),
        }
        self._namers: dict[str, tuple[Callable[[], Stamp], Callable[[], dict[str, Any]]]] = {
            "instances": (
                lambda: (recorder.checks, recorder.pairings.version, figures.version),
                self._instances,
            ),
            "strips": (self._checks, self._strips),
            "pairing": (lambda: recorder.pairings.version, recorder.pairings.to_dict),
        }

    def refresh(self) -> Changes:
        """Write the sections whose sources have changed.

        Returns:
            What is different from the last time.
        """
        changes = Changes()
        for name, (stamp_of, make) in self._makers.items():
            stamp = stamp_of()
            if name in self._stamps and self._stamps[name] == stamp:
                continue
            self._stamps[name] = stamp
            written = to_json(make())
            if self._sections.get(name) != written:
                self._sections[name] = changes.sections[name] = written
        for name, (stamp_of, make_all) in self._namers.items():
            stamp = stamp_of()
            if name in self._stamps and self._stamps[name] == stamp:
                continue
            self._stamps[name] = stamp
            if changed := _renew(self._named[name], make_all()):
                changes.named[name] = changed
        return changes

    def whole(self, level: Level, *, may_act: bool) -> bytes:
        """Return the full state, as it was written last.

        Args:
            level: What the page may do.
            may_act: Whether actions are switched on.
        """
        acts = level == "act" and may_act
        named = {
            name: _joined(some if _may_see(name, level) else {})
            for name, some in self._named.items()
        }
        return _joined(
            {
                "version": to_json(VERSION),
                "at": to_json(round(self._source.at, 1)),
                "can": to_json({"act": acts}),
                **self._fixed,
                **self._sections,
                **named,
            }
        )

    def _checks(self) -> Stamp:
        return self._recorder.checks

    def _delivery_stamp(self) -> Stamp:
        return (self._recorder.funnel.version, self._recorder.checks)

    def _server(self) -> dict[str, Any]:
        monitor = self._source.monitor
        return {
            "url": monitor.config.base_url,
            "version": monitor.get_health_status().details.get("server_version"),
            "running": monitor.running,
            "interval_ms": self._source.interval_ms,
        }

    def _health(self) -> dict[str, Any]:
        report = self._source.monitor.get_health_status()
        strip = self._recorder.strips.get(WHOLE)
        return health_shown(report, self._source.last_sample, strip, self._source.at)

    def _instances(self) -> dict[str, Any]:
        report = self._source.monitor.get_health_status()
        outbox = self._figures.outbox
        pauses = {} if outbox is None or outbox.stats is None else {
            pause.instance: pause for pause in outbox.stats.pauses
        }  # fmt: skip
        return {
            name: instance_shown(
                health,
                self._recorder.strips.get(name),
                pauses.get(name),
                code=name in self._recorder.pairings,
                checked_at=report.checked_at,
                read_at=None if outbox is None else outbox.at,
            )
            for name, health in report.instances.items()
        }

    def _strips(self) -> dict[str, Any]:
        at = self._source.at
        # A check in another thread may add one meanwhile.
        return {name: strip_shown(each, at) for name, each in list(self._recorder.strips.items())}

    def _series(self) -> dict[str, Any]:
        at = self._source.at
        return {"hour": self._recorder.hour.to_dict(at), "day": self._recorder.day.to_dict(at)}

    def _outlook(self) -> dict[str, Any]:
        source = self._source
        return outlook_shown(self._recorder.anomalies, source.forecasts(), source.limits, source.at)

    def _delivery(self) -> dict[str, Any]:
        sample = self._source.last_sample
        shown = self._recorder.funnel.to_dict(self._source.at)
        return {**shown, "unacked_share": None if sample is None else sample.unacked_share}

    def _resilience(self) -> dict[str, Any]:
        source = self._source
        return resilience_shown(source.retry(), source.breakers(), source.at)

    def _outbox(self) -> dict[str, Any] | None:
        figures = self._figures.outbox
        if figures is None:
            return None
        sample = self._source.last_sample if self._source.watches_outbox else None
        shown = outbox_shown(figures, sample)
        if not self._show_numbers:
            # Programs make keys of what they know, and that is often a number.
            for row in shown["rows"]:
                row["key"] = _LONG_NUMBER.sub(_masked, row["key"])
        return shown

    def _receiver(self) -> dict[str, Any] | None:
        figures = self._figures.receiver
        return None if figures is None else receiver_shown(figures)

    def _alerts(self) -> dict[str, Any]:
        return alerts_shown(self._source.monitor.active_alerts, self._recorder.alerts)

    def _calls(self) -> dict[str, Any]:
        return self._recorder.traffic.calls_shown(self._source.now)

    def _events(self) -> dict[str, Any]:
        return self._recorder.traffic.events_shown(self._source.now)


def _masked(number: re.Match[str]) -> str:
    return f"{number[0][:2]}{'*' * 5}{number[0][-2:]}"


def _may_see(section: str, level: Level) -> bool:
    # A code is a key to the account: whoever scans it reads and writes its messages.
    return section != "pairing" or level == "act"


def _renew(known: Named, made: Mapping[str, Any]) -> Named:
    """Write what is there now; returns what differs from before."""
    changed: Named = {}
    for name, value in made.items():
        written = to_json(value)
        if known.get(name) != written:
            known[name] = changed[name] = written
    for name in [name for name in known if name not in made]:
        del known[name]
        changed[name] = _NULL
    return changed


def _joined(parts: Mapping[str, bytes]) -> bytes:
    return b"{" + b",".join(to_json(name) + b":" + value for name, value in parts.items()) + b"}"
