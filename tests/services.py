"""Services that some tests need: really there, or skipped with a reason, or missed."""

from __future__ import annotations

import os
import socket

import pytest

REQUIRED = "EVOLUTION_SDK_REQUIRE_SERVICES"
_PATIENCE_S = 1.0


def reachable(host: str, port: int) -> bool:
    """Whether something listens there."""
    try:
        with socket.create_connection((host, port), timeout=_PATIENCE_S):
            return True
    except OSError:
        return False


def require_service(name: str, port: int, host: str = "127.0.0.1") -> None:
    """Skip the test without the service; fail it where the environment says it must be there."""
    if reachable(host, port):
        return
    problem = f"no {name} on {host}:{port}"
    if os.environ.get(REQUIRED) == "1":
        pytest.fail(f"{problem}, but {REQUIRED}=1 demands it")
    pytest.skip(f"{problem}; start one to run this test")
