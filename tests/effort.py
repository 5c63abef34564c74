"""How much a run tries: all of it under ``make drill``, a part in the everyday suite."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from itertools import product
from typing import Any, Final

import pytest

DRILL: Final = "EVOLUTION_DRILL_SENDS" in os.environ
"""True under ``make drill``."""

DEEP: Final = pytest.mark.skipif(not DRILL, reason="make drill")
"""Marks what takes long, where a smaller test of the everyday suite finds most of it."""


def deep(*values: object) -> Any:
    """Make a case that only ``make drill`` tries."""
    return pytest.param(*values, marks=DEEP)


def combined(everyday: Collection[Any], *parts: Iterable[Any]) -> list[Any]:
    """Make every combination a case; the everyday suite tries only those that are named."""
    return [each if each in everyday else deep(*each) for each in product(*parts)]


def examples(many: int) -> int:
    """How many examples Hypothesis makes: each run makes other ones, so that many runs find all."""
    return many if DRILL else max(8, many // 4)
