"""The monitor's page says what the code does."""

from __future__ import annotations

import re
from typing import get_args

from docs_pages import ROOT

from evolution_sdk import monitor
from evolution_sdk.monitor import Thresholds
from evolution_sdk.monitor.events import MonitorEventName

PAGE = (ROOT / "docs" / "en" / "monitor.md").read_text(encoding="utf-8")


def test_the_thresholds_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `([\d.]+|None)` \|", PAGE, re.MULTILINE)
    real = [(name, field.default) for name, field in Thresholds.model_fields.items()]
    assert [(name, None if value == "None" else float(value)) for name, value in rows] == real


def test_every_event_is_described_with_attributes_that_exist() -> None:
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]*`\.[^|]+) \|$", PAGE, re.MULTILINE)
    assert {name for name, _ in rows} == set(get_args(MonitorEventName))
    for name, attributes in rows:
        kind = getattr(monitor, name[0].upper() + name[1:])
        for attribute in re.findall(r"`\.(\w+)`", attributes):
            assert attribute == "resolved_at" or hasattr(kind, attribute), (name, attribute)


def test_every_sink_is_named() -> None:
    assert {"LogSink", "CallableSink", "HttpSink", "WhatsAppSink"} <= set(
        re.findall(r"\w+Sink", PAGE)
    )
