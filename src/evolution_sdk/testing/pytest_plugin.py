"""Pytest fixtures; loaded in every run of our users, so that nothing is imported up front."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from evolution_sdk.testing import FakeEvolution


@pytest.fixture
def fake_evolution() -> FakeEvolution:
    """A fresh in-process fake server: ``fake_evolution.http_client()`` reaches it."""
    from evolution_sdk.testing import FakeEvolution

    return FakeEvolution()


@pytest.fixture
def fake_evolution_server(fake_evolution: FakeEvolution) -> Iterator[FakeEvolution]:
    """The same fake over real HTTP, at ``fake_evolution_server.url``."""
    with fake_evolution.serve() as served:
        yield served


@pytest.fixture
def no_retry_delays() -> Iterator[None]:
    """Nothing waits between attempts, in a test of either colour."""
    from evolution_sdk.testing import no_retry_delays

    with no_retry_delays():
        yield
