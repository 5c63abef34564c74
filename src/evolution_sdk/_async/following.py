"""Waiting for what happens to a message: by events where they come, else by asking the store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from evolution_sdk.errors import ClientClosedError, EvolutionError, WaitTimeoutError
from evolution_sdk.models.message import MessageStatus
from evolution_sdk.tracking.event_bus import Mark

from ._seam import Later, Signal
from .pipeline import Pipeline

_FIRST_PAUSE_MS = 500.0
_LONGEST_PAUSE_MS = 10_000.0
_GROWTH = 1.5
_BESIDE_EVENTS_MS = 15_000.0


class Watch(Protocol):
    """What is waited for; as a text it says so, with what is known so far."""

    @property
    def status(self) -> MessageStatus | None:
        """How far the message got, where that is waited for."""
        ...

    @property
    def done(self) -> bool:
        """Whether it has come."""
        ...

    def take(self, event: Any) -> bool:
        """Take an event in; True when that settled it."""
        ...


async def follow(
    pipeline: Pipeline,
    watch: Watch,
    ask: Callable[[], Later[None]],
    timeout_ms: float,
    mark: Mark | None = None,
) -> None:
    """Wait until it has come.

    With events the store is asked at the beginning, for what was told before anybody listened, at
    the end, and every 15 s, since events get lost; without, in growing intervals.

    Args:
        pipeline: Lends clock, sleep and events.
        watch: What is waited for.
        ask: Asks the store and tells the watch.
        timeout_ms: Longest wait, in milliseconds.
        mark: Messages that came after it are taken in, too.

    Raises:
        WaitTimeoutError: It did not come in time; the error says what is known.
    """
    signal = Signal()

    def heard(event: Any) -> None:
        if watch.take(event):
            signal.set()

    stop = pipeline.event_bus.listen(heard)
    begun = pipeline.ports.monotonic()
    pause_ms, slept_ms, next_ms = _FIRST_PAUSE_MS, 0.0, 0.0
    try:
        for event in pipeline.event_bus.since(mark):
            heard(event)
        while not watch.done:
            # What was slept counts where sleeping takes no time, too: it must not go on for ever.
            passed_ms = max((pipeline.ports.monotonic() - begun) * 1_000, slept_ms)
            left_ms = timeout_ms - passed_ms
            by_events = pipeline.event_bus.attached
            if passed_ms >= next_ms or left_ms <= 0 or not by_events:
                await _asked(ask, by_events)
                next_ms = passed_ms + _BESIDE_EVENTS_MS
            if watch.done:
                return
            if left_ms <= 0:
                late = WaitTimeoutError(f"Waited {timeout_ms:g} ms for {watch}.")
                late.last_status = None if watch.status is None else str(watch.status)
                raise late
            if by_events:
                await pipeline.ports.wait_ms(signal, min(left_ms, next_ms - passed_ms))
            else:
                nap_ms = min(pause_ms, left_ms)
                await pipeline.ports.sleep_ms(nap_ms)
                slept_ms += nap_ms
                pause_ms = min(pause_ms * _GROWTH, _LONGEST_PAUSE_MS)
    finally:
        stop()


async def _asked(ask: Callable[[], Later[None]], by_events: bool) -> None:
    """Ask the store; where events come, its troubles are not in the way."""
    try:
        await ask()
    except ClientClosedError:
        raise
    except EvolutionError:
        if not by_events:
            raise
