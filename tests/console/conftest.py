"""One browser for the tests of the console's page; each test has a profile of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser_stage import PATIENCE_MS, TOKEN, Stage, stage

from services import chromium

Open = Callable[..., Any]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as made:
        yield made


class Profile:
    """A page of the console, and what went wrong on it."""

    def __init__(self, browser: Any, **options: Any) -> None:
        self.troubles: list[str] = []
        self.requests: list[str] = []
        self._context = browser.new_context(**{"locale": "en-US", **options})
        self.page = self._context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("console", self._hear)

    def _hear(self, message: Any) -> None:
        # Told by the browser itself: a refused login, and a server that a test has ended.
        its_own = "401" in message.text or "ERR_INCOMPLETE_CHUNKED" in message.text
        if message.type in ("error", "warning") and not its_own:
            self.troubles.append(message.text)

    def close(self) -> None:
        self._context.close()


@pytest.fixture
def profile(browser: Any) -> Iterator[Callable[..., Profile]]:
    opened: list[Profile] = []

    def make(**options: Any) -> Profile:
        opened.append(Profile(browser, **options))
        return opened[-1]

    yield make
    for one in opened:
        one.close()
        assert one.troubles == []


@pytest.fixture
def show(profile: Callable[..., Profile]) -> Open:
    """Open a console, logged in."""

    def open_page(on: Stage, **options: Any) -> Any:
        made = profile(**options)
        made.page.goto(f"{on.url}/#token={TOKEN}")
        made.page.wait_for_selector("#board:not([hidden])")
        return made.page

    return open_page


@pytest.fixture
def desk(tmp_path: Path, browser: Any) -> Iterator[Stage]:
    with stage(tmp_path, "sales", "support") as made:
        yield made
