"""The live suite itself is kept working: it passes against the fake server, and skips without.

How a real server of each version does: see `docs/en/testing.md`, "Against a real server".
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from effort import DRILL, deep
from evolution_sdk.testing import FakeEvolution

ROOT = Path(__file__).parents[2]
# The drills of the suite have a longer one of their own here (tests/drills); `make drill` runs all.
LIVE = ("tests/live",) if DRILL else ("tests/live", "--ignore=tests/live/test_live_drill.py")
VERSIONS = ("tests/live/test_live_versions.py",)
ALWAYS = (
    "set EVOLUTION_LIVE_GRAPH_URL to the server's WA_BUSINESS_URL to test WHATSAPP-BUSINESS",
    "the server needs no licence, or has one",
)
NO_IDS, NO_ROUTES = "{} lacks it: message_ids", "{} lacks the routes"


def run_live(*tests: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("EVOLUTION_")}
    environment.pop("PYTEST_ADDOPTS", None)
    return subprocess.run(
        [sys.executable, "-m", "pytest", *tests, "-q", "-p", "no:cacheprovider"],
        cwd=ROOT,
        env={**environment, **variables},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def counts(output: str) -> dict[str, int]:
    last = output.strip().splitlines()[-1]
    return {word: int(number) for number, word in re.findall(r"(\d+) (\w+)", last)}


def reasons(output: str) -> set[str]:
    """Why tests were skipped."""
    return set(re.findall(r"^SKIPPED \[\d+\] \S+: (.*)$", output, re.MULTILINE))


@pytest.mark.parametrize(
    ("version", "tests", "least", "skipped"),
    [
        ("2.3.7", LIVE, 80, {*ALWAYS, "2.3.7 has it", NO_ROUTES, NO_IDS}),
        deep("2.2.3", VERSIONS, 60, {ALWAYS[0], NO_ROUTES, NO_IDS}),
        deep("2.4-pre", VERSIONS, 40, {ALWAYS[0], "2.3.7 (a build of 2.4) has it"}),
    ],
)
def test_the_live_suite_passes_against_the_fake_server(
    version: str, tests: tuple[str, ...], least: int, skipped: set[str]
) -> None:
    fake = FakeEvolution(api_key="live-key", deletion_lag_ms=40, version=version)
    fake.create_instance("of-somebody-else", integration="EVOLUTION")
    with fake.serve():
        done = run_live(*tests, EVOLUTION_LIVE_URL=fake.url, EVOLUTION_LIVE_API_KEY="live-key")
    found = counts(done.stdout)
    assert done.returncode == 0, done.stdout[-4_000:]
    assert found["passed"] >= least
    assert reasons(done.stdout) == {reason.format(version) for reason in skipped}
    assert set(fake.instances) == {"of-somebody-else"}  # it cleans up after itself


def test_of_a_server_without_a_licence_only_that_is_tested() -> None:
    fake = FakeEvolution(api_key="live-key", version="2.4.0", licensed=False)
    with fake.serve():
        done = run_live(*LIVE, EVOLUTION_LIVE_URL=fake.url, EVOLUTION_LIVE_API_KEY="live-key")
    assert done.returncode == 0, done.stdout[-4_000:]
    assert counts(done.stdout)["passed"] == 8
    assert reasons(done.stdout) == {
        "the server was not activated: it answers LICENSE_REQUIRED", ALWAYS[0]
    }  # fmt: skip


def test_the_live_suite_says_why_it_is_skipped() -> None:
    done = run_live(*LIVE, EVOLUTION_LIVE_URL="http://127.0.0.1:9")
    assert done.returncode == 0
    assert set(counts(done.stdout)) & {"passed", "failed", "skipped"} == {"skipped"}
    assert "set EVOLUTION_LIVE_API_KEY to test against a real server" in done.stdout
