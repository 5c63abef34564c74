"""Each dependency says from which version on it works, and nothing needs a newer Python."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
OWN = [
    *PROJECT["dependencies"],
    *(
        one
        for name in EXTRAS
        for one in EXTRAS[name]
        if not one.startswith(f"{PROJECT['name']}[")  # an extra that includes another one
    ),
]


@pytest.mark.parametrize("text", OWN)
def test_a_dependency_has_one_lower_bound(text: str) -> None:
    """`make lowest` installs it; without one pip may keep a version of ten years ago."""
    operators = [each.operator for each in Requirement(text).specifier]
    assert operators.count(">=") == 1


def test_every_python_that_is_named_has_a_job() -> None:
    named = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    makefile = (ROOT / "Makefile").read_text("utf-8")
    oldest, *others = named
    assert PROJECT["requires-python"] == f">={oldest}"
    for each in others:
        assert f"PYTHON=python{each}" in makefile


def test_sql_has_no_numbered_placeholder_with_a_sequence() -> None:
    """Python 3.12.0 to 3.12.3 warn of them: whoever makes errors of warnings lost the archive."""
    for path in (ROOT / "src").rglob("*.py"):
        assert not re.search(r"[\"(= ]\?\d", path.read_text("utf-8")), path
