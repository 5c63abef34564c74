"""Finds the facts and recordings of real servers, which `facts/README.md` lists."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
FACTS = ROOT / "facts"
# Labelled metric series: they are no facts about the server, so they are not in `facts/`.
ANOMALY = ROOT / "tests" / "data" / "anomaly"


def read(name: str) -> Any:
    """Parse a JSON file of `facts/`, named by its path there."""
    return json.loads((FACTS / name).read_text("utf-8"))


def routes() -> dict[str, dict[str, Any]]:
    """Return every route by ``group.name``: those of 2.3.6, and those that later versions have."""
    tables = (*read("endpoints.json"), *read("versions/endpoints.json"))
    return {f"{route['group']}.{route['name']}": route for route in tables}
