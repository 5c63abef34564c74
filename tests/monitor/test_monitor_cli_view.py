"""The view is a function of a snapshot: what it shows, and what never gets into a terminal."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from monitor_kit import START
from rich.console import Console

from evolution_sdk.monitor import Alert, HealthReport, InstanceHealth, Sample
from evolution_sdk.monitor.alert import PairingCode
from evolution_sdk.monitor.cli import EXIT_CODES, Snapshot, render
from evolution_sdk.monitor.cli.view import sparkline
from evolution_sdk.monitor.sample import STATUSES


def shown(snapshot: Snapshot, width: int = 100) -> str:
    console = Console(record=True, width=width, file=SimpleNamespace(write=len, flush=list))  # type: ignore[arg-type] # thrown away
    console.print(render(snapshot))
    return console.export_text()


def busy() -> Snapshot:
    samples = [
        Sample(
            START + 5 * n,
            response_time_ms=100.0 * n,
            error_rate=None if n == 3 else 0.01 * n,
            messages_per_second=n / 10,
        )
        for n in range(8)
    ]
    report = HealthReport(
        "degraded",
        START,
        ("instance sales: its socket is dead",),
        {"server_version": "2.3.6"},
        {
            "sales": InstanceHealth("unhealthy", ("its socket is dead",), "open", True, 7_300.0),
            "support": InstanceHealth("healthy", (), "open", False, 12.0),
            "new": InstanceHealth("unknown", ("[bold]no answer[/bold]",)),
        },
    )
    pairing = PairingCode("2@secret-code", "data:secret", "ABCD-EFGH")
    alerts = (
        Alert("errors", "warning", "too many errors", START - 90, resolved_at=START - 30),
        Alert("down", "critical", "sales is down", START, instance="sales", pairing=pairing),
    )
    return Snapshot(report, samples, alerts, "http://localhost:8080")


def test_all_of_a_busy_monitor() -> None:
    text = shown(busy())
    lines = text.splitlines()
    assert "● DEGRADED   http://localhost:8080   Evolution API 2.3.6   checked 15:31:29 UTC" in text
    latency, errors, messages = (
        next(line for line in lines if title in line)
        for title in ("latency", "error rate", "messages")
    )
    assert latency.split()[1:] == ["700", "ms", "▁▂▃▄▅▆▇█"]
    assert errors.rstrip().endswith("  ▁▂▃ ▅▆▇█")
    assert "7.0%" in errors
    assert messages.split()[1:] == ["0.70", "/s", "▁▂▃▄▅▆▇█"]
    sales, support, new = (
        next(line for line in lines if line.startswith(f"│ {name}"))
        for name in ("sales", "support", "new")
    )
    assert [part.strip() for part in sales.split("│")[1:-1]] == [
        "sales",
        "unhealthy",
        "dead socket",
        "2 h ago",
        "its socket is dead",
    ]
    assert "12 s ago" in support
    assert "[bold]no answer[/bold]" in new, "no markup is read"
    down = next(n for n, line in enumerate(lines) if "critical: down" in line)
    over = next(n for n, line in enumerate(lines) if "warning: errors" in line)
    assert down < over, "the newest first"
    assert "now" in lines[down]
    assert "15:30:59 UTC" in lines[over]


def test_before_anything_is_known() -> None:
    text = shown(Snapshot(HealthReport()))
    assert "UNKNOWN" in text
    assert "no alerts" in text
    assert "instance" not in text


def test_only_the_last_alerts_are_shown() -> None:
    alerts = [Alert(f"rule-{n}", "info", "w", START + n) for n in range(20)]
    text = shown(Snapshot(HealthReport(), alerts=alerts))
    assert "rule-19" in text
    assert "rule-12 " in text
    assert "rule-11" not in text


@pytest.mark.parametrize("width", [20, 40, 300])
def test_any_width_works(width: int) -> None:
    assert max(map(len, shown(busy(), width).splitlines())) <= width


def test_no_control_character_reaches_the_terminal() -> None:
    evil = "\x1b]0;owned\x07\x1b[31mred\r"
    report = HealthReport(
        "unhealthy", START, (evil,), {"server_version": evil}, {evil: InstanceHealth("healthy")}
    )
    text = shown(Snapshot(report, (), (Alert("r", "info", evil, START),), evil), 200)
    assert not {"\x1b", "\x07", "\r"} & set(text)


def test_what_pairs_a_phone_is_never_shown() -> None:
    for text in (shown(busy()), str(busy().to_dict())):
        for secret in ("secret", "ABCD"):
            assert secret not in text


@pytest.mark.parametrize("status", STATUSES)
def test_every_state_has_an_exit_code_of_its_own(status: Any) -> None:
    codes = {"healthy": 0, "degraded": 1, "unhealthy": 2, "unknown": 3}
    assert Snapshot(HealthReport(status)).exit_code == codes[status] == EXIT_CODES[status]


@given(
    st.lists(st.none() | st.floats(0, 1e12)),
    st.integers(0, 80),
    st.floats(0, 1e6),
)
def test_a_sparkline_has_one_character_per_value(
    values: list[float | None], width: int, least_top: float
) -> None:
    drawn = sparkline(values, width, least_top=least_top)
    assert len(drawn) == min(width, len(values))
    for bar, value in zip(drawn, values[len(values) - len(drawn) :], strict=True):
        assert (bar == " ") == (value is None)


def test_the_scale_of_a_sparkline() -> None:
    assert sparkline([0, 0], 9) == "▁▁"
    assert sparkline([1, 8], 9) == "▂█"
    assert sparkline([1, 2], 9, least_top=16) == "▁▂"
    assert sparkline([5, 1, 8], 2) == "▂█"


def test_version_licence_and_notes_are_in_the_head() -> None:
    details = {
        "server_version": "2.4.0",
        "other_server_versions": ("2.3.7",),
        "license": "inactive",
        "notes": ("look for a newer SDK", "said already"),
    }
    text = shown(Snapshot(HealthReport("unhealthy", START, ("said already",), details)), 120)
    assert "Evolution API 2.4.0, 2.3.7   licence inactive   checked" in text
    assert "note: look for a newer SDK" in text
    assert text.count("said already") == 1
