"""The live suite itself is kept working: it passes against the fake server, and skips without."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from evolution_sdk.testing import FakeEvolution

ROOT = Path(__file__).parents[2]


def run_live(**variables: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("EVOLUTION_")}
    environment.pop("PYTEST_ADDOPTS", None)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "tests/live", "-q", "-p", "no:cacheprovider"],
        cwd=ROOT,
        env={**environment, **variables},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def counts(output: str) -> dict[str, int]:
    last = output.strip().splitlines()[-1]
    return {word: int(number) for number, word in re.findall(r"(\d+) (\w+)", last)}


def test_the_live_suite_passes_against_the_fake_server() -> None:
    fake = FakeEvolution(api_key="live-key", deletion_lag_ms=40)
    fake.create_instance("of-somebody-else", integration="EVOLUTION")
    with fake.serve():
        done = run_live(EVOLUTION_LIVE_URL=fake.url, EVOLUTION_LIVE_API_KEY="live-key")
    found = counts(done.stdout)
    assert done.returncode == 0, done.stdout[-4_000:]
    assert found["passed"] >= 50
    assert "skipped" not in found
    assert "failed" not in found
    assert set(fake.instances) == {"of-somebody-else"}  # it cleans up after itself


def test_the_live_suite_says_why_it_is_skipped() -> None:
    done = run_live(EVOLUTION_LIVE_URL="http://127.0.0.1:9")
    assert done.returncode == 0
    assert set(counts(done.stdout)) & {"passed", "failed", "skipped"} == {"skipped"}
    assert "set EVOLUTION_LIVE_API_KEY to test against a real server" in done.stdout
