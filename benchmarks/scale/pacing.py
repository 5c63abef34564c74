"""Pacing: many sends of one process on one line in Redis, and the cost of ``per_minute`` limits.

Needs a Redis on 127.0.0.1:6379 for the first part; without one, only the second is measured.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Iterable
from heapq import heappop, heappush
from typing import Any

from pydantic import SecretStr
from rows import Row

from evolution_sdk._async.limiter import Limiter
from evolution_sdk._async.ports import Ports
from evolution_sdk.config import RateLimitConfig
from evolution_sdk.operations.routes import message as ops
from evolution_sdk.resilience.pacing import Rules
from evolution_sdk.resilience.states import MemoryStates

REDIS = "redis://127.0.0.1:6379/0"
SENDS = 1_000
AT_ONCE = (1, 10, 200, 1_000)
LIMITS = (20, 200, 2_000, 20_000)
OFF: dict[str, Any] = {"recipient_gap_ms": 0, "jitter": 0}


class Counted:
    """A client of Redis that counts what it is asked."""

    def __init__(self, redis: Any) -> None:
        self._redis = redis
        self.swaps = 0
        self.reads = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._redis, name)

    def eval(self, *arguments: Any) -> Any:
        """Count a swap."""
        self.swaps += 1
        return self._redis.eval(*arguments)

    def mget(self, *arguments: Any) -> Any:
        """Count a read."""
        self.reads += 1
        return self._redis.mget(*arguments)


async def paced(at_once: int, sends: int, lines: int = 1) -> tuple[float, float, int]:
    """CPU in microseconds and swaps of a send, and the number of sends outside Redis."""
    prefix = f"evolution-sdk-scale-{uuid.uuid4().hex}"
    config = RateLimitConfig(
        enabled=True,
        per_second=100_000,
        burst=1_000,
        per_minute=0,
        recipient_gap_ms=10,
        max_wait_ms=600_000,
        store=SecretStr(REDIS),
        store_prefix=prefix,
    )
    limiter = Limiter(config, Ports())
    store: Any = limiter._store
    store.redis = counted = Counted(store.redis)
    outside = 0
    numbers = iter(range(5511900000000, 5511999999999))

    async def send(number: int) -> None:
        nonlocal outside
        body = {"number": str(number), "text": "oi"}
        ticket = await limiter.pace(ops.SEND_TEXT, f"line {number % lines}", body)
        outside += ticket is not None and not ticket.shared

    await asyncio.gather(*(send(next(numbers)) for _ in range(min(at_once, 100))))  # connects
    counted.swaps = outside = 0
    begun = time.process_time()
    for _ in range(sends // at_once):
        await asyncio.gather(*(send(next(numbers)) for _ in range(at_once)))
    cpu = time.process_time() - begun
    keys = [key async for key in counted.scan_iter(f"{prefix}:*", count=10_000)]
    for some in range(0, len(keys), 500):
        await counted.delete(*keys[some : some + 500])
    await limiter.close()
    return cpu / sends * 1e6, counted.swaps / sends, outside


def redis_answers() -> bool:
    """True if there is a Redis to measure with."""
    try:
        from redis import Redis

        return bool(Redis.from_url(REDIS, socket_timeout=1).ping())
    except Exception as missing:
        print(f"pacing: no Redis ({type(missing).__name__})")
        return False


def in_redis(sends: int, rounds: int) -> Iterable[Row]:
    """Measure pacing through Redis."""
    found = {}
    for at_once in AT_ONCE:
        runs = [asyncio.run(paced(at_once, max(sends, at_once))) for _ in range(rounds)]
        found[at_once] = (min(run[0] for run in runs), runs[0][1], sum(run[2] for run in runs))
    alone = found[1][0]
    for at_once, (cpu, _, _) in found.items():
        yield Row("pacing in Redis: CPU a send", at_once, cpu, "µs", 1.5 * alone)
    for at_once, (_, swaps, _) in found.items():
        yield Row("pacing in Redis: swaps a send", at_once, swaps, "swaps", 1.2)
    for at_once, (_, _, outside) in found.items():
        yield Row("pacing in Redis: sends outside it", at_once, outside, "sends", 0)
    outside = asyncio.run(paced(SENDS, SENDS, lines=SENDS))[2]
    yield Row("pacing in Redis: outside, each its own line", SENDS, outside, "sends", 0)


def of_a_limit(per_minute: int, sends: int) -> tuple[float, int]:
    """CPU of a decision in microseconds, and bytes of the state, where the limit is used up."""
    config = RateLimitConfig(per_second=0, per_minute=per_minute, daily_cap=10**9, **OFF)
    rules, states, now = Rules.for_messages(config), MemoryStates(), 1.8e9

    def take() -> None:
        nonlocal now
        now += 60 / per_minute
        states.take(rules, "line", None, now, 0.5, 600_000)

    for _ in range(per_minute + 10):
        take()
    best = float("inf")
    for _ in range(3):
        begun = time.process_time()
        for _ in range(sends):
            take()
        best = min(best, time.process_time() - begun)
    return best / sends * 1e6, len(states._lines["line"].dump())


class Simulated:
    """A clock that goes on to the next sleeper's moment."""

    def __init__(self) -> None:
        self.now = 1.8e9
        self.naps = 0
        self._asleep: list[tuple[float, int, asyncio.Event]] = []

    def time(self) -> float:
        """Return the simulated moment."""
        return self.now

    monotonic = time

    async def sleep(self, seconds: float) -> None:
        """Sleep in simulated time."""
        self.naps += 1
        event = asyncio.Event()
        heappush(self._asleep, (self.now + seconds, self.naps, event))
        await event.wait()

    async def run(self, tasks: list[asyncio.Task[None]]) -> None:
        """Let time pass until all tasks are done."""
        while not tasks[-1].done() or self._asleep:
            for _ in range(5):
                await asyncio.sleep(0)
            if self._asleep:
                moment, _, event = heappop(self._asleep)
                self.now = max(self.now, moment)
                event.set()


async def asks_of_one_chat(sends: int) -> float:
    """How often a send to a chat asks for its turn, where so many want to write there at once."""
    world = Simulated()
    config = RateLimitConfig(per_second=0, per_minute=0, max_wait_ms=10**9, jitter=0.3)
    limiter = Limiter(config, Ports(clock=world, own_sleep=world.sleep))

    async def send() -> None:
        await limiter.pace(ops.SEND_TEXT, "line", {"number": "5511900000000", "text": "oi"})

    await world.run([asyncio.create_task(send()) for _ in range(sends)])
    return world.naps / sends


def measure(quick: bool) -> Iterable[Row]:
    """Measure at several sizes."""
    if redis_answers():
        yield from in_redis(400 if quick else SENDS, 1 if quick else 3)
    for sends in (10, 100, 300 if quick else 1_000):
        asks = asyncio.run(asks_of_one_chat(sends))
        yield Row("pacing: waits a send, many to one chat", sends, asks, "waits", 8)
    found = {limit: of_a_limit(limit, 100 if quick else 300) for limit in LIMITS}
    first = found[LIMITS[1]][0]
    for limit, (cpu, _) in found.items():
        yield Row("pacing: CPU of a decision by per_minute", limit, cpu, "µs", 3 * first)
    for limit, (_, size) in found.items():
        yield Row("pacing: bytes of the state by per_minute", limit, size, "bytes", 8_192)
