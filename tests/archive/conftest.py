"""Both databases for the tests of what an archive does, whatever it is kept in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from databases import KINDS, fresh_place


@pytest.fixture(params=KINDS)
def new_place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], str]]:
    """Gives places for archives: paths, or addresses of PostgreSQL."""
    with ExitStack() as made:
        yield lambda: made.enter_context(fresh_place(request.param, tmp_path))


@pytest.fixture
def place(new_place: Callable[[], str]) -> str:
    return new_place()
