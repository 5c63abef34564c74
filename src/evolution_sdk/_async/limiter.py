"""Pacing of sends: asks for the decision, sleeps, and shares the state if configured."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from random import SystemRandom
from typing import Any, TypeVar

from evolution_sdk._base.forking import in_child
from evolution_sdk._base.harmless import quiet_logger
from evolution_sdk._base.quiet_log import QuietLog
from evolution_sdk.config import RateLimitConfig
from evolution_sdk.errors import RateLimitError, SendLimitError
from evolution_sdk.operations.operation import Operation
from evolution_sdk.resilience.pacing import (
    Line,
    Rules,
    Ruling,
    reserve,
    until_awake,
    without_place,
)
from evolution_sdk.resilience.recipient_queues import RecipientQueues
from evolution_sdk.resilience.states import (
    MemoryStates,
    Ticket,
    address,
    changes,
    line_key,
    recipient_key,
)

from ._seam import Later
from .limit_stores import LimitStore, limit_store_at
from .ports import Ports
from .store_turns import StoreTurns

T = TypeVar("T")

_log = quiet_logger("evolution_sdk.resilience")
_CHANCE = SystemRandom().random  # forked workers must not draw the same gaps
_BATCH = 50  # as many numbers as one check asks about
# Only other processes can be faster, each once for each of its own sends.
_MOST_SWAPS = 1_000


class ContentionError(Exception):
    """Other processes were always faster."""


class Limiter:
    """Makes sends wait for their turn, before each attempt: a retry is traffic, too.

    Args:
        config: The limits.
        ports: Time and sleep.
        chance: Draws a number from 0 to 1, for gaps of uneven length.
    """

    def __init__(
        self, config: RateLimitConfig, ports: Ports, *, chance: Callable[[], float] = _CHANCE
    ) -> None:
        self._config = config
        self._ports = ports
        self.chance = chance
        self._trouble = QuietLog(_log, ports.monotonic)
        self._messages = Rules.for_messages(config)
        self._checks = Rules.for_checks(config, _BATCH)
        self._memory = MemoryStates(self._name_of_writer())
        self._store: LimitStore | None = None
        if config.store is not None:
            self._store = limit_store_at(config.store.get_secret_value())
        self._turns = StoreTurns(1 if self._store is None else self._store.at_once)
        self._queues = RecipientQueues()
        in_child(self._begin_anew)

    def _name_of_writer(self) -> str:
        # The name tells this client's places from those of others in the shared state.
        return "" if self._config.store is None else secrets.token_hex(4)

    def _begin_anew(self) -> None:
        """Go on under a name of its own; what was sent before the fork still counts."""
        self._memory.disown(self._name_of_writer())

    async def pace(
        self,
        operation: Operation[Any],
        instance: str | None,
        body: Mapping[str, Any],
        wait_ms: float | None = None,
    ) -> Ticket | None:
        """Wait until this call may go out; returns at once for what is not limited.

        Args:
            operation: What is to be called.
            instance: Through which instance.
            body: Its body.
            wait_ms: Longest wait, in milliseconds; with 0 it is refused unless there is a place
                now. Default: ``max_wait_ms`` of the settings.

        Returns:
            Its place, to be given back if nothing is sent; None for what is not limited.

        Raises:
            SendLimitError: It would have to wait for longer than that.
        """
        name = instance or ""
        most_ms = float(self._config.max_wait_ms) if wait_ms is None else wait_ms
        if operation.paced_as == "messages":
            to = address(body)
            chat = None if to is None else recipient_key(name, to)
            return await self._wait(self._messages, line_key("messages", name), chat, 1, most_ms)
        if operation.paced_as == "checks" and self._checks.interval_s:
            count = len(body.get("numbers", ()))
            return await self._wait(self._checks, line_key("checks", name), None, count, most_ms)
        return None

    async def _wait(
        self, rules: Rules, line: str, chat: str | None, cost: int, left_ms: float
    ) -> Ticket:
        # One budget for all waits of this attempt, pauses that come meanwhile included.
        ticket: Ticket | None = None
        queued = 0
        try:
            while True:
                if ticket is not None:
                    # A pause may have come while this one slept.
                    wait_ms, limit = self._paused(rules, line)
                else:
                    ruling, ticket = await self._rule(rules, line, chat, left_ms, cost)
                    wait_ms, limit = ruling.wait_ms, ruling.limit
                    if chat is not None and ticket is None and limit == "recipient_gap_ms":
                        queued = queued or self._queues.join(chat)
                        wait_ms += self._queues.ahead(chat, queued) * rules.gap_s * 1_000
                if wait_ms > left_ms:
                    raise SendLimitError(limit, wait_ms)
                if wait_ms > 0:
                    await self._ports.sleep_ms(wait_ms)
                    left_ms -= wait_ms
                elif ticket is not None:
                    return ticket
        except BaseException:
            if ticket is not None:
                await self.give_back(ticket)
            raise
        finally:
            if chat is not None and queued:
                self._queues.leave(chat, queued)

    def _paused(self, rules: Rules, line: str) -> tuple[float, str]:
        """Return the rest of a pause, and of quiet hours in which it ends, and which of them."""
        now, until = self._ports.wall(), self._memory.paused_until(line)
        awake_at = until_awake(rules, until) if until > now else until
        return (awake_at - now) * 1_000, "quiet_hours" if awake_at > until else "pause"

    async def give_back(self, ticket: Ticket) -> None:
        """Give a place back because nothing was sent; raises no ``Exception``.

        Args:
            ticket: The place.
        """
        self._memory.give_back(ticket)
        store = self._store
        if store is None:
            return
        # In turn: a service that shuts down gives many places back at once.
        await self._in_turn(ticket.line_key, lambda: self._give_back(store, ticket))

    async def _give_back(
        self, store: LimitStore, ticket: Ticket, written: str | None = None
    ) -> None:
        """Take a place out of the shared state.

        Args:
            store: Where it is kept.
            ticket: The place.
            written: The state with it, where nobody knows whether it was written.
        """
        keys = [self._key(ticket.line_key)]
        if ticket.recipient_key is not None:
            keys.append(self._key(ticket.recipient_key))
        old = await store.read(keys)
        for _ in range(_MOST_SWAPS):
            line = Line.load(old[0])
            # Counted here only, and never merged into the store: nothing to take back.
            known = ticket.shared or (written is not None and old[0] == written)
            if not (known or ticket.place in line.places):
                return
            after = without_place(line, ticket.place, self._memory.writer)
            free_at = float(old[1] or 0) if len(keys) > 1 else None
            # Only if no later send has moved it: that one's gap must stay.
            if free_at == ticket.free_after:
                free_at = ticket.free_before
            now = self._ports.wall()
            found = await store.swap(changes(keys, old, after, free_at, now), now)
            if found is None:
                return
            old = found
        raise ContentionError

    async def heard(
        self, operation: Operation[Any], instance: str | None, error: RateLimitError
    ) -> None:
        """Pause an instance that was told to slow down; never raises.

        Args:
            operation: What was called.
            instance: Through which instance.
            error: What it was told.
        """
        told = error.retry_after_ms
        pause_ms = self._config.cooldown_ms if told is None else told
        until = self._ports.wall() + pause_ms / 1_000
        kind = operation.paced_as or "messages"
        line = line_key(kind, instance or "")
        self._memory.pause(line, until)
        store = self._store
        if store is None:
            return
        await self._in_turn(line, lambda: self._pause(store, self._key(line), until))

    async def _pause(self, store: LimitStore, key: str, until: float) -> None:
        old = await store.read([key])
        for _ in range(_MOST_SWAPS):
            line = Line.load(old[0])
            if line.paused_until >= until:
                return  # a pause is never shortened by a later, shorter one
            now = self._ports.wall()
            paused = line._replace(paused_until=until)
            found = await store.swap(changes([key], old, paused, None, now), now)
            if found is None:
                return
            old = found
        raise ContentionError

    async def _in_turn(self, line: str, work: Callable[[], Later[T]]) -> T | None:
        """Work on the shared state; None if it fails, which is told in the log."""
        failed = False
        if not await self._turns.take(line):
            return None
        try:
            result = await work()
        except Exception as failure:  # noqa: BLE001 - a lost store must not stop or fail a send
            # Only this: others' lines may be well where the state of this one is not.
            failed = self._store is not None and isinstance(failure, self._store.away)
            self._without_store(failure)
            return None
        else:
            self._trouble.over("store", "the shared store of the rate limits answers again")
            return result
        finally:
            self._turns.give(line, failed=failed)

    async def _rule(
        self, rules: Rules, line: str, chat: str | None, left_ms: float, cost: int
    ) -> tuple[Ruling, Ticket | None]:
        key = chat if rules.gap_s else None
        store = self._store
        if store is not None:
            ruled = await self._in_turn(
                line, lambda: self._shared(store, rules, line, key, left_ms, cost)
            )
            if ruled is not None:
                return ruled
        # No store, or it fails: this client's own count decides.
        free_at = 0.0 if key is None else self._memory.free_at(key)
        now = self._ports.wall()
        ruling = self._memory.take(rules, line, key, now, self.chance(), left_ms, cost)
        return ruling, _ticket(line, key, ruling, free_at, shared=False)

    async def _shared(
        self,
        store: LimitStore,
        rules: Rules,
        line: str,
        chat: str | None,
        left_ms: float,
        cost: int,
    ) -> tuple[Ruling, Ticket | None]:
        """Decide on the shared state."""
        memory = self._memory
        keys = [self._key(line)] if chat is None else [self._key(line), self._key(chat)]
        old = await store.read(keys)
        for _ in range(_MOST_SWAPS):
            now = self._ports.wall()
            free_at = 0.0 if chat is None else max(float(old[1] or 0), memory.free_at(chat))
            stored = Line.load(old[0])
            found = memory.merged(line, stored)
            ruling = reserve(
                rules, found, free_at, now, self.chance(), left_ms, cost, memory.writer
            )
            if ruling.line is None:
                if found != stored:  # the store lost what we sent: others must hear of it, too
                    await store.swap(changes(keys, old, found, None, now), now)
                return ruling, None
            to = None if chat is None else ruling.next_to_recipient
            swaps = changes(keys, old, ruling.line, to, now)
            try:
                present = await store.swap(swaps, now)
            except Exception:
                raise
            except BaseException:  # cancelled, when the place may have been taken already
                unsure = _ticket(line, chat, ruling, free_at, shared=False)
                if unsure is not None:
                    with suppress(Exception):
                        await self._give_back(store, unsure, written=swaps[0].new)
                raise
            if present is None:
                # Kept here too, so that the count goes on when the store is lost.
                memory.learn(rules, line, chat, ruling, now)
                return ruling, _ticket(line, chat, ruling, free_at, shared=True)
            old = present
        raise ContentionError

    def _key(self, name: str) -> str:
        return f"{self._config.store_prefix}:{name}"

    def _without_store(self, failure: Exception) -> None:
        self._trouble.trouble(
            "store",
            "the shared store of the rate limits failed (%s); this client goes by its own count",
            type(failure).__name__,
        )

    async def close(self) -> None:
        """Close the connection to the store."""
        if self._store is not None:
            await self._store.close()


def _ticket(
    line: str, chat: str | None, ruling: Ruling, free_at: float, *, shared: bool
) -> Ticket | None:
    if ruling.place is None:
        return None
    return Ticket(line, chat, ruling.place, free_at, ruling.next_to_recipient, shared)
