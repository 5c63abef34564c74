"""A fake server that the environment names, and the program over it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.command_kit import KEY, Evolution
from evolution_sdk._cli.language import use
from evolution_sdk.testing import FakeEvolution


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A folder without ``.env``, no settings in the environment, English before and after."""
    for name in [name for name in os.environ if name.startswith("EVOLUTION_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    use("en")
    yield
    use("en")


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEvolution]:
    with FakeEvolution(api_key=KEY).serve() as served:
        monkeypatch.setenv("EVOLUTION_API_URL", served.url)
        monkeypatch.setenv("EVOLUTION_API_KEY", KEY)
        monkeypatch.setenv("EVOLUTION_RETRY_MAX_ATTEMPTS", "1")
        yield served


@pytest.fixture
def evolution(capsys: pytest.CaptureFixture[str]) -> Evolution:
    return Evolution(capsys)
