"""Waiting for what happens to a message: by events where they come, else by asking the store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from evolution_sdk._async.caller import Caller
from evolution_sdk.errors import ClientClosedError, EvolutionError, WaitTimeoutError

from ._seam import Later, Signal

_FIRST_PAUSE_MS = 500.0
_LONGEST_PAUSE_MS = 10_000.0
_GROWTH = 1.5


class Watch(Protocol):
    """What is waited for; as a text it says so, with what is known so far."""

    @property
    def done(self) -> bool:
        """Whether it has come."""
        ...

    def take(self, event: Any) -> bool:
        """Take an event in; True when that settled it."""
        ...


async def follow(
    caller: Caller, watch: Watch, ask: Callable[[], Later[None]], timeout_ms: float
) -> None:
    """Wait until it has come.

    With events the store is asked only at the beginning and at the end, for what was told before
    anybody listened; without, in growing intervals.

    Args:
        caller: Lends clock, sleep and events.
        watch: What is waited for.
        ask: Asks the store and tells the watch.
        timeout_ms: Longest wait, in milliseconds.

    Raises:
        WaitTimeoutError: It did not come in time; the error says what is known.
    """
    signal = Signal()

    def heard(event: Any) -> None:
        if watch.take(event):
            signal.set()

    stop = caller.hub.listen(heard)
    begun = caller.monotonic()
    pause_ms, first = _FIRST_PAUSE_MS, True
    try:
        while not watch.done:
            left_ms = timeout_ms - (caller.monotonic() - begun) * 1_000
            by_events = caller.hub.attached
            if first or left_ms <= 0 or not by_events:
                await _asked(ask, by_events)
            if watch.done:
                return
            if left_ms <= 0:
                raise WaitTimeoutError(f"Waited {timeout_ms:g} ms for {watch}.")
            if by_events:
                await caller.pause(signal, left_ms)
            else:
                await caller.sleep(min(pause_ms, left_ms))
                pause_ms = min(pause_ms * _GROWTH, _LONGEST_PAUSE_MS)
            first = False
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
