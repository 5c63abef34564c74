"""Many sends of one process on shared limits: one at a time for each line, all in Redis."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from pydantic import SecretStr

from evolution_sdk._async.limiter import Limiter
from evolution_sdk._async.ports import Ports
from evolution_sdk._async.store_turns import StoreTurns
from evolution_sdk._sync.limiter import Limiter as SyncLimiter
from evolution_sdk._sync.ports import Ports as SyncPorts
from evolution_sdk._sync.store_turns import StoreTurns as SyncStoreTurns
from evolution_sdk.config import RateLimitConfig
from evolution_sdk.errors import RateLimitError, SendLimitError
from evolution_sdk.operations.routes import message as ops
from services import require_service

from .conftest import until

REDIS = "redis://127.0.0.1:6379/0"
OFF: dict[str, Any] = {"per_second": 0, "per_minute": 0, "recipient_gap_ms": 0, "jitter": 0}
NO_WAIT = {"enabled": True, **OFF, "daily_cap": 100_000}


class Watched:
    """A client of Redis that counts, and can be held up, fail, or be cancelled after a swap."""

    def __init__(self, redis: Any) -> None:
        self._redis = redis
        self.asked: list[str] = []
        self.hold: asyncio.Event | None = None
        self.fails = False
        self.swapped: asyncio.Event | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._redis, name)

    async def mget(self, keys: list[str]) -> Any:
        self.asked.append("read")
        if self.hold is not None:
            await self.hold.wait()
        if self.fails:
            raise ConnectionError
        return await self._redis.mget(keys)

    async def eval(self, *arguments: Any) -> Any:
        self.asked.append("swap")
        answer = await self._redis.eval(*arguments)
        if self.swapped is not None:
            self.swapped.set()
            await asyncio.Event().wait()
        return answer


@pytest.fixture
def prefix() -> Iterator[str]:
    """A prefix of our own; its keys are removed at the end."""
    require_service("Redis", 6379)
    from redis import Redis

    name = f"evolution-sdk-test-{uuid.uuid4().hex}"
    yield name
    with Redis.from_url(REDIS) as redis:
        for key in redis.scan_iter(f"{name}:*", count=1_000):
            redis.delete(key)


def config_of(prefix: str, url: str = REDIS, **limits: Any) -> RateLimitConfig:
    values = {**NO_WAIT, **limits, "store": SecretStr(url), "store_prefix": prefix}
    return RateLimitConfig(**values)


def limiter_of(prefix: str, url: str = REDIS, **limits: Any) -> tuple[Limiter, Watched]:
    limiter = Limiter(config_of(prefix, url, **limits), Ports())
    store: Any = limiter._store
    store.redis = watched = Watched(store.redis)
    return limiter, watched


def pace(limiter: Any, instance: str = "sales", number: int = 5511987654321) -> Any:
    return limiter.pace(ops.SEND_TEXT, instance, {"number": str(number), "text": "oi"})


def stored(prefix: str, instance: str = "sales") -> list[Any]:
    from redis import Redis

    with Redis.from_url(REDIS, decode_responses=True) as redis:
        fields: list[Any] = json.loads(str(redis.get(f"{prefix}:{{{instance}}}:messages")))
        return fields


@pytest.mark.parametrize("at_once", [1, 10, 200])
async def test_a_send_swaps_once_whatever_goes_on_at_once(prefix: str, at_once: int) -> None:
    limiter, redis = limiter_of(prefix, recipient_gap_ms=1)
    for _ in range(200 // at_once):
        sends = (pace(limiter, number=5511900000000 + n) for n in range(at_once))
        tickets = await asyncio.gather(*sends)
        assert all(ticket.shared for ticket in tickets)
    assert redis.asked.count("swap") <= 200 * 1.2
    assert stored(prefix)[3] == 200
    assert (limiter._turns._lines, limiter._turns._ready) == ({}, {})
    await limiter.close()


async def test_threads_take_turns_too(prefix: str) -> None:
    limiter = SyncLimiter(config_of(prefix), SyncPorts())
    swap, swaps = limiter._store.redis.eval, []

    def counted(*arguments: Any) -> Any:
        swaps.append(1)
        return swap(*arguments)

    limiter._store.redis.eval = counted
    with ThreadPoolExecutor(12) as pool:
        tickets = list(pool.map(lambda _: pace(limiter), range(120)))
    assert all(ticket.shared for ticket in tickets)
    assert (len(swaps), stored(prefix)[3]) == (120, 120)
    limiter.close()


async def test_tasks_wait_when_connections_run_out(prefix: str) -> None:
    """Two connections, and forty lines that want one each."""
    limiter, _ = limiter_of(prefix, f"{REDIS}?max_connections=2")
    tickets = await asyncio.gather(*(pace(limiter, f"line {n % 40}") for n in range(120)))
    assert all(ticket.shared for ticket in tickets)
    assert limiter._turns._free == 2
    await limiter.close()


async def test_several_processes_stay_right_by_the_swap(prefix: str) -> None:
    limiters = [limiter_of(prefix, daily_cap=40, max_wait_ms=0)[0] for _ in range(4)]

    async def went(limiter: Limiter) -> bool:
        with suppress(SendLimitError):
            ticket = await pace(limiter)
            return bool(ticket.shared)
        return False

    assert sum(await asyncio.gather(*(went(limiter) for limiter in limiters * 30))) == 40
    assert stored(prefix)[3] == 40
    for limiter in limiters:
        await limiter.close()


async def test_who_is_cancelled_while_waiting_holds_up_nobody(prefix: str) -> None:
    limiter, redis = limiter_of(prefix)
    redis.hold = asyncio.Event()
    tasks = [asyncio.create_task(pace(limiter)) for _ in range(6)]
    await until(lambda: len(limiter._turns._lines.get("{sales}:messages", ())) == 5)
    for task in (tasks[0], tasks[1], tasks[3]):  # the one in turn, the next one, a later one
        task.cancel()
    redis.hold.set()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    cancelled = [isinstance(result, asyncio.CancelledError) for result in done]
    assert cancelled == [True, True, False, True, False, False]
    assert stored(prefix)[3] == 3
    assert limiter._turns._lines == {}
    await limiter.close()


async def test_who_is_cancelled_just_when_the_turn_comes_passes_it_on() -> None:
    turns = StoreTurns(1)
    assert await turns.take("a")
    tasks = [asyncio.create_task(turns.take("a")) for _ in range(3)]
    await until(lambda: len(turns._lines["a"]) == 3)
    turns.give("a")
    tasks[0].cancel()
    with pytest.raises(asyncio.CancelledError):
        await tasks[0]
    assert await tasks[1]
    assert not tasks[2].done()
    turns.give("a")
    assert await tasks[2]
    turns.give("a")
    assert (turns._free, turns._lines, turns._ready) == (1, {}, {})


async def test_turns_come_in_order_and_no_line_starves_another() -> None:
    turns, order = StoreTurns(1), []

    async def one(line: str, name: str) -> None:
        assert await turns.take(line)
        order.append(name)
        await asyncio.sleep(0)
        turns.give(line)

    names = [("a", "a1"), ("a", "a2"), ("a", "a3"), ("b", "b1"), ("a", "a4"), ("b", "b2")]
    await asyncio.gather(*(one(*name) for name in names))
    for line in "ab":
        mine = [name for name in order if name.startswith(line)]
        assert mine == sorted(mine)
    assert order.index("b1") < order.index("a3")


async def test_cancelled_while_it_waits_for_a_connection() -> None:
    turns = StoreTurns(1)
    assert await turns.take("a")
    first = asyncio.create_task(turns.take("b"))
    second = asyncio.create_task(turns.take("b"))
    await until(lambda: len(turns._lines.get("b", ())) == 1)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    turns.give("a")
    assert await second
    turns.give("b")
    assert (turns._free, turns._lines, turns._ready) == (1, {}, {})


async def test_one_failure_of_the_store_is_found_out_once(prefix: str) -> None:
    """A store that hangs for seconds must not hold each one who waits for as long."""
    limiter, redis = limiter_of(prefix)
    redis.hold, redis.fails = asyncio.Event(), True
    tasks = [asyncio.create_task(pace(limiter)) for _ in range(50)]
    await until(lambda: len(limiter._turns._lines.get("{sales}:messages", ())) == 49)
    redis.hold.set()
    tickets = await asyncio.gather(*tasks)
    assert not any(ticket.shared for ticket in tickets)
    assert redis.asked == ["read"]
    redis.fails = False
    assert (await pace(limiter)).shared
    assert stored(prefix)[3] == 51
    await limiter.close()


async def test_a_line_that_cannot_be_read_sends_nobody_away(prefix: str) -> None:
    """Somebody has put something else under its key."""
    from redis import Redis

    with Redis.from_url(REDIS) as store:
        store.lpush(f"{prefix}:{{odd}}:messages", "x")
    limiter, redis = limiter_of(prefix, f"{REDIS}?max_connections=1")
    # The key is no text for MGET, which reads it as absent; the swap fails.
    names = ["odd", *["sales"] * 5, "odd", *["support"] * 5]
    tickets = await asyncio.gather(*(pace(limiter, name) for name in names))
    assert [ticket.shared for ticket in tickets] == [name != "odd" for name in names]
    assert redis.asked.count("swap") == len(names)
    await limiter.close()


async def test_a_failure_sends_nobody_away_who_is_in_turn() -> None:
    turns = StoreTurns(2)
    assert await turns.take("a")
    assert await turns.take("b")
    waiting = [asyncio.create_task(turns.take(line)) for line in ("a", "b", "c", "c")]
    await until(lambda: len(turns._lines.get("c", ())) == 1)
    turns.give("a", failed=True)
    assert await asyncio.gather(*waiting) == [False] * 4
    assert list(turns._lines) == ["b"]
    turns.give("b")
    assert (turns._free, turns._lines, turns._ready) == (2, {}, {})


async def test_cancelled_between_the_swap_and_its_answer_loses_no_place(prefix: str) -> None:
    limiter, redis = limiter_of(prefix, recipient_gap_ms=60_000, daily_cap=3, max_wait_ms=0)
    redis.swapped = asyncio.Event()
    task = asyncio.create_task(pace(limiter))
    await redis.swapped.wait()
    redis.swapped = None
    assert stored(prefix)[3] == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stored(prefix)[3] == 0
    assert (await pace(limiter)).shared  # nor does the chat's gap hold it up
    await limiter.close()


async def test_many_places_are_given_back_at_once(prefix: str) -> None:
    """As when a service shuts down: one swap each."""
    limiter, redis = limiter_of(prefix, per_minute=1_000)
    tickets = await asyncio.gather(*(pace(limiter) for _ in range(150)))
    redis.asked.clear()
    await asyncio.gather(*(limiter.give_back(ticket) for ticket in tickets))
    assert redis.asked.count("swap") == 150
    line = stored(prefix)
    assert (line[3], line[1]) == (0, [])
    await limiter.close()


async def test_many_are_told_to_slow_down_and_one_writes_it(prefix: str) -> None:
    limiter, redis = limiter_of(prefix)
    told = RateLimitError(429, "slow down", retry_after_ms=0)
    limiter._ports = Ports(clock=Still())
    await asyncio.gather(*(limiter.heard(ops.SEND_TEXT, "sales", told) for _ in range(50)))
    assert redis.asked.count("swap") == 1
    await limiter.close()


class Still:
    """A clock that stands."""

    def time(self) -> float:
        return 1_795_447_889.0

    def monotonic(self) -> float:
        return 0.0


async def test_a_line_of_the_form_before_is_taken_over(prefix: str) -> None:
    from redis import Redis

    now = Still().time()
    old = [0.0, [now - 1] * 5, int(now // 86_400), 5, 20_000, 0.0, [[0.0, 1]] * 5, {"w": 5}]
    with Redis.from_url(REDIS) as redis:
        redis.set(f"{prefix}:{{sales}}:messages", json.dumps(old))
    limiter, _ = limiter_of(prefix, per_minute=6, max_wait_ms=0)
    limiter._ports = Ports(clock=Still())
    assert (await pace(limiter)).shared
    with pytest.raises(SendLimitError, match="per_minute"):
        await pace(limiter)
    await limiter.close()


def test_a_failed_turn_of_a_thread_sends_the_others_away() -> None:
    turns = SyncStoreTurns(1)
    assert turns.take("a")
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(turns.take, "a") for _ in range(2)]
        while len(turns._lines["a"]) < 2:
            pass
        turns.give("a", failed=True)
        assert [one.result() for one in waiting] == [False, False]


async def test_a_connection_that_fails_is_tried_again_once_and_one_that_hangs_never(
    prefix: str,
) -> None:
    """Versions of redis-py differ: newer ones would try for half a minute."""
    from redis.exceptions import ConnectionError as Refused
    from redis.exceptions import TimeoutError as Slow

    for limiter in (
        Limiter(config_of(prefix), Ports()),
        SyncLimiter(config_of(prefix), SyncPorts()),
    ):
        retry = limiter._store.redis.connection_pool.connection_kwargs["retry"]
        assert retry._retries == 1
        assert Refused in retry._supported_errors
        assert not any(issubclass(Slow, kind) for kind in retry._supported_errors)


class Simulated:
    """A clock, and sleeping tasks that wake in the order of their moments."""

    def __init__(self) -> None:
        self.now = 1_795_447_889.0
        self.asleep: list[tuple[float, int, asyncio.Event]] = []
        self.naps = 0

    def time(self) -> float:
        return self.now

    monotonic = time

    async def sleep(self, seconds: float) -> None:
        self.naps += 1
        event = asyncio.Event()
        self.asleep.append((self.now + seconds, self.naps, event))
        await event.wait()

    async def run(self, tasks: list[asyncio.Task[Any]]) -> None:
        """Let time pass until all tasks are done."""
        while not all(task.done() for task in tasks):
            for _ in range(20):
                await asyncio.sleep(0)
            if self.asleep:
                first = min(self.asleep)
                self.asleep.remove(first)
                self.now = max(self.now, first[0])
                first[2].set()


@pytest.mark.parametrize("jitter", [0, 0.3])
async def test_many_sends_to_one_chat_ask_a_few_times_each(jitter: float) -> None:
    """And go in their order; those who would wait for too long are refused at once."""
    world = Simulated()
    limits = {**NO_WAIT, "recipient_gap_ms": 2_000, "jitter": jitter, "max_wait_ms": 300_000}
    ports = Ports(clock=world, own_sleep=world.sleep)
    limiter = Limiter(RateLimitConfig(**limits), ports, chance=lambda: 0.5)
    went: list[tuple[int, float]] = []

    async def one(number: int) -> None:
        with suppress(SendLimitError):
            await pace(limiter)
            went.append((number, world.now))

    tasks = [asyncio.create_task(one(number)) for number in range(400)]
    await asyncio.sleep(0)
    await world.run(tasks)
    gap = 2 * (1 + jitter / 2)
    assert 300 / gap - 3 <= len(went) <= 300 / gap + 1
    assert [number for number, _ in went] == sorted(number for number, _ in went)
    for earlier, later in pairwise(went):
        assert later[1] - earlier[1] >= gap - 1e-4
    assert world.naps <= 6 * len(went)
    assert limiter._queues._queues == {}


async def test_whoever_is_cancelled_leaves_the_queue_of_a_chat() -> None:
    world = Simulated()
    limits = {**NO_WAIT, "recipient_gap_ms": 2_000, "max_wait_ms": 300_000}
    limiter = Limiter(RateLimitConfig(**limits), Ports(clock=world, own_sleep=world.sleep))
    await pace(limiter)
    tasks = [asyncio.create_task(pace(limiter)) for _ in range(3)]
    await until(lambda: len(world.asleep) == 3)
    begun = world.now
    assert [round(at - begun) for at, _, _ in world.asleep] == [2, 4, 6]
    tasks[0].cancel()
    with suppress(asyncio.CancelledError):
        await tasks[0]
    last = asyncio.create_task(pace(limiter))
    await until(lambda: len(world.asleep) == 4)
    assert round(world.asleep[-1][0] - begun) == 6  # behind two
    await world.run([*tasks, last])
    assert limiter._queues._queues == {}
