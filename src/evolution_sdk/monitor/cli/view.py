"""Terminal view: a pure function of a snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from evolution_sdk._cli.language import t
from evolution_sdk._cli.output import age_words, printable
from evolution_sdk.monitor.export.extras import load
from evolution_sdk.monitor.sample import Sample

from .snapshot import Snapshot

__all__ = ["render", "require_rich", "sparkline"]

_COLOURS: Final = {
    "healthy": "green",
    "degraded": "yellow",
    "unhealthy": "red",
    "unknown": "magenta",
    "info": "blue",
    "warning": "yellow",
    "critical": "red",
}
# Health and severities are identifiers; these are their words in Portuguese.
_PT: Final = {
    "healthy": "saudável",
    "degraded": "degradado",
    "unhealthy": "com falha",
    "unknown": "desconhecido",
    "info": "informação",
    "warning": "aviso",
    "critical": "crítico",
}
# Metric, title in both languages, how its newest value is written, and the least top of its scale.
_LINES: Final = (
    ("response_time_ms", ("latency", "latência"), "{:.0f} ms", 100.0),
    ("error_rate", ("error rate", "taxa de erros"), "{:.1%}", 0.05),
    ("messages_per_second", ("messages", "mensagens"), "{:.2f} /s", 0.1),
)
_SPARK: Final = 40
_BARS: Final = "▁▂▃▄▅▆▇█"
_ALERTS: Final = 8


def require_rich() -> None:
    """Check that ``rich`` is there, before anything is begun.

    Raises:
        ConfigurationError: ``rich`` is not installed.
    """
    _rich("console")


def render(snapshot: Snapshot) -> Any:
    """Draw a snapshot.

    Args:
        snapshot: The snapshot. All its words are shown as they are, without markup.

    Returns:
        An object that ``rich`` can print.

    Raises:
        ConfigurationError: ``rich`` is not installed.
    """
    parts = [_head(snapshot), _measures(snapshot)]
    if snapshot.report.instances:
        parts.append(_instances(snapshot))
    parts.append(_alerts(snapshot))
    return _rich("console").Group(*parts)


def _head(snapshot: Snapshot) -> Any:
    report = snapshot.report
    colour = _COLOURS[report.status]
    text = _rich("text").Text()
    text.append(f"● {_word(report.status).upper()}", style=f"bold {colour}")
    version = report.details.get("server_version")
    text.append(f"   {printable(snapshot.url)}")
    if version:
        versions = (version, *report.details.get("other_server_versions", ()))
        text.append(f"   Evolution API {printable(', '.join(map(str, versions)))}")
    license_state = report.details.get("license")
    if license_state:
        text.append(f"   {t('licence', 'licença')} {printable(str(license_state))}")
    if report.checked_at is not None:
        text.append(f"   {t('checked', 'verificado')} {_time(report.checked_at)}", style="dim")
    for reason in report.reasons:
        text.append(f"\n  {printable(reason)}", style=colour)
    for note in report.details.get("notes", ()):
        # What is a reason already is not said twice.
        if note not in report.reasons:
            text.append(f"\n  {t('note', 'nota')}: {printable(str(note))}", style="dim")
    return _rich("panel").Panel(text, title="evolution-sdk monitor", border_style=colour)


def _measures(snapshot: Snapshot) -> Any:
    table = _rich("table").Table(box=None, show_header=False, padding=(0, 2))
    samples = snapshot.samples
    last = samples[-1] if samples else None
    for metric, title, form, least_top in _LINES:
        values = [sample.value(metric) for sample in samples]
        drawn = _text(sparkline(values, _SPARK, least_top=least_top), "cyan")
        table.add_row(t(*title), _number(last, metric, form), drawn)
    return table


def _number(sample: Sample | None, metric: str, form: str) -> str:
    value = None if sample is None else sample.value(metric)
    return "-" if value is None else form.format(value)


def _instances(snapshot: Snapshot) -> Any:
    table = _rich("table").Table(expand=True)
    for title in (
        t("instance", "instância"),
        t("health", "saúde"),
        t("connection", "conexão"),
        t("last event", "último evento"),
        t("why", "motivo"),
    ):
        table.add_column(title)
    for name, each in snapshot.report.instances.items():
        state = t("dead socket", "socket morto") if each.socket_dead else each.state or "-"
        age = "-" if each.event_age_s is None else _ago(age_words(each.event_age_s))
        table.add_row(
            _text(name),
            _text(_word(each.status), _COLOURS[each.status]),
            _text(state),
            age,
            _text("; ".join(each.reasons)),
        )
    return table


def _alerts(snapshot: Snapshot) -> Any:
    if not snapshot.alerts:
        return _text(t("no alerts", "nenhum alerta"), "dim")
    table = _rich("table").Table(box=None, padding=(0, 2))
    for title in (
        t("raised", "início"),
        t("alert", "alerta"),
        t("until", "até"),
        t("what", "o quê"),
    ):
        table.add_column(title)
    for alert in reversed(snapshot.alerts[-_ALERTS:]):
        over = alert.resolved_at
        style = _COLOURS[alert.severity] if over is None else "dim"
        table.add_row(
            _time(alert.raised_at),
            _text(f"{_word(alert.severity)}: {alert.rule}", style),
            t("now", "agora") if over is None else _time(over),
            _text(alert.words),
        )
    return table


def _word(name: str) -> str:
    return t(name, _PT[name])


def _ago(age: str) -> str:
    return t(f"{age} ago", f"há {age}")


def _text(words: str, style: str = "") -> Any:
    return _rich("text").Text(printable(words), style=style)


def _time(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S} UTC"


def _rich(module: str) -> Any:
    return load(f"rich.{module}", "cli", "The terminal view")


def sparkline(values: Sequence[float | None], width: int, *, least_top: float = 0.0) -> str:
    """Draw the last values, from zero to the highest of them.

    Args:
        values: The oldest first; None leaves a gap.
        width: Most characters.
        least_top: The top of the scale is at least this, so that noise stays small.

    Returns:
        At most ``width`` characters, one per value.
    """
    shown = list(values)[-width:] if width > 0 else list[float | None]()
    top = max((v for v in shown if v is not None), default=0.0)
    return "".join(" " if v is None else _bar(v, max(top, least_top)) for v in shown)


def _bar(value: float, top: float) -> str:
    share = max(0.0, value) / top if top > 0 else 0.0
    return _BARS[min(len(_BARS) - 1, int(share * len(_BARS)))]
