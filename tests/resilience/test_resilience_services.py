"""A missing service is skipped, unless it must be there."""

from __future__ import annotations

import socket

import pytest

import services
from services import REQUIRED, require_service


@pytest.fixture
def nothing() -> int:
    """A port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_a_service_that_listens_is_used() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        require_service("test", server.getsockname()[1])


def test_a_missing_one_is_skipped(nothing: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(REQUIRED, raising=False)
    with pytest.raises(pytest.skip.Exception, match=f"no test on 127.0.0.1:{nothing}"):
        require_service("test", nothing)


def test_a_missing_one_fails_where_demanded(nothing: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(REQUIRED, "1")
    monkeypatch.setattr(services, "_RESTART_S", 0.0)
    with pytest.raises(pytest.fail.Exception, match="demands it"):
        require_service("test", nothing)
