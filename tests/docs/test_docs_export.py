"""The export page says what the code does: metrics, queries, options, exit codes."""

from __future__ import annotations

import re

from docs_pages import ROOT

from evolution_sdk.monitor.cli import EXIT_CODES
from evolution_sdk.monitor.cli.command import parser
from evolution_sdk.monitor.export.families import FAMILIES, MetricFamily

PAGE = (ROOT / "docs" / "en" / "monitor-export.md").read_text(encoding="utf-8")
SUFFIXES = ("_bucket", "_count", "_sum")


def unit(family: MetricFamily) -> str:
    return family.prometheus_unit or family.unit.replace("{", "").replace("}", "")


def test_the_table_is_the_code() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| `([\w.]+)` \| (\w+) \| ([\w/]*) \| ([^|]*) \| (.+) \|$", PAGE, re.MULTILINE
    )
    real = [
        (f.prometheus, f.otel, f.kind, unit(f), ", ".join(f"`{x}`" for x in f.labels), f.help)
        for f in FAMILIES.values()
    ]
    assert rows == [tuple(each) for each in real]


def test_queries_use_metrics_and_labels_that_exist() -> None:
    (queries,) = re.findall(r"^```\n(# the server.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    known = {family.prometheus: family for family in FAMILIES.values()}
    found = re.findall(r"\b(evolution_\w+)(?:\{([^}]*)\})?", re.sub(r'"[^"]*"', '""', queries))
    assert len(found) > 8
    for name, selectors in found:
        base = next((name.removesuffix(s) for s in SUFFIXES if name.endswith(s)), name)
        family = known[base if base in known else name]
        labels = {name, "le"} if family.kind == "states" else {*family.labels, "le"}
        assert set(re.findall(r"(\w+)\s*(?:=~|!=|=)", selectors)) <= labels, name


def test_every_option_and_exit_code_is_named() -> None:
    section = PAGE.partition("## In a terminal")[2]
    rows = re.findall(r"^\| (`--.*?`) \| ", section, re.MULTILINE)
    options = {o for row in rows for o in re.findall(r"--[\w-]+", row)}
    known = {flag for action in parser()._actions for flag in action.option_strings}
    assert options == known - {"-h", "--help"}
    codes = dict(re.findall(r"^\| (\d) \| (\w+)", section, re.MULTILINE))
    assert {word: int(code) for code, word in codes.items()} == dict(EXIT_CODES)
