"""The comparison with peers runs, counts right, and leaves our package alone."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "benchmarks" / "doubles.py"
NUMBERS = ("asked", "once", "doubled", "lost", "errors", "alarms")


@pytest.fixture(scope="module")
def output() -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(PROGRAM), "--sends", "60"],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout


def rows(output: str) -> dict[str, dict[str, int]]:
    found = re.findall(r"^(\S.*?) {2,}([\d ]+)$", output, re.MULTILINE)
    return {
        name: dict(zip(NUMBERS, map(int, figures.split()), strict=True)) for name, figures in found
    }


def test_ours_loses_and_doubles_nothing(output: str) -> None:
    found = rows(output)
    assert found["evolution-sdk, resend"] == {
        "asked": 60, "once": 60, "doubled": 0, "lost": 0, "errors": 0, "alarms": 0
    }  # fmt: skip
    default = found["evolution-sdk, default"]
    assert (default["doubled"], default["lost"], default["alarms"]) == (0, 0, 0)
    assert default["once"] + default["errors"] == 60
    assert output.endswith("evolution-sdk: 0 lost or doubled\n")


def test_the_peers_double(output: str) -> None:
    peers = {name: row for name, row in rows(output).items() if "tenacity" in name}
    assert len(peers) == 2
    assert all(row["asked"] == 60 and row["doubled"] > 0 for row in peers.values())


def test_harm_by_ours_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PROGRAM.parent))
    import doubles
    import peers

    careless = {peers.OURS[0]: peers.official}
    monkeypatch.setattr(doubles, "SUBJECTS", careless)
    assert doubles.main(["--sends", "40"]) == 1


def test_importing_the_peers_leaves_our_package_alone(tmp_path: Path) -> None:
    """Before or after ours; the environment stays, though one of them reads a .env."""
    code = """
import logging, os, sys, warnings
sys.path.insert(0, sys.argv[1])
import evolution_sdk
before = dict(os.environ), list(logging.root.handlers)
filters = list(warnings.filters)
import peers
for name in ("evolutionapi", "pyevolutionapi", "tenacity"):
    assert name not in sys.modules, name
for name, subject in peers.SUBJECTS.items():
    with subject("http://127.0.0.1:9", "key", "x") as send:
        assert callable(send)
assert "evolutionapi" in sys.modules and "pyevolutionapi" in sys.modules
assert before == (dict(os.environ), list(logging.root.handlers))
# requests and urllib3 add filters for warnings of their own
added = [f for f in warnings.filters if f not in filters]
assert all(f[2].__module__.startswith(("urllib3.", "requests.")) for f in added), added
assert evolution_sdk.EvolutionClient.__module__ == "evolution_sdk"
"""
    (tmp_path / ".env").write_text("EVOLUTION_API_KEY=from-a-file\n")
    done = subprocess.run(
        [sys.executable, "-c", code, str(PROGRAM.parent)],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
