from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from fetch_network import Fetching
from transport_adapters import Adapter


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Names that lead nowhere, and networks of the tests' own making, are what is tested here."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.evolution_network)


@pytest.fixture
async def opened() -> AsyncIterator[Any]:
    """Open adapters by kind; they are closed at the end."""
    async with AsyncExitStack() as stack:

        def open_adapter(kind: str, **options: Any) -> Adapter:
            adapter = Adapter(kind, **options)
            stack.push_async_callback(adapter.close)
            return adapter

        yield open_adapter


@pytest.fixture(autouse=True)
def no_proxy_around(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own proxy settings stay out of the tests."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(params=["sync", "async"])
def fetching(request: pytest.FixtureRequest) -> Fetching:
    return Fetching(request.param)
