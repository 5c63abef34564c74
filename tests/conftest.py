"""What holds for all tests: a developer's own settings stay out."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="session")
def no_settings_of_the_developer() -> Iterator[None]:
    """Services made without arguments read nothing of the developer's shell."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("EVOLUTION_RETRY_")]:
            patch.delenv(name)
        yield
