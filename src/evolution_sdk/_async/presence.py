"""Presence in a chat ("typing…"), shown for as long as a ``with`` block runs.

The server shows a presence for the time it is asked for, answers when that is over, and then says
"paused" by itself (`facts/semantics.md` §9), so that a longer one is asked for again and again.
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Literal, Protocol, Self, Unpack

from evolution_sdk._base.context import BYPASS_GUARDS
from evolution_sdk._base.harmless import quiet_logger
from evolution_sdk.errors import RequestValidationError

from ._seam import Background, Signal
from .ports import Ports

if TYPE_CHECKING:
    from evolution_sdk._client.options import CallOptions
    from evolution_sdk.identity import Jid, PhoneNumber

__all__ = ["DEFAULT_RENEW_MS", "AsyncPresence"]

DEFAULT_RENEW_MS = 10_000
"""Time of one presence, in milliseconds."""

_MOST_MS = 300_000
_MOST_FAILURES = 3
_PAUSE_TIMEOUT_MS = 3_000.0
_log = quiet_logger("evolution_sdk")


class ShowsPresence(Protocol):
    """Shows a presence once: ``client.chats``, as a longer presence needs it."""

    async def send_presence(
        self,
        number: str | PhoneNumber | Jid,
        presence: Literal["composing", "recording", "paused"],
        *,
        delay_ms: int,
        **options: Unpack[CallOptions],
    ) -> object:
        """Show it for some time."""
        ...


class AsyncPresence:
    """Shows a presence in a chat until the ``async with`` block ends, five minutes at most.

    It never raises for want of success, nor does it hold up the block: presence is a courtesy.

    Args:
        chats: Shows presences.
        ports: Tells the time and waits.
        number: The chat.
        presence: The presence.
        renew_ms: Time of one presence, in milliseconds; it is renewed until the block ends.

    Raises:
        RequestValidationError: ``renew_ms`` is below a second.
    """

    def __init__(
        self,
        chats: ShowsPresence,
        ports: Ports,
        number: str | PhoneNumber | Jid,
        presence: Literal["composing", "recording"],
        renew_ms: int,
    ) -> None:
        # Each one is a request that the server holds: shorter ones would only flicker.
        if renew_ms < 1_000:
            raise RequestValidationError("renew_ms", "must be at least 1000")
        self._chats = chats
        self._ports = ports
        self._number = number
        self._presence: Literal["composing", "recording"] = presence
        self._renew_ms = renew_ms
        self._over: Signal | None = None
        self._work: Background | None = None

    async def __aenter__(self) -> Self:
        self._over = Signal()
        self._work = Background(self._show)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        over, work = self._over, self._work
        self._over = self._work = None
        if over is None or work is None:
            return
        over.set()
        await work.end()
        # Whoever cancels wants no further calls: the last presence ends by itself.
        if kind is None or issubclass(kind, Exception):
            await self._shown("paused", 0, timeout_ms=_PAUSE_TIMEOUT_MS)

    async def _show(self) -> None:
        """Show the presence again and again until the block is over."""
        over, ports = self._over, self._ports
        failures, shown_ms = 0, 0
        while over is not None and not over.is_set and shown_ms < _MOST_MS:
            begun = ports.monotonic()
            if await self._shown(self._presence, self._renew_ms):
                failures = 0
            else:
                failures += 1
                if failures >= _MOST_FAILURES:
                    return
            shown_ms += self._renew_ms
            # A server that answers at once, or not at all, is not asked in a hurry.
            left_ms = self._renew_ms - (ports.monotonic() - begun) * 1_000
            if left_ms > 0 and not over.is_set:
                await ports.wait_ms(over, left_ms)

    async def _shown(
        self,
        presence: Literal["composing", "recording", "paused"],
        delay_ms: int,
        *,
        timeout_ms: float | None = None,
    ) -> bool:
        """Show a presence once; False if that failed."""
        options: CallOptions = {"retry": False}
        if timeout_ms is not None:
            options = {**options, "timeout_ms": timeout_ms}
        # The server holds it for seconds: it must take no place of a send, and open no circuit.
        past = BYPASS_GUARDS.set(True)
        try:
            await self._chats.send_presence(self._number, presence, delay_ms=delay_ms, **options)
        except Exception as failure:  # noqa: BLE001 - a courtesy must not harm the block
            _log.debug("a presence was not shown: %s", type(failure).__name__)
            return False
        finally:
            BYPASS_GUARDS.reset(past)
        return True
