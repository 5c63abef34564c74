"""Asks for the server's version and licence: in the background, rarely, and never waited for.

From 2.3 on the server fetches a page of WhatsApp's to answer ``GET /``, which takes it 5 to 10
seconds where it cannot reach the internet and all else takes 5 ms
(`facts/versions/versions.md` §4). It says nothing about health, and its time is in no number.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from threading import Thread
from typing import Any, Final

from evolution_sdk._base.forking import in_child
from evolution_sdk.operations.server_version import profile_of
from evolution_sdk.retry.background import spawn

from .clients import probe_async, probe_sync
from .probe import ProbeReport, ProbeRequest, ProbeSteps, ServerReading, ask_one

__all__ = ["ServerVersionProbe"]

_EVERY_S: Final = 600.0
_AGAIN_S: Final = 300.0
# A limit of its own, longer than that of a check's questions: nobody waits for it.
_LIMIT_MS: Final = 15_000.0
# Questions at the next checks after a change: servers that take turns give themselves away.
_CONFIRMATIONS: Final = 3
# The server's metrics name its version, where they are switched on (`facts/exchanges/root.json`).
_IN_METRICS: Final = re.compile(
    r'^evolution_environment_info\{version="([^"\n]{1,60})"', re.MULTILINE
)


class ServerVersionProbe:
    """Asks for version and licence, and anew every ten minutes and after an outage.

    Args:
        clock: Seconds that never go back.
        told: Called with a version; with an empty text where the server answered without one.
        told_license: Called with the state of the licence.
        reads_client: Whether the version that the client itself has learned counts as well; not
            where the settings fix it.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        told: Callable[[str], object],
        told_license: Callable[[str], object],
        *,
        reads_client: bool,
    ) -> None:
        self._clock = clock
        self._told = told
        self._told_license = told_license
        self._reads_client = reads_client
        self._tasks: set[Any] = set()
        self.begin: Callable[[Callable[[], object]], object] = _in_thread
        self._begin()
        in_child(self._begin)

    def _begin(self) -> None:
        self._due = float("-inf")
        self._asking = False
        self._locked = False
        self._last: str | None = None
        self._heard: str | None = None
        self._confirm = 0
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
        self._hear(client)
        locked = server.activate_at is not None
        if self._locked and not locked:
            # It was activated, or replaced.
            self._due = float("-inf")
        self._locked = locked
        now = self._clock()
        # Tried again after five minutes; a version that was told is good for ten.
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

    def _hear(self, client: Any) -> None:
        """Take in what other calls of the client have learned; costs no request."""
        heard = getattr(client, "server_version", None) if self._reads_client else None
        # Only where it changed: the client takes candidates of one release for the same version.
        if isinstance(heard, str) and heard != self._heard:
            self._heard = heard
            self._tell(heard)

    def _ask(self, client: Any) -> None:
        try:
            probe_sync(self._questions(), client, _LIMIT_MS, self._clock)
        finally:
            self._asking = False

    async def _ask_async(self, client: Any) -> None:
        try:
            await probe_async(self._questions(), client, _LIMIT_MS, self._clock)
        finally:
            self._asking = False

    def _questions(self) -> ProbeSteps:
        """Ask for the version, by another way where the first one fails, and for the licence."""
        answer = yield from ask_one(ProbeRequest("info"))
        version = str(getattr(answer.value, "version", None) or "")
        if answer.error is not None and not self._locked:
            # Without a way to WhatsApp's page, ``GET /`` may take longer than anybody waits.
            metrics = yield from ask_one(ProbeRequest("metrics"))
            found = _IN_METRICS.search(metrics.value) if isinstance(metrics.value, str) else None
            version = found.group(1) if found else ""
        if version or answer.error is None:
            self._tell(version)
        if version:
            self._confirm -= self._confirm > 0
            self._due = self._clock() + (0 if self._confirm else _EVERY_S)
        profile = profile_of(version)
        if profile is not None and profile.has("license_gate") and not self._locked:
            licence = yield from ask_one(ProbeRequest("license"))
            state = getattr(licence.value, "status", None)
            if state:
                self._told_license(str(state))
        return ProbeReport(ServerReading(answer.error is None))

    def _tell(self, version: str) -> None:
        if version and version != self._last:
            # Servers that take turns change all the time: they are asked on no more than others.
            if self._last is not None and self._confirm == 0:
                # One more than to ask: the question under way takes one off.
                self._confirm, self._due = _CONFIRMATIONS + 1, float("-inf")
            self._last = version
        self._told(version)


def _in_thread(work: Callable[[], object]) -> Thread:
    thread = Thread(target=work, name="evolution-monitor-version", daemon=True)
    thread.start()
    return thread


def _nothing(_: BaseException) -> None:
    """Ignore an error: a version that is not told is asked for again."""
