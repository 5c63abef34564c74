"""Asks for the server's version: ``GET /`` in the background, rarely, and never waited for.

From 2.3.6 on the server fetches a page of WhatsApp's to answer it (``facts/versions/versions.md``
§4), so that it may take seconds where all is well. It says nothing about health.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import Any, Final

from evolution_sdk._base.forking import in_child
from evolution_sdk.retry.background import spawn

from .clients import probe_async, probe_sync
from .probe import ProbeReport, ProbeRequest, ProbeResult, ProbeSteps, ServerReading

__all__ = ["ServerVersionProbe"]

_EVERY_S: Final = 3_600.0
_AGAIN_S: Final = 300.0
_LONGEST_MS: Final = 5_000.0


class ServerVersionProbe:
    """Asks for the version, and anew every hour and after an outage.

    Args:
        timeout_ms: Longest wait for the answer, in milliseconds; five seconds at most.
        clock: Seconds that never go back.
        told: Called with the version.
    """

    def __init__(
        self, timeout_ms: float, clock: Callable[[], float], told: Callable[[str], object]
    ) -> None:
        self._timeout = min(timeout_ms, _LONGEST_MS)
        self._clock = clock
        self._told = told
        self._tasks: set[Any] = set()
        self.begin: Callable[[Callable[[], object]], object] = _in_thread
        self._begin()
        in_child(self._begin)

    def _begin(self) -> None:
        self._due = float("-inf")
        self._asking = False
        self._tasks.clear()
        self.thread: Thread | None = None

    def checked(self, client: Any, server: ServerReading, *, is_async: bool) -> None:
        """Ask in the background when it is time; returns at once and raises nothing.

        Args:
            client: The client to ask.
            server: The reading of a check.
            is_async: Whether it has to be awaited, on the loop that runs here.
        """
        if not server.reachable:
            # It may come back as another version.
            self._due = float("-inf")
            return
        now = self._clock()
        # Tried again after five minutes; a version that was told is good for an hour.
        if self._asking or now < self._due:
            return
        self._asking, self._due = True, now + _AGAIN_S
        try:
            if is_async:
                spawn(self._ask_async(client), _nothing, self._tasks)
            else:
                self.thread = self.begin(lambda: self._ask(client))  # type: ignore[assignment]
        except RuntimeError:
            # No thread to be had, or no loop: the next check tries again.
            self._asking = False

    def wait(self, timeout_s: float) -> None:
        """Wait for a question under way in a thread."""
        if self.thread is not None:
            self.thread.join(timeout_s)

    def _ask(self, client: Any) -> None:
        try:
            probe_sync(self._question(), client, self._timeout, self._clock)
        finally:
            self._asking = False

    async def _ask_async(self, client: Any) -> None:
        try:
            await probe_async(self._question(), client, self._timeout, self._clock)
        finally:
            self._asking = False

    def _question(self) -> ProbeSteps:
        answer: ProbeResult = yield ProbeRequest("info")
        version = getattr(answer.value, "version", None)
        if version:
            self._due = self._clock() + _EVERY_S
            self._told(str(version))
        return ProbeReport(ServerReading(answer.error is None))


def _in_thread(work: Callable[[], object]) -> Thread:
    thread = Thread(target=work, name="evolution-monitor-version", daemon=True)
    thread.start()
    return thread


def _nothing(_: BaseException) -> None:
    """Ignore an error: a version that is not told is asked for again."""
