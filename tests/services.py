"""Services that some tests need: really there, or skipped with a reason, or missed."""

from __future__ import annotations

import os
import socket
import time

import pytest

REQUIRED = "EVOLUTION_SDK_REQUIRE_SERVICES"
_PATIENCE_S = 1.0
_RESTART_S = 20.0


def reachable(host: str, port: int) -> bool:
    """Whether something listens there."""
    try:
        with socket.create_connection((host, port), timeout=_PATIENCE_S):
            return True
    except OSError:
        return False


def require_service(name: str, port: int, host: str = "127.0.0.1") -> None:
    """Skip the test without the service; fail it where the environment says it must be there."""
    required = os.environ.get(REQUIRED) == "1"
    # Another worker may be restarting it this moment: one of its own tests does.
    ends = time.monotonic() + (_RESTART_S if required else 0)
    while not reachable(host, port):
        if time.monotonic() >= ends:
            break
        time.sleep(0.1)
    else:
        return
    problem = f"no {name} on {host}:{port}"
    if required:
        pytest.fail(f"{problem}, but {REQUIRED}=1 demands it")
    pytest.skip(f"{problem}; start one to run this test")
