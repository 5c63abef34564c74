"""The package tells type checkers the truth (pyright reads the same file in ``make types``)."""

from __future__ import annotations

import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_the_package_is_marked_as_typed() -> None:
    assert files("evolution_sdk").joinpath("py.typed").is_file()


@pytest.mark.parametrize("name", ["api", "events", "media"])
def test_mypy_agrees_with_every_type_of_the_api(name: str) -> None:
    pytest.importorskip("mypy")
    command = [sys.executable, "-m", "mypy", "--strict", "--warn-unused-ignores"]
    done = subprocess.run(
        [*command, f"tests/typing/{name}.py"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
