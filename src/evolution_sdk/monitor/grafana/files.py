"""The files that Grafana and Prometheus read, as text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final, cast

from .dashboard import dashboard
from .queries import EXPORTED_INSTANCE
from .rules import alert_rules, recording_rules

__all__ = ["FILES", "grafana_files"]

FILES: Final = (
    "evolution-dashboard.json",
    "evolution-alerts.yml",
    "evolution-records.yml",
)
"""Names of the files."""

_HEAD: Final = "# Made by evolution-sdk from its table of metrics: evolution grafana export.\n"


def grafana_files(instance_label: str = EXPORTED_INSTANCE) -> dict[str, str]:
    """Return the files by name.

    Args:
        instance_label: The label that holds WhatsApp's instance.
    """
    made = json.dumps(dashboard(instance_label), indent=2, ensure_ascii=False)
    texts = (
        f"{made}\n",
        _HEAD + "".join(_yaml(alert_rules(instance_label))),
        _HEAD + "".join(_yaml(recording_rules(instance_label))),
    )
    return dict(zip(FILES, texts, strict=True))


def _yaml(value: object, indent: str = "") -> list[str]:
    """Write what rules are made of; texts as JSON writes them, which YAML reads."""
    lines: list[str] = []
    if isinstance(value, list):
        for each in cast("list[object]", value):
            inside = _yaml(each, f"{indent}  ")
            first = inside[0].lstrip()
            lines += [f"{indent}- {first}", *inside[1:]]
        return lines
    for name, each in cast("Mapping[str, object]", value).items():
        if isinstance(each, dict | list):
            lines += [f"{indent}{name}:\n", *_yaml(cast("object", each), f"{indent}  ")]
        else:
            lines.append(f"{indent}{name}: {json.dumps(each, ensure_ascii=False)}\n")
    return lines
