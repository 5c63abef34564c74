"""Clock and sleep of the parts of a client, handed to them as arguments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from evolution_sdk._base.context import SKIP_RETRY_WAITS
from evolution_sdk._base.ports import SYSTEM_CLOCK, Clock
from evolution_sdk.reconcile.server_clock import Moment

from ._seam import Later, Signal, sleep

__all__ = ["Ports"]


@dataclass(frozen=True, slots=True)
class Ports:
    """Time and sleep.

    Attributes:
        clock: Tells the time.
        own_sleep: Waits for some seconds in place of the usual way, such as a simulated one; a
            wait for a signal then sleeps its whole time, unless the signal is set already.
    """

    clock: Clock = SYSTEM_CLOCK
    own_sleep: Callable[[float], Later[object]] | None = None

    def wall(self) -> float:
        """Return the seconds since 1970."""
        return self.clock.time()

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return self.clock.monotonic()

    def moment(self) -> Moment:
        """Return the present time on both clocks."""
        return Moment(self.clock.monotonic(), self.clock.time())

    async def sleep_ms(self, milliseconds: float) -> None:
        """Wait, unless a switch of this context leaves waits out."""
        if SKIP_RETRY_WAITS.get():
            return
        if self.own_sleep is None:
            await sleep(milliseconds / 1_000)
        else:
            await self.own_sleep(milliseconds / 1_000)

    async def rest_ms(self, signal: Signal, milliseconds: float) -> None:
        """Wait for a signal, for some time at most, unless a switch leaves waits out."""
        if not SKIP_RETRY_WAITS.get():
            await self.wait_ms(signal, milliseconds)

    async def wait_ms(self, signal: Signal, milliseconds: float) -> None:
        """Wait for a signal, for some time at most; no switch leaves this out."""
        if self.own_sleep is None:
            await signal.wait(milliseconds / 1_000)
        else:
            await sleep(0)  # whoever is about to set it gets a turn
            if not signal.is_set:
                await self.own_sleep(milliseconds / 1_000)
