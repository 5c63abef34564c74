"""What promtool checks, on both text formats, with the client library's own parsers."""

from __future__ import annotations

import re
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics import exposition
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open
from prometheus_client.parser import text_string_to_metric_families as parse_text

from evolution_sdk.monitor.export import PrometheusCollector

UNITS = ("seconds", "bytes", "ratio")
NOT_BASE = ("milliseconds", "_ms", "percent", "kilobytes", "minutes", "hours")
Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def scrape(collector: PrometheusCollector) -> tuple[str, str]:
    """The page as text of Prometheus, and as OpenMetrics."""
    registry = CollectorRegistry()
    registry.register(collector)
    try:
        text = generate_latest(registry).decode()
        return text, exposition.generate_latest(registry).decode()
    finally:
        registry.unregister(collector)


def checked(collector: PrometheusCollector) -> Series:
    """Scrape, check as promtool does, and return every series."""
    text, opened = scrape(collector)
    lint(text)
    families = list(parse_open(opened))  # strict: order, suffixes, units, bucket sums
    assert families
    assert all(family.documentation for family in families)
    found: Series = {}
    for family in parse_text(text):
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in found, f"a series comes twice: {key}"
            found[key] = sample.value
    return found


def lint(text: str) -> None:
    helps = re.findall(r"^# HELP (\S+) (.+)$", text, re.MULTILINE)
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    assert len(dict(helps)) == len(helps), "HELP comes twice"
    assert set(dict(helps)) == set(types)
    for name, kind in types.items():
        assert re.fullmatch(r"evolution_[a-z0-9]+(_[a-z0-9]+)*", name), name
        assert kind != "untyped", name
        assert name.endswith("_total") == (kind == "counter"), name
        assert not any(word in name for word in NOT_BASE), name
        for unit in UNITS:
            if f"_{unit}" in name:
                assert name.removesuffix("_total").endswith(f"_{unit}"), name
    for family in parse_text(text):
        for sample in family.samples:
            assert "le" not in sample.labels or family.type == "histogram"
            assert not {"quantile", "job", "instance_id"} & set(sample.labels)
            assert all(re.fullmatch(r"[a-z_]+", label) for label in sample.labels)


def value(series: Series, name: str, **labels: str) -> float:
    return series[name, tuple(sorted(labels.items()))]


def named(series: Series, name: str) -> dict[tuple[str, ...], float]:
    """Every series of a name, by the values of its labels."""
    rows: dict[Any, float] = {}
    for (found, labels), number in series.items():
        if found == name:
            rows[tuple(each for _, each in labels)] = number
    return rows
