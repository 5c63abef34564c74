"""FakeClock: one time for retries, the fake and background work; nobody really sleeps."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from evolution_sdk._base.effect import Phase
from evolution_sdk.errors import ConnectionFailedError
from evolution_sdk.retry import EvolutionRetryService
from evolution_sdk.testing import FakeClock, FakeEvolution, SystemClock


def service(clock: FakeClock, **options: object) -> EvolutionRetryService:
    return EvolutionRetryService(
        delay_ms=60_000, max_delay_ms=600_000, jitter="none", clock=clock, sleep=clock.sleep,
        async_sleep=clock.async_sleep, **options,  # type: ignore[arg-type] # handed on
    )  # fmt: skip


def always_fails() -> None:
    raise ConnectionFailedError("boom", phase=Phase.NOT_SENT)


def test_a_service_waits_by_it_without_waiting() -> None:
    clock = FakeClock()
    with pytest.raises(ConnectionFailedError):
        service(clock).execute_with_retry_sync(always_fails, "x")
    assert clock.naps == (60.0, 120.0)
    assert clock.monotonic() == clock() == 180.0


async def test_an_async_service_waits_by_it_too() -> None:
    clock = FakeClock()

    async def fails() -> None:
        always_fails()

    with pytest.raises(ConnectionFailedError):
        await service(clock).execute_with_retry(fails, "x")
    assert clock.naps == (60.0, 120.0)


def test_its_time_counts_against_max_elapsed_ms() -> None:
    clock = FakeClock()
    with pytest.raises(ConnectionFailedError) as caught:
        service(clock, max_elapsed_ms=100_000).execute_with_retry_sync(always_fails, "x")
    assert (caught.value.attempts, clock.naps) == (2, (60.0,))


def test_the_three_readings_are_one_time() -> None:
    clock = FakeClock(start_ms=5_000)
    clock.advance(1_500)
    assert (clock.now_ms(), clock.time(), clock.monotonic(), clock()) == (6_500, 6.5, 1.5, 1.5)


def test_the_fake_lives_by_it() -> None:
    clock = FakeClock()
    fake = FakeEvolution(clock=clock)
    assert fake.clock is clock
    fake.create_instance("sales")
    before = clock.now_ms()
    with fake.http_client(headers={"apikey": fake.api_key}) as http:
        body = {"number": "5511999999999", "text": "oi", "delay": 2_000}
        assert http.post("/message/sendText/sales", json=body).status_code == 201
    assert clock.now_ms() == before + 2_000


@pytest.mark.parametrize("seconds", [0, -1])
async def test_no_time_to_sleep_is_no_sleep(seconds: float) -> None:
    clock = FakeClock(manual=True)
    clock.sleep(seconds)
    await clock.async_sleep(seconds)
    assert (clock.monotonic(), clock.sleepers) == (0, 0)


async def test_time_never_goes_back() -> None:
    clock = FakeClock()
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(-1)
    with pytest.raises(ValueError, match="does not go back"):
        await clock.run_for(-1)


def test_sleeps_of_threads_add_up() -> None:
    clock = FakeClock()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(clock.sleep, [0.5] * 4_000))
    assert clock.monotonic() == 2_000
    assert len(clock.naps) == 4_000


def test_skips_of_threads_add_up_on_the_systems_clock() -> None:
    clock = SystemClock()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(clock.advance, [1_000.0] * 4_000))
    assert 0 <= clock.now_ms() - time.time() * 1_000 - 4_000_000 + 1 < 60_000


async def test_an_async_sleep_lets_others_run_once() -> None:
    clock, order = FakeClock(), []

    async def other() -> None:
        order.append("other")

    task = asyncio.create_task(other())
    await clock.async_sleep(3_600)
    order.append("slept")
    await task
    assert order == ["other", "slept"]


async def test_manual_sleep_lasts_until_time_has_moved() -> None:
    clock, rounds = FakeClock(manual=True), []

    async def monitor() -> None:
        while True:
            await clock.async_sleep(30)
            rounds.append(clock.monotonic())

    task = asyncio.create_task(monitor())
    await clock.run_for(0)
    assert (rounds, clock.sleepers) == ([], 1)
    await clock.run_for(29_999)
    assert rounds == []
    await clock.run_for(1)
    assert rounds == [30]
    await clock.run_for(90_000)  # every round at its own time
    assert rounds == [30, 60, 90, 120]
    assert clock.monotonic() == 120
    clock.advance(90_000)  # one leap, one round
    await clock.run_for(0)
    assert rounds == [30, 60, 90, 120, 210]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert clock.sleepers == 0


async def test_run_for_wakes_in_the_order_of_time() -> None:
    clock, order = FakeClock(manual=True), []

    async def nap(seconds: float) -> None:
        await clock.async_sleep(seconds)
        order.append((seconds, clock.monotonic()))

    tasks = [asyncio.create_task(nap(s)) for s in (3, 1, 2)]
    await clock.run_for(10_000)
    assert order == [(1, 1), (2, 2), (3, 3)]
    assert clock.monotonic() == 10
    await asyncio.gather(*tasks)


def test_manual_sleep_of_a_thread() -> None:
    clock, rounds, end = FakeClock(manual=True), [], threading.Event()

    def monitor() -> None:
        while not end.is_set():
            clock.sleep(30)
            rounds.append(clock.monotonic())

    thread = threading.Thread(target=monitor)
    thread.start()
    clock.wait_for_sleepers()
    assert rounds == []
    for _ in range(3):
        clock.advance(30_000)
        clock.wait_for_sleepers()
    assert rounds == [30, 60, 90]
    end.set()
    clock.wake_all()
    thread.join(5)
    assert not thread.is_alive()
    assert clock.monotonic() == 90


def test_waiting_for_sleepers_that_do_not_come_ends() -> None:
    with pytest.raises(TimeoutError, match="0 sleep after 1 ms, not 2"):
        FakeClock(manual=True).wait_for_sleepers(2, timeout_ms=1)


async def test_time_moved_by_another_thread_wakes_a_task() -> None:
    clock = FakeClock(manual=True)
    task = asyncio.create_task(clock.async_sleep(5))
    await asyncio.to_thread(clock.wait_for_sleepers)
    await asyncio.to_thread(clock.advance, 5_000)
    await asyncio.wait_for(task, 5)


def test_a_task_of_a_closed_loop_is_no_trouble() -> None:
    clock = FakeClock(manual=True)

    async def leave_asleep() -> None:
        task = asyncio.ensure_future(clock.async_sleep(5))
        await clock.run_for(0)
        assert clock.sleepers == 1
        del task

    asyncio.run(leave_asleep())  # cancels what is left
    clock.advance(5_000)
    assert clock.sleepers == 0
