"""Pacing of sends: asks the decision, sleeps, and shares the state when told to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import SystemRandom
from typing import TYPE_CHECKING, Any

from evolution_sdk._core.effect import Effect
from evolution_sdk._core.forking import abandon, in_child
from evolution_sdk._core.harmless import quiet_logger
from evolution_sdk._core.operation import Operation
from evolution_sdk._core.operations.chat import CHECK_WHATSAPP_NUMBERS
from evolution_sdk.errors import RateLimitError, SendLimitError
from evolution_sdk.resilience.pacing import Line, Rules, Ruling, reserve
from evolution_sdk.resilience.states import (
    SWAP,
    MemoryStates,
    address,
    line_key,
    recipient_key,
    swap_arguments,
)

from ._seam import close_redis, open_redis

if TYPE_CHECKING:
    from .caller import Caller

_log = quiet_logger("evolution_sdk.resilience")
_CHANCE = SystemRandom().random  # forked workers must not draw the same gaps
_BATCH = 50  # as many numbers as one check asks about
_MOST_SWAPS = 100
# A store that hangs must not hold a send for long.
_STORE_S = 2.0


class Limiter:
    """Makes sends wait for their turn, before each attempt: a retry is traffic, too."""

    def __init__(self, caller: Caller, *, chance: Callable[[], float] = _CHANCE) -> None:
        self._caller = caller
        self._config = config = caller.config.rate_limit
        self.chance = chance
        self._messages = Rules.for_messages(config)
        self._checks = Rules.for_checks(config, _BATCH)
        self._memory = MemoryStates()
        self._redis: Any = self._opened()
        in_child(self._begin_anew)

    def _opened(self) -> Any:
        if self._config.redis_url is None:
            return None
        return open_redis(
            self._config.redis_url.get_secret_value(),
            decode_responses=True,
            socket_timeout=_STORE_S,
            socket_connect_timeout=_STORE_S,
        )

    def _begin_anew(self) -> None:
        """A connection of its own. What was sent before the fork counts on: it was sent."""
        abandon(self._redis)
        self._redis = self._opened()

    async def pace(
        self, operation: Operation[Any], instance: str | None, body: Mapping[str, Any]
    ) -> None:
        """Wait until this call may go out; returns at once for what is not limited.

        Args:
            operation: What is to be called.
            instance: Through which instance.
            body: Its body.

        Raises:
            SendLimitError: It would have to wait for longer than ``max_wait_ms``.
        """
        name = instance or ""
        if operation.effect is Effect.SEND and operation.group == "message":
            to = address(body)
            chat = None if to is None else recipient_key(name, to)
            await self._wait(self._messages, line_key("messages", name), chat, 1)
        elif operation.name == CHECK_WHATSAPP_NUMBERS.name and self._checks.interval_s:
            count = len(body.get("numbers", ()))
            await self._wait(self._checks, line_key("checks", name), None, count)

    async def _wait(self, rules: Rules, line: str, chat: str | None, cost: int) -> None:
        left_ms = float(self._config.max_wait_ms)
        placed = False
        while True:
            if placed:
                # A pause may have come while this one slept.
                wait_ms = (self._memory.paused_until(line) - self._caller.wall_clock()) * 1_000
                limit = "pause"
            else:
                ruling = await self._rule(rules, line, chat, left_ms, cost)
                wait_ms, limit = ruling.wait_ms, ruling.limit
                placed = ruling.line is not None
            if wait_ms > left_ms:
                raise SendLimitError(limit, wait_ms)
            if wait_ms > 0:
                await self._caller.sleep(wait_ms)
                left_ms -= wait_ms
            elif placed:
                return

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
        until = self._caller.wall_clock() + pause_ms / 1_000
        kind = "checks" if operation.name == CHECK_WHATSAPP_NUMBERS.name else "messages"
        line = line_key(kind, instance or "")
        self._memory.pause(line, until)
        if self._redis is None:
            return
        try:
            for _ in range(_MOST_SWAPS):
                key = self._key(line)
                old = [await self._redis.get(key)]
                now = Line.load(old[0])
                paused = now._replace(paused_until=max(now.paused_until, until))
                if await self._redis.eval(SWAP, 1, key, *swap_arguments(old, paused, None, until)):
                    return
        except Exception as failure:  # noqa: BLE001 - the answer to the call must get through
            self._without_store(failure)

    async def _rule(
        self, rules: Rules, line: str, chat: str | None, left_ms: float, cost: int
    ) -> Ruling:
        if self._redis is not None:
            try:
                ruling = await self._shared(rules, line, chat, left_ms, cost)
            except Exception as failure:  # noqa: BLE001 - a lost store must not stop the sends
                self._without_store(failure)
            else:
                if ruling is not None:
                    return ruling
        now = self._caller.wall_clock()
        return self._memory.take(rules, line, chat, now, self.chance(), left_ms, cost)

    async def _shared(
        self, rules: Rules, line: str, chat: str | None, left_ms: float, cost: int
    ) -> Ruling | None:
        """Decide on the shared state; None when others were always faster."""
        keys = [self._key(line)]
        if chat is not None and rules.gap_s:
            keys.append(self._key(chat))
        for _ in range(_MOST_SWAPS):
            old = await self._redis.mget(keys)
            now = self._caller.wall_clock()
            free_at = float(old[1] or 0) if len(keys) > 1 else 0.0
            ruling = reserve(rules, Line.load(old[0]), free_at, now, self.chance(), left_ms, cost)
            if ruling.line is None:
                return ruling
            to = ruling.next_to_recipient if len(keys) > 1 else None
            arguments = swap_arguments(old, ruling.line, to, now)
            if await self._redis.eval(SWAP, len(keys), *keys, *arguments):
                return ruling
        return None

    def _key(self, name: str) -> str:
        return f"{self._config.redis_prefix}:{name}"

    def _without_store(self, failure: Exception) -> None:
        _log.warning(
            "the shared store of the rate limits failed (%s); this client goes by its own count",
            type(failure).__name__,
        )

    async def close(self) -> None:
        """Close the connection to the store."""
        if self._redis is not None:
            await close_redis(self._redis)
