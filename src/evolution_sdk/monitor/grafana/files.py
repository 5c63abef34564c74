"""The files that Grafana and Prometheus read, as text."""

from __future__ import annotations

import json
from typing import Final

from evolution_sdk._base.yaml_text import yaml_lines

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
        _HEAD + "".join(yaml_lines(alert_rules(instance_label))),
        _HEAD + "".join(yaml_lines(recording_rules(instance_label))),
    )
    return dict(zip(FILES, texts, strict=True))
