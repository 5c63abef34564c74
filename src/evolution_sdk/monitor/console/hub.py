"""Pages that listen: one look per second for all of them, and none while there is no page."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from .access import Level
from .book import Changes

__all__ = ["Hub", "Page", "PageSend"]

PageSend = Callable[[bytes], Awaitable[None]]
Sleep = Callable[[float], Awaitable[object]]

_TICK_S: Final = 1.0
_ALIVE_S: Final = 15.0
_SEND_S: Final = 10.0
_MOST_PAGES: Final = 100
# An event and no comment: a page hears nothing of comments, and takes silence for the end.
_ALIVE: Final = b"event: alive\ndata: {}\n\n"
_FIRST: Final = b"retry: 2000\n"


class Page:
    """One page: the newest change that it was not sent yet, or the word that it needs everything.

    Args:
        level: What it may do.
    """

    def __init__(self, level: Level) -> None:
        self.level: Level = level
        self._next: bytes | None = None
        self._is_behind = True
        self._wake = asyncio.Event()
        self._wake.set()

    def offer(self, change: bytes) -> None:
        """Hand over a change; where one waits already, the page gets the full state instead."""
        if self._is_behind:
            return
        if self._next is not None:
            self._next, self._is_behind = None, True
        else:
            self._next = change
        self._wake.set()

    async def take(self, alive_s: float) -> bytes | None:
        """Wait for a change.

        Args:
            alive_s: Longest wait, in seconds.

        Returns:
            The change; empty where the page needs the full state, None when the time is over.
        """
        try:
            async with asyncio.timeout(alive_s):
                await self._wake.wait()
        except TimeoutError:
            return None
        self._wake.clear()
        if self._is_behind:
            self._is_behind = False
            return b""
        change, self._next = self._next, None
        return change


class Hub:
    """Looks once per second while a page listens, and hands the changes to all of them.

    Args:
        refresh: Writes the state, and tells what changed.
        whole: Returns the full state of a level, as it was written last.
        poll: Begins to read what must be read aside from the loop.
        at: Unix seconds.
        most_pages: Most pages at once.
        sleep: Awaits some seconds, between two looks.
        send_s: Longest time that a page may take to receive something, in seconds.
        alive_s: Time without a change after which a page is told that all is well, in seconds.

    Attributes:
        ticks: Looks so far.
        dropped: Pages that were let go for taking too long.
    """

    def __init__(
        self,
        refresh: Callable[[], Changes],
        whole: Callable[[Level], bytes],
        poll: Callable[[], object],
        at: Callable[[], float],
        *,
        most_pages: int = _MOST_PAGES,
        sleep: Sleep = asyncio.sleep,
        send_s: float = _SEND_S,
        alive_s: float = _ALIVE_S,
    ) -> None:
        self._refresh = refresh
        self._whole = whole
        self._poll = poll
        self._at = at
        self._most = most_pages
        self._sleep = sleep
        self._send_s = send_s
        self._alive_s = alive_s
        self._pages: set[Page] = set()
        self._ticker: asyncio.Task[None] | None = None
        self._number = 0
        self.ticks: int = 0
        self.dropped: int = 0

    @property
    def pages(self) -> int:
        """Pages that listen."""
        return len(self._pages)

    @property
    def is_full(self) -> bool:
        """True if no further page may listen."""
        return len(self._pages) >= self._most

    def tick(self) -> None:
        """Look once, and hand what changed to all pages."""
        self.ticks += 1
        self._poll()
        changes = self._refresh()
        if not changes:
            return
        self._number += 1
        at = self._at()
        # Written once per level, however many pages there are.
        made: dict[Level, bytes | None] = {}
        for page in self._pages:
            if page.level not in made:
                shown = changes.shown_to(page.level, at)
                made[page.level] = None if shown is None else self._event("changes", shown)
            change = made[page.level]
            if change is not None:
                page.offer(change)

    async def serve(self, level: Level, send: PageSend, gone: Awaitable[object]) -> None:
        """Send to one page until it has gone.

        Args:
            level: What it may do.
            send: Sends some bytes to it.
            gone: Ends when the page has gone.
        """
        page = Page(level)
        self._pages.add(page)
        self._start()
        leaving = asyncio.ensure_future(gone)
        feeding = asyncio.ensure_future(self._feed(page, send))
        try:
            await asyncio.wait({leaving, feeding}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._pages.discard(page)
            for task in (leaving, feeding):
                task.cancel()
            await asyncio.gather(leaving, feeding, return_exceptions=True)
            if not self._pages:
                await self.stop()

    async def stop(self) -> None:
        """Look no more."""
        ticker, self._ticker = self._ticker, None
        if ticker is not None:
            ticker.cancel()
            with suppress(asyncio.CancelledError):
                await ticker

    def _start(self) -> None:
        loop = asyncio.get_running_loop()
        if self._ticker is None or self._ticker.done() or self._ticker.get_loop() is not loop:
            # The first page finds the state written; nobody looked while there was none.
            self._refresh()
            self._ticker = loop.create_task(self._run())

    async def _run(self) -> None:
        while True:
            self.tick()
            await self._sleep(_TICK_S)

    async def _feed(self, page: Page, send: PageSend) -> None:
        first = _FIRST
        while True:
            change = await page.take(self._alive_s)
            if change is None:
                change = _ALIVE
            elif not change:
                change = self._event("state", self._whole(page.level))
            try:
                # One that does not read holds up neither the others nor the memory.
                async with asyncio.timeout(self._send_s):
                    await send(first + change)
            except TimeoutError:
                self.dropped += 1
                return
            first = b""

    def _event(self, name: str, data: bytes) -> bytes:
        return b"id: %d\nevent: %s\ndata: %s\n\n" % (self._number, name.encode(), data)
