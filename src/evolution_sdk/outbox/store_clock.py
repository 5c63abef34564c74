"""Time as the store tells it: the same for all who share it, whatever is done to their clocks."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from evolution_sdk._base.ports import SYSTEM_CLOCK, Clock
from evolution_sdk._sql.database import Session
from evolution_sdk._sql.postgres import CLOCK_MS
from evolution_sdk.reconcile.server_clock import Moment

__all__ = ["StoreClock", "StoreNow", "local_moment"]

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_KEPT = 16


class StoreNow(NamedTuple):
    """One moment by the store's clock.

    Attributes:
        wall: Time of day, in milliseconds since 1970.
        steady: Milliseconds that go on evenly, however the machine's clock is set.
        boot: Name of what ``steady`` counts from; times under two names cannot be compared.
    """

    wall: int
    steady: int
    boot: str


@dataclass(frozen=True, slots=True)
class StoreClock:
    """Reads the clock of a store.

    PostgreSQL's own clock, so that the clocks of its clients do not matter. For a SQLite file the
    clock of the machine, which all its processes share: its steady one goes on since the machine
    was started, and a row of the file says which time of day it began with.

    Attributes:
        clock: The clock of this process, for a SQLite file.
    """

    clock: Clock = SYSTEM_CLOCK

    def now(self, session: Session) -> StoreNow:
        """Read it.

        Args:
            session: A transaction that may write.
        """
        if session.dialect.name == "postgres":
            begun: int | None = getattr(session, "begun_ms", None)
            now = session.run(CLOCK_MS)[0][0] if begun is None else begun
            return StoreNow(now, now, "postgres")
        wall = round(self.clock.time() * 1_000)
        boot, since_boot = self._since_boot()
        rows = session.run("SELECT anchor FROM evolution_outbox_boot WHERE boot = ?", (boot,))
        if not rows:
            session.run(
                "INSERT INTO evolution_outbox_boot (boot, anchor) VALUES (?, ?)",
                (boot, wall - since_boot),
            )
            session.run(
                "DELETE FROM evolution_outbox_boot WHERE boot NOT IN "
                "(SELECT boot FROM evolution_outbox_boot ORDER BY anchor DESC LIMIT ?) "
                "AND boot <> ?",
                (_KEPT, boot),
            )
            self._begin_anew(session, wall)
            return StoreNow(wall, wall, boot)
        return StoreNow(wall, int(rows[0][0]) + since_boot, boot)

    def peek(self, session: Session) -> StoreNow:
        """Read it without writing anything.

        Args:
            session: A connection.
        """
        if session.dialect.name == "postgres":
            return self.now(session)
        wall = round(self.clock.time() * 1_000)
        boot, since_boot = self._since_boot()
        rows = session.run("SELECT anchor FROM evolution_outbox_boot WHERE boot = ?", (boot,))
        return StoreNow(wall, int(rows[0][0]) + since_boot if rows else wall, boot)

    @staticmethod
    def _begin_anew(session: Session, steady: int) -> None:
        """Let all waits end, or begin, with the start of the machine.

        Its clock may have been set meanwhile: an old time could lie years ahead, or so far back
        that a call which is a second old seems to be long over.
        """
        session.run(
            "UPDATE evolution_outbox SET lost_steady = ? "
            "WHERE state = 'sending' AND lost_steady IS NOT NULL",
            (steady,),
        )
        session.run(
            "UPDATE evolution_outbox_chat SET ready_at = ? WHERE state = 'waiting'", (steady,)
        )
        session.run(
            "UPDATE evolution_outbox_instance SET paused_until = ? "
            "WHERE paused_until IS NOT NULL AND by_person = 0",
            (steady,),
        )

    def _since_boot(self) -> tuple[str, int]:
        if self.clock is not SYSTEM_CLOCK:
            return "given", round(self.clock.monotonic() * 1_000)
        boot = _boot()
        # Elsewhere than on Linux nothing tells one start of the machine from the next: the time of
        # day is all there is.
        if boot is None:
            return "unknown", round(self.clock.time() * 1_000)
        return boot, steady_ms()


def steady_ms() -> int:
    """Return milliseconds that go on while the machine sleeps, too, where it can tell them."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return round((time.monotonic() if clock is None else time.clock_gettime(clock)) * 1_000)


def local_moment(at: int, now: StoreNow, here: Moment) -> Moment:
    """Translate a steady time of the store into a moment of this process's clocks.

    Args:
        at: The time, in milliseconds.
        now: The present by the store.
        here: The present by this process.
    """
    ago = (now.steady - at) / 1_000
    return Moment(here.mono - ago, here.wall - ago)


@cache
def _boot() -> str | None:
    try:
        return _BOOT.read_text("ascii").strip() or None
    except OSError:
        return None
