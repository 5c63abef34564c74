"""Services that some tests need: really there, or skipped with a reason, or missed."""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest

REQUIRED = "EVOLUTION_SDK_REQUIRE_SERVICES"
BROWSER_REQUIRED = "EVOLUTION_SDK_REQUIRE_BROWSER"
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


def require_program(
    name: str, package: str, demanded_by: tuple[str, ...] = (REQUIRED, BROWSER_REQUIRED)
) -> str:
    """Skip the test without a program of the system, or fail it where it must be there.

    Args:
        name: The program, such as ``chromium`` or ``promtool``.
        package: Debian's package with it, which ``.ci/run`` installs.
        demanded_by: Variables of the environment that say that it must be there.

    Returns:
        Its path.
    """
    found = shutil.which(name)
    if found is not None:
        return found
    problem = f"no {name} on this machine"
    for variable in demanded_by:
        if os.environ.get(variable) == "1":
            pytest.fail(f"{problem}, but {variable}=1 demands it")
    pytest.skip(f"{problem}; apt-get install {package} to run this test")


@contextmanager
def chromium() -> Generator[Any]:
    """Run Chromium; without it the test is skipped, or fails where a browser must be there.

    Not for a whole session: while Playwright runs, its event loop does, and no other may begin.
    """
    sync_api = pytest.importorskip("playwright.sync_api")
    ubuntus = shutil.which("chromium-browser")
    path = ubuntus or require_program("chromium", "chromium", (BROWSER_REQUIRED,))
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
