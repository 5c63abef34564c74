"""Every sentence of the monitor has a Portuguese one: new ones are found in the sources."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from evolution_sdk.models import refusals
from evolution_sdk.monitor import METRICS
from evolution_sdk.monitor.phrases import LABELS, PHRASES, UNITS
from evolution_sdk.monitor.words import portuguese, words_of

SOURCES = Path(refusals.__file__).parents[1]
# Where sentences for people are made, and the names that they are given.
FILES = (
    "monitor/health.py", "monitor/health_tracker.py", "monitor/hysteresis.py", "monitor/alert.py",
    "monitor/forecast.py", "monitor/recovery.py", "monitor/server_identity.py",
    "monitor/level_shift.py", "monitor/anomaly/judgement.py",
)  # fmt: skip
NAMED = {"words", "text"}
SAMPLE = "7"
# Holes that hold other things than a number or a name.
HOLES = {
    "after": "", "was": "", "side": "above", "more": "more", "status": "degraded",
    "unit": "bytes", "usual": "usual is 1 to 2",
}  # fmt: skip


def sentences() -> list[tuple[str, str]]:
    """Every sentence with a sample in each hole, and its file."""
    found: list[tuple[str, str]] = []
    for name in FILES:
        tree = ast.parse((SOURCES / name).read_text("utf-8"))
        for node in ast.walk(tree):
            for value in _told(node):
                if (text := _text(value)) and re.search(r"[a-z]{2} ", text):
                    found.append((name, text))
    return found


def _told(node: ast.AST) -> list[ast.expr]:
    """The expressions that are sentences: assigned to such a name, or handed to a finding."""
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return [node.value] if node.targets[0].id in NAMED else []
    if isinstance(node, ast.Call):
        called = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if called == "HealthFinding":
            return node.args[1:2]
        if called == "append" and isinstance(node.func, ast.Attribute):
            owner = getattr(node.func.value, "id", "")
            return node.args if owner in ("notes", "told") else []
    if isinstance(node, ast.Return) and isinstance(node.value, ast.JoinedStr | ast.Constant):
        return [node.value]
    return []


def _text(value: ast.expr) -> str:
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return value.value
    if isinstance(value, ast.JoinedStr):
        return "".join(map(_part, value.values))
    return ""


def _part(value: ast.expr) -> str:
    if not isinstance(value, ast.FormattedValue):
        return _text(value)
    name = getattr(value.value, "id", getattr(value.value, "attr", ""))
    if name == "limit" and value.format_spec is None:
        return "7 (bytes)"
    return HOLES.get(name, SAMPLE)


def test_there_are_sentences_to_look_at() -> None:
    assert len(sentences()) >= 40
    assert {name for name, _ in sentences()} == set(FILES)


@pytest.mark.parametrize(("file", "sentence"), sentences())
def test_every_sentence_is_translated(file: str, sentence: str) -> None:
    assert portuguese(sentence) != sentence, f"{file}: {sentence}"


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda each: each.name)
def test_metrics_have_names_units_and_advice(metric: object) -> None:
    assert metric.label in LABELS  # type: ignore[attr-defined]
    assert metric.unit in UNITS  # type: ignore[attr-defined]
    advice = metric.advice  # type: ignore[attr-defined]
    assert not advice or advice in PHRASES


def test_reasons_of_refusals_are_translated() -> None:
    for meaning, advice in refusals.CODES.values():
        assert meaning in PHRASES
        assert advice in PHRASES
    for status in ("ERROR", "FAILED"):
        for raw in ({}, {"messageStubParameters": ["999"]}):
            refusal = refusals.refusal_of(status, raw)
            assert refusal is not None
            assert {refusal.meaning, refusal.advice} <= set(PHRASES)


@pytest.mark.parametrize(
    ("english", "expected"),
    [
        ("instance a is b: it is connecting", "instância a is b: está conectando"),
        (
            "health is degraded: instance a: it is connecting; instance b: 5 of 10 requests failed",
            (
                "a saúde geral está degradada: instância a: está conectando; "
                "instância b: 5 de 10 requisições falharam"
            ),
        ),
        (
            "mean response time is 900 (milliseconds), above 500",
            "tempo médio de resposta é 900 (milissegundos), acima de 500",
        ),
        (
            "error rate reaches 0.2 (share), degraded, in about less than 1 min at this rate",
            "taxa de erros chega a 0.2 (fração), degradada, em cerca de menos de 1 min neste ritmo",
        ),
        ("words of a sink of the user's own", "words of a sink of the user's own"),
        ("", ""),
    ],
)
def test_parts_are_translated_too(english: str, expected: str) -> None:
    assert words_of(english) == {"en": english, "pt": expected}


def test_a_long_text_is_translated_in_no_time() -> None:
    text = "instance " + "a: " * 2_000 + "; " * 500
    assert isinstance(portuguese(text), str)
