"""A report about a time: decided once, written as Markdown or HTML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from evolution_sdk._base.redact import mask_phone
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.monitor.alert import Alert
from evolution_sdk.monitor.events import AnomalyDetected, HealthStatusChanged
from evolution_sdk.monitor.forecast import forecast_words
from evolution_sdk.monitor.report import HealthReport
from evolution_sdk.monitor.sample import METRICS, Sample
from evolution_sdk.monitor.trend import Trend
from evolution_sdk.monitor.words import label_of, portuguese

from .blocks import Block, Heading, Plot, Table, Text, as_html, as_markdown, sparkline
from .figures import Figures, column, figures_of, runs_of
from .svg import area, bars, strip

__all__ = ["MonitorReport", "period_of", "report_of"]

Language = Literal["en", "pt"]
_PERIODS: Final = {"day": timedelta(days=1), "week": timedelta(days=7)}
_LONGEST: Final = timedelta(days=366)
_MOST_ROWS: Final = 30
_STATUS: Final = {
    "healthy": ("healthy", "saudável"),
    "degraded": ("degraded", "com problemas"),
    "unhealthy": ("unhealthy", "fora do ar"),
    "unknown": ("unknown", "desconhecida"),
}
_MARKS: Final = {"healthy": "█", "degraded": "▒", "unhealthy": "░", "unknown": "?"}


@dataclass(frozen=True, slots=True)
class MonitorReport:
    """A report of a monitor about a day, a week, or another time.

    Attributes:
        begin: Begin of the time.
        end: End of it.
        language: ``en`` or ``pt``.
        figures: What it sums up.
    """

    begin: datetime
    end: datetime
    language: Language
    figures: Figures
    blocks: tuple[Block, ...] = field(repr=False)

    def markdown(self) -> str:
        """Write it as Markdown, with plots in characters."""
        return as_markdown(self.blocks)

    def html(self) -> str:
        """Write it as a page of HTML for mail: plots as SVG, no script, nothing from elsewhere."""
        return as_html(self.blocks, "pt-BR" if self.language == "pt" else "en")


def period_of(period: object) -> timedelta:
    """Return the length of a report's time.

    Args:
        period: ``day``, ``week``, or a time.

    Raises:
        ConfigurationError: It is neither, not above zero, or longer than a year.
    """
    found = _PERIODS.get(period) if isinstance(period, str) else period
    if not isinstance(found, timedelta) or not timedelta() < found <= _LONGEST:
        raise ConfigurationError(
            "period: must be 'day', 'week', or a timedelta above zero, of a year at most.",
            variable="period",
        )
    return found


def report_of(
    samples: Sequence[Sample],
    health: HealthReport,
    *,
    changes: Sequence[HealthStatusChanged],
    alerts: Sequence[Alert],
    anomalies: Sequence[AnomalyDetected],
    trends: Mapping[str, Trend],
    server: str,
    begin: float,
    end: float,
    gap_s: float,
    language: Language,
) -> MonitorReport:
    """Make a report.

    Args:
        samples: Samples of the time, the oldest first.
        health: Present health.
        changes: Changes of health in the time, the oldest first.
        alerts: Alerts that were active in it.
        anomalies: Anomalies in it.
        trends: Direction of each metric.
        server: The server, without secrets.
        begin: Begin of the time, in unix seconds.
        end: End of it.
        gap_s: Time between two checks after which nothing is known, in seconds.
        language: The language.
    """
    writer = _Writer(language, begin, end)
    figures = figures_of(samples, gap_s)
    blocks = (
        *writer.head(samples, health, figures, server, gap_s),
        *writer.instances(health, changes),
        *writer.times(samples, figures),
        *writer.delivery(samples, figures),
        *writer.outbox(figures),
        *writer.happenings(changes, alerts, anomalies),
        *writer.outlook(trends, alerts),
    )
    return MonitorReport(_time(begin), _time(end), language, figures, blocks)


def _time(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


class _Writer:
    """Writes the parts in one language."""

    def __init__(self, language: Language, begin: float, end: float) -> None:
        self._pt = language == "pt"
        self._begin, self._end = begin, end

    def t(self, en: str, pt: str) -> str:
        return pt if self._pt else en

    def _status(self, status: str) -> str:
        return _STATUS.get(status, (status, status))[self._pt]

    def _words(self, words: str) -> str:
        shown = mask_phone(words)
        return portuguese(shown) if self._pt else shown

    def _number(self, value: float | None, unit: str = "", digits: int = 0) -> str:
        if value is None:
            return self.t("not measured", "sem medição")
        text = f"{value:,.{digits}f}"
        if self._pt:
            text = text.translate(str.maketrans(",.", ".,"))
        return f"{text} {unit}".rstrip()

    def _share(self, value: float | None) -> str:
        # Never rounded up to "all well".
        if value is not None and 0.99 < value < 1:
            value = int(value * 10_000) / 10_000
        return self._number(None if value is None else value * 100, "%", 2 if value else 0)

    def _at(self, at: float) -> str:
        return f"{_time(at):%d/%m %H:%M}" if self._pt else f"{_time(at):%d %b %H:%M}"

    def _long(self, seconds: float) -> str:
        for size, en, pt in ((86_400, "d", "d"), (3_600, "h", "h"), (60, "min", "min")):
            if seconds >= size:
                return self._number(seconds / size, self.t(en, pt), 1 if size > 60 else 0)
        return self._number(seconds, "s")

    def head(
        self,
        samples: Sequence[Sample],
        health: HealthReport,
        figures: Figures,
        server: str,
        gap_s: float,
    ) -> Iterator[Block]:
        yield Heading(self.t("WhatsApp server report", "Relatório do servidor de WhatsApp"), 1)
        yield Text(
            f"{server}, {_time(self._begin):%Y-%m-%d %H:%M} "
            f"{self.t('to', 'a')} {_time(self._end):%Y-%m-%d %H:%M} UTC"
        )
        if not samples:
            yield Text(
                self.t(
                    "No checks were made in this time: nothing is known.",
                    "Nenhuma verificação foi feita neste período: nada se sabe.",
                )
            )
            return
        now = self._status(health.status)
        yield Text(self.t(f"Health now: {now}", f"Saúde agora: {now}"), health.status)
        for words in health.reasons[:_MOST_ROWS]:
            yield Text(f"- {self._words(words)}")
        runs = runs_of(samples, gap_s)
        words = self.t(
            f"Up {self._share(figures.uptime)} of the time that is known, by {figures.samples} "
            "checks.",
            f"No ar {self._share(figures.uptime)} do tempo conhecido, por {figures.samples} "
            "verificações.",
        )
        yield Plot(words, strip(runs, self._begin, self._end, words), self._marks(runs))

    def _marks(self, runs: Sequence[tuple[float, float, str]]) -> str:
        """The strip in characters, the worst state of each part."""
        order = ("healthy", "unknown", "degraded", "unhealthy")
        cells = [" "] * 60
        size = (self._end - self._begin) / 60
        for state in order:
            for begin, end, status in runs:
                if status != state:
                    continue
                first = max(0, int((begin - self._begin) / size))
                last = min(59, int((end - self._begin - 1e-6) / size))
                cells[first : last + 1] = [_MARKS[state]] * (last + 1 - first)
        legend = ", ".join(f"{_MARKS[each]} {self._status(each)}" for each in order)
        return f"{''.join(cells)}\n{legend}"

    def instances(
        self, health: HealthReport, changes: Sequence[HealthStatusChanged]
    ) -> Iterator[Block]:
        if not health.instances:
            return
        yield Heading(self.t("Instances", "Instâncias"))
        titles = (
            self.t("instance", "instância"), self.t("health", "saúde"),
            self.t("connection", "conexão"), self.t("changes", "mudanças"),
            self.t("why", "motivo"),
        )  # fmt: skip
        rows: list[tuple[str, ...]] = []
        for name, one in sorted(health.instances.items()):
            many = sum(change.instance == name for change in changes)
            state = self.t("open, but dead", "aberta, mas morta") if one.socket_dead else one.state
            why = "; ".join(map(self._words, one.reasons))
            rows.append((name, self._status(one.status), state or "-", str(many), why or "-"))
        # The worst first, and not thousands of healthy ones.
        rows.sort(key=lambda row: (row[1] == self._status("healthy"), row[0]))
        yield Table(titles, rows[:_MOST_ROWS])
        if len(rows) > _MOST_ROWS:
            left = len(rows) - _MOST_ROWS
            yield Text(self.t(f"and {left} more", f"e mais {left}"))

    def times(self, samples: Sequence[Sample], figures: Figures) -> Iterator[Block]:
        if not samples:
            return
        yield Heading(self.t("Response times and errors", "Tempos de resposta e erros"))
        yield Table(
            ("", self.t("usual", "normal"), self.t("worst", "pior")),
            (
                (self.t("median", "mediana"), self._number(figures.median_ms, "ms"), "-"),
                (
                    self.t("slowest 5 %", "5 % mais lentas"),
                    self._number(figures.p95_ms, "ms"),
                    self._number(figures.worst_p95_ms, "ms"),
                ),
                (
                    self.t("failed requests", "chamadas com falha"),
                    self._share(figures.error_rate),
                    self._share(figures.worst_error_rate),
                ),
                (
                    self.t("retried with success", "repetidas com sucesso"),
                    self._share(figures.retry_success_rate),
                    "-",
                ),
            ),
        )
        middle = column(samples, "p50_response_time_ms", self._begin, self._end)
        slow = column(samples, "p95_response_time_ms", self._begin, self._end)
        words = self.t(
            "Response time: median (green) and slowest 5 % (brown)",
            "Tempo de resposta: mediana (verde) e 5 % mais lentas (marrom)",
        )
        yield Plot(words, area((middle, slow), words), sparkline(slow))
        failed = column(samples, "error_rate", self._begin, self._end)
        words = self.t("Failed requests", "Chamadas com falha")
        yield Plot(words, area((failed,), words), sparkline(failed))

    def delivery(self, samples: Sequence[Sample], figures: Figures) -> Iterator[Block]:
        if not samples:
            return
        yield Heading(self.t("Messages", "Mensagens"))
        yield Table(
            ("", ""),
            (
                (
                    self.t("sent and received, about", "enviadas e recebidas, cerca de"),
                    self._number(figures.messages),
                ),
                (
                    self.t(
                        "not acknowledged in time, at worst",
                        "sem confirmação a tempo, no pior momento",
                    ),
                    self._share(figures.unacked_share),
                ),
                (
                    self.t(
                        "refused by WhatsApp, at worst in its window",
                        "recusadas pelo WhatsApp, no pior momento",
                    ),
                    self._number(figures.refusals),
                ),
            ),
        )
        rate = column(samples, "messages_per_second", self._begin, self._end)
        words = self.t("Messages per second", "Mensagens por segundo")
        yield Plot(words, area((rate,), words), sparkline(rate))

    def outbox(self, figures: Figures) -> Iterator[Block]:
        if figures.outbox_depth is None:
            return
        yield Heading("Outbox")
        oldest = figures.outbox_oldest_s
        values = (
            (self.t("waiting, at most", "na fila, no máximo"), figures.outbox_depth),
            (self.t("unknown now", "desconhecidas"), figures.outbox_unknown or 0.0),
        )
        words = self.t("Messages of the outbox", "Mensagens do outbox")
        text = "\n".join(f"{name}: {value:g}" for name, value in values)
        yield Plot(words, bars(values, words), text)
        if oldest is not None:
            yield Text(
                self.t(
                    f"The oldest message that was due waited {self._long(oldest)} at most.",
                    f"A mensagem vencida mais antiga esperou no máximo {self._long(oldest)}.",
                )
            )

    def happenings(
        self,
        changes: Sequence[HealthStatusChanged],
        alerts: Sequence[Alert],
        anomalies: Sequence[AnomalyDetected],
    ) -> Iterator[Block]:
        if changes:
            yield Heading(self.t("What changed", "O que mudou"))
            rows = [
                (
                    self._at(each.at),
                    each.instance or self.t("all", "tudo"),
                    f"{self._status(each.previous)} → {self._status(each.current)}",
                    "; ".join(map(self._words, each.reasons)) or "-",
                )
                for each in reversed(changes)
            ]
            when, what = self.t("when", "quando"), self.t("what", "o quê")
            titles = (when, what, "", self.t("why", "motivo"))
            yield Table(titles, rows[:_MOST_ROWS])
        if alerts or anomalies:
            yield Heading(self.t("Alerts and anomalies", "Alertas e anomalias"))
            told = [(each.raised_at, self._alert(each)) for each in alerts]
            told += [(each.at, self._words(each.words)) for each in anomalies]
            told.sort(reverse=True)
            yield Table(
                (self.t("when", "quando"), self.t("what", "o quê")),
                [(self._at(at), words) for at, words in told[:_MOST_ROWS]],
            )

    def _alert(self, alert: Alert) -> str:
        if alert.resolved_at is None:
            lasted = self.t("still active", "ainda ativo")
        else:
            time = self._long(alert.resolved_at - alert.raised_at)
            lasted = self.t(f"lasted {time}", f"durou {time}")
        return f"{self._words(alert.words)} ({lasted})"

    def outlook(self, trends: Mapping[str, Trend], alerts: Sequence[Alert]) -> Iterator[Block]:
        told = [
            self._words(forecast_words(name, trend.forecast))
            for name, trend in trends.items()
            if trend.forecast is not None
        ]
        watched = (METRICS.get(each.metric or "") for each in alerts)
        advised = dict.fromkeys(metric.advice for metric in watched if metric is not None)
        told += [self._words(advice) for advice in advised if advice]
        rising = [
            label_of(name)["pt" if self._pt else "en"]
            for name, trend in trends.items()
            if trend.direction == "rising" and trend.forecast is None
        ]
        if rising:
            told.append(self.t("rising: ", "em alta: ") + ", ".join(rising))
        if told:
            yield Heading(self.t("What to do, and what to expect", "O que fazer e o que esperar"))
            for words in told:
                yield Text(f"- {words}")
