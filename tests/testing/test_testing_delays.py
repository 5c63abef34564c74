"""no_retry_delays: the same attempts, no waits; for one context only."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
from typing import Any

import pytest

from evolution_sdk import AsyncEvolutionClient, EvolutionClient
from evolution_sdk._base.effect import Phase
from evolution_sdk.errors import ConnectionFailedError, SendOutcomeUnknownError
from evolution_sdk.retry import EvolutionRetryService
from evolution_sdk.testing import FakeEvolution, no_retry_delays


class Naps(list[float]):
    """Stands in for sleeping, and remembers."""

    def sleep(self, seconds: float) -> None:
        self.append(seconds)

    async def async_sleep(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture
def naps() -> Naps:
    return Naps()


@pytest.fixture
def retry(naps: Naps) -> EvolutionRetryService:
    return EvolutionRetryService(
        4, 60_000, jitter="none", sleep=naps.sleep, async_sleep=naps.async_sleep
    )


def attempts(retry: EvolutionRetryService) -> int:
    """Fail in all attempts; how many there were."""

    def fails() -> None:
        raise ConnectionFailedError("boom", phase=Phase.NOT_SENT)

    with pytest.raises(ConnectionFailedError) as caught:
        retry.execute_with_retry_sync(fails, "x")
    return caught.value.attempts


async def attempts_async(retry: EvolutionRetryService) -> int:
    async def fails() -> None:
        raise ConnectionFailedError("boom", phase=Phase.NOT_SENT)

    with pytest.raises(ConnectionFailedError) as caught:
        await retry.execute_with_retry(fails, "x")
    return caught.value.attempts


def test_a_service_with_minutes_of_delay_ends_at_once() -> None:
    """The real time.sleep: if it were called, this test would take a minute."""
    with no_retry_delays():
        assert attempts(EvolutionRetryService(2, 60_000, jitter="none")) == 2


async def test_an_async_service_too() -> None:
    with no_retry_delays():
        assert await attempts_async(EvolutionRetryService(2, 60_000, jitter="none")) == 2


async def test_only_inside(retry: EvolutionRetryService, naps: Naps) -> None:
    with no_retry_delays():
        assert attempts(retry) == await attempts_async(retry) == 4
    assert naps == []
    attempts(retry)
    assert len(naps) == 3
    await attempts_async(retry)
    assert len(naps) == 6


def test_events_and_metrics_stay(retry: EvolutionRetryService) -> None:
    seen: list[Any] = []
    retry.on("retry", seen.append)
    with no_retry_delays():
        attempts(retry)
    assert len(seen) == 3
    assert seen[0].next_delay_ms == 30_000  # the cap
    assert retry.get_metrics().retries == 3


def test_nested_and_reused(retry: EvolutionRetryService, naps: Naps) -> None:
    off = no_retry_delays()
    with off:
        with off:
            pass
        attempts(retry)
    assert naps == []
    attempts(retry)
    assert len(naps) == 3


def test_decorates_a_function(retry: EvolutionRetryService, naps: Naps) -> None:
    @no_retry_delays()
    def run(times: int) -> int:
        return attempts(retry) * times

    assert (run(2), run.__name__, naps) == (8, "run", [])


async def test_decorates_a_coroutine_function(retry: EvolutionRetryService, naps: Naps) -> None:
    @no_retry_delays()
    async def run() -> int:
        return await attempts_async(retry)

    assert inspect.iscoroutinefunction(run)
    later = run()
    attempts(retry)  # not yet, and not for others
    assert len(naps) == 3
    assert await later == 4
    assert len(naps) == 3


def test_does_not_decorate_generators() -> None:
    with pytest.raises(TypeError, match=r"Use 'with no_retry_delays\(\):' inside it"):

        @no_retry_delays()
        def fixture() -> Any:
            yield


@pytest.mark.usefixtures("no_retry_delays")
def test_as_a_fixture(retry: EvolutionRetryService, naps: Naps) -> None:
    assert attempts(retry) == 4
    assert naps == []


@pytest.mark.usefixtures("no_retry_delays")
async def test_as_a_fixture_of_an_async_test(retry: EvolutionRetryService, naps: Naps) -> None:
    assert await attempts_async(retry) == 4
    assert naps == []


def test_the_fixture_ends_with_its_test(retry: EvolutionRetryService, naps: Naps) -> None:
    attempts(retry)
    assert len(naps) == 3


async def test_follows_tasks_and_threads_of_the_context(
    retry: EvolutionRetryService, naps: Naps
) -> None:
    with no_retry_delays():
        assert await asyncio.create_task(attempts_async(retry)) == 4
        assert await asyncio.to_thread(attempts, retry) == 4
        context = contextvars.copy_context()
        begun_inside = threading.Thread(target=attempts, args=(retry,))
        assert naps == []
        begun_inside.start()  # a bare thread begins with a context of its own
        await asyncio.to_thread(begun_inside.join)
    assert len(naps) == 3
    carried = threading.Thread(target=context.run, args=(attempts, retry))
    carried.start()
    await asyncio.to_thread(carried.join)
    assert len(naps) == 3


async def test_other_tasks_wait_as_ever(retry: EvolutionRetryService, naps: Naps) -> None:
    gate = asyncio.Event()

    async def outside() -> int:
        await gate.wait()
        return await attempts_async(retry)

    task = asyncio.create_task(outside())
    with no_retry_delays():
        gate.set()
        assert await task == 4
    assert len(naps) == 3


def test_looking_for_a_lost_send_does_not_wait(monkeypatch: pytest.MonkeyPatch, naps: Naps) -> None:
    monkeypatch.setattr("evolution_sdk._sync._seam.Signal.wait", lambda _, s: naps.sleep(s))
    fake = FakeEvolution()
    fake.create_instance("sales")
    fake.faults.add("message.send_text", "drop")
    with (
        fake.http_client() as http,
        EvolutionClient(fake.url, fake.api_key, instance="sales", http_client=http) as client,
    ):
        with no_retry_delays(), pytest.raises(SendOutcomeUnknownError):
            client.messages.send_text("5511999999999", "oi")
        assert naps == []
        with pytest.raises(SendOutcomeUnknownError):
            client.messages.send_text("5511999999999", "oi")
        assert naps


async def test_looking_does_not_wait_in_the_other_colour(
    monkeypatch: pytest.MonkeyPatch, naps: Naps
) -> None:
    monkeypatch.setattr("evolution_sdk._async._seam.Signal.wait", lambda _, s: naps.async_sleep(s))
    fake = FakeEvolution()
    fake.create_instance("sales")
    fake.faults.add("message.send_text", "drop")
    async with (
        fake.async_http_client() as http,
        AsyncEvolutionClient(fake.url, fake.api_key, instance="sales", http_client=http) as client,
    ):
        with no_retry_delays(), pytest.raises(SendOutcomeUnknownError):
            await client.messages.send_text("5511999999999", "oi")
        assert naps == []
        with pytest.raises(SendOutcomeUnknownError):
            await client.messages.send_text("5511999999999", "oi")
        assert naps
