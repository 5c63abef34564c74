"""Reports as Markdown and HTML: what they say, in both languages, and what they never hold."""

from __future__ import annotations

import re
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from evolution_sdk import EvolutionClient, EvolutionMonitorService
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.monitor import HistoryOptions, MonitorPorts, MonitorReport, Sample
from evolution_sdk.monitor.alert import Alert
from evolution_sdk.monitor.events import AlertRaised, AlertResolved, HealthStatusChanged
from evolution_sdk.monitor.report import HealthReport, InstanceHealth
from evolution_sdk.monitor.reporting.blocks import sparkline
from evolution_sdk.monitor.reporting.figures import figures_of, runs_of, uptime_of
from evolution_sdk.monitor.reporting.memory import ReportMemory
from evolution_sdk.monitor.reporting.report import report_of
from evolution_sdk.testing import FakeEvolution

END = 1_800_000_000.0
DAY_S = 86_400.0
WORDS = "it is closed: WhatsApp is not connected"


def day(down: range = range(0)) -> list[Sample]:
    """A check each ten minutes; in some of them the server was down."""
    return [
        Sample(
            at=END - DAY_S + 600 * number,
            status="unhealthy" if number in down else "healthy",
            p50_response_time_ms=80.0,
            p95_response_time_ms=900.0 if number in down else 200.0,
            error_rate=0.5 if number in down else 0.0,
            messages_per_second=0.5,
            outbox_depth=number % 7,
            outbox_oldest_s=30.0,
            outbox_unknown=1,
        )
        for number in range(145)
    ]


def change(at: float, current: Any, reasons: tuple[str, ...] = ()) -> HealthStatusChanged:
    previous: Any = "healthy" if current != "healthy" else "unhealthy"
    return HealthStatusChanged(previous, current, reasons, {}, at, "sales")


def made(samples: list[Sample], language: Any = "en", **more: Any) -> MonitorReport:
    values: dict[str, Any] = {
        "changes": [], "alerts": [], "anomalies": [], "trends": {},
        "server": "https://evo.example.com", "begin": END - DAY_S, "end": END, "gap_s": 1_800.0,
    }  # fmt: skip
    health = more.pop("health", HealthReport("healthy", END))
    return report_of(samples, health, language=language, **{**values, **more})


class Reader(HTMLParser):
    """Reads a page; unclosed tags are noticed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.seen.add(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.seen.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("language", ["en", "pt"])
def test_a_page_is_whole_and_loads_nothing(language: str) -> None:
    page = made(day(range(40, 46)), language).html()
    found = Reader(page)
    assert found.open == []
    assert {"svg", "table", "h1"} <= found.seen
    assert not {"script", "link", "img", "iframe", "style"} & found.seen
    assert not re.search(r"(src|href)=", page)
    assert re.findall(r"https?://[^\s<\"]+", page.replace("http://www.w3.org/2000/svg", "")) == [
        "https://evo.example.com,"
    ]
    assert f'lang="{"pt-BR" if language == "pt" else "en"}"' in page


def test_figures_agree_with_the_samples() -> None:
    samples = day(range(36, 48))
    figures = figures_of(samples, 1_800)
    assert figures.samples == 145
    assert figures.uptime == pytest.approx(1 - 12 / 144)
    assert (figures.median_ms, figures.p95_ms, figures.worst_p95_ms) == (80, 200, 900)
    assert figures.worst_error_rate == 0.5
    assert figures.messages == pytest.approx(0.5 * DAY_S)
    assert (figures.outbox_depth, figures.outbox_oldest_s, figures.outbox_unknown) == (6, 30, 1)
    shown = made(samples).markdown()
    assert "Up 91.67 % of the time that is known, by 145 checks." in shown
    assert "| slowest 5 % | 200 ms | 900 ms |" in shown
    assert "| sent and received, about | 43,200 |" in shown


def test_time_without_checks_counts_for_nothing() -> None:
    samples = day(range(36, 48))
    del samples[50:100]
    runs = runs_of(samples, 1_800)
    assert sum(end - begin for begin, end, _ in runs) == 600 * (144 - 51)
    assert uptime_of(runs) == pytest.approx(1 - 12 / 93)
    assert uptime_of([]) is None


def test_almost_all_is_never_rounded_up() -> None:
    assert "Up 99.30 %" in made(day(range(7, 8))).markdown()
    samples = [Sample(at=END - DAY_S + 10 * n, status="healthy") for n in range(8_640)]
    samples[100] = Sample(at=samples[100].at, status="unhealthy")
    assert "Up 99.98 %" in made(samples).markdown()


@pytest.mark.parametrize("language", ["en", "pt"])
def test_a_time_without_checks_is_told(language: str) -> None:
    report = made([], language)
    for text in (report.markdown(), report.html()):
        told = "nada se sabe" if language == "pt" else "nothing is known"
        assert told in text
    assert report.figures.uptime is None


def test_it_speaks_portuguese() -> None:
    health = HealthReport(
        "degraded", END, (f"instance sales: {WORDS}",),
        instances={"sales": InstanceHealth("unhealthy", (WORDS,), "close")},
    )  # fmt: skip
    alert = Alert("unhealthy", "critical", f"instance sales is unhealthy: {WORDS}", END - 900)
    shown = made(
        day(), "pt", health=health, alerts=[alert], changes=[change(END - 900, "unhealthy")]
    ).markdown()
    assert "Saúde agora: com problemas" in shown
    assert "está fechada: o WhatsApp não está conectado" in shown
    assert "| sales | fora do ar | close | 1 |" in shown
    assert "ainda ativo" in shown
    assert "| enviadas e recebidas, cerca de | 43.200 |" in shown
    for english in ("Instances", "healthy", "closed"):
        assert english not in shown


def test_changes_and_alerts_are_told_with_their_times() -> None:
    memory = ReportMemory()
    alert = Alert("unhealthy", "critical", "health is unhealthy", END - 7_200)
    over = Alert(
        "unhealthy", "critical", "health is unhealthy", END - 7_200, resolved_at=END - 3_600
    )
    memory.note(AlertRaised(alert))
    memory.note(AlertResolved(over))
    memory.note(change(END - 2 * DAY_S, "unhealthy"))
    memory.note(change(END - 7_200, "unhealthy", (WORDS,)))
    memory.note(change(END - 3_600, "healthy"))
    since = END - DAY_S
    shown = made(day(), changes=memory.changes(since), alerts=memory.alerts(since)).markdown()
    rows = [line for line in shown.splitlines() if "→" in line]
    assert len(rows) == 2
    assert "unhealthy → healthy" in rows[0]
    assert WORDS in rows[1]
    assert "health is unhealthy (lasted 1.0 h)" in shown
    assert memory.alerts(END - 60) == []


def test_words_of_others_are_only_words() -> None:
    bad = "<script>alert(1)</script> [x](http://evil.example) | # `y` 5511987654321"
    health = HealthReport(
        "degraded", END, (bad,), instances={"<b>|sales": InstanceHealth("unhealthy", (bad,))}
    )
    report = made(day(), health=health)
    assert "script" not in Reader(report.html()).seen
    text = report.markdown()
    assert "<script>" not in text
    assert not re.search(r"(?<!\\)\]\(", text)
    assert "5511987654321" not in text + report.html()
    for line in text.splitlines():
        if line.startswith("|") and "alert" in line:
            assert len(re.findall(r"(?<!\\)\|", line)) == 6


def test_thousands_of_instances_are_summed_up_the_worst_first() -> None:
    names = {f"shop-{number:04}": InstanceHealth("healthy") for number in range(2_000)}
    names["shop-1999"] = InstanceHealth("unhealthy", (WORDS,), "close")
    shown = made(day(), health=HealthReport("degraded", END, instances=names)).markdown()
    rows = [line for line in shown.splitlines() if line.startswith("| shop-")]
    assert len(rows) == 30
    assert rows[0].startswith("| shop-1999 | unhealthy")
    assert "and 1970 more" in shown


def test_a_line_of_characters_has_its_gaps_and_its_top() -> None:
    assert sparkline([0, 1, None, 7]) == "▁▂ █"
    assert sparkline([]) == ""
    assert len(sparkline([1.0] * 1_000)) <= 60


def test_the_service_reports_what_it_measured(tmp_path: Path) -> None:
    class Clock:
        offset_s = 0.0

        def time(self) -> float:
            return END + self.offset_s

        def monotonic(self) -> float:
            return 1_000_000.0 + self.offset_s

    clock = Clock()
    with FakeEvolution().serve() as fake:
        for name in ("sales", "support"):
            fake.create_instance(name, state="open")
        with EvolutionClient(fake.url, fake.api_key, instance="sales") as client:
            monitor = EvolutionMonitorService(
                client,
                instances="*",
                sinks=(),
                history=HistoryOptions(path=str(tmp_path / "monitor.db")),
                ports=MonitorPorts(clock=clock),
            )
            for step in range(12):
                clock.offset_s = 60.0 * step
                if step == 6:
                    fake.set_state("support", "close")
                monitor.check_health_sync()
            report = monitor.report("day", language="pt")
            text, url = report.markdown(), fake.url
            monitor.close()
    assert report.figures.samples == 12
    assert re.search(r"\| support \| fora do ar \| close \| [12] \|", text)
    assert url in text
    assert fake.api_key not in text + report.html()
    assert (report.end - report.begin) == timedelta(days=1)


ODD_PERIODS = ["month", timedelta(), timedelta(days=-1), timedelta.max, 5, None]


@pytest.mark.parametrize("period", ODD_PERIODS)
def test_a_period_that_is_none_is_refused(period: Any) -> None:
    with EvolutionClient("http://127.0.0.1:9", "k") as client:
        monitor = EvolutionMonitorService(client, sinks=())
        with pytest.raises(ConfigurationError, match="period"):
            monitor.report(period)
        monitor.close()
