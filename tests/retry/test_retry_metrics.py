from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import pickle
import threading
from collections import Counter
from typing import Any

import pytest
from retry_kit import FakeClock, Script, failure, service

from evolution_sdk._base.effect import Effect, Phase
from evolution_sdk.errors import EvolutionError
from evolution_sdk.retry import EvolutionRetryService, RetryMetrics, RetryPolicy
from evolution_sdk.retry.counters import MAX_OPERATIONS, OTHER_OPERATIONS
from evolution_sdk.retry.decision import SendAbsent, SendFound
from evolution_sdk.retry.metrics import AttemptsHistogram
from evolution_sdk.retry.service import runner_of


def fails(retry: EvolutionRetryService, name: str, outcomes: list[Any]) -> None:
    with pytest.raises(OSError):
        retry.execute_with_retry_sync(Script(outcomes), name)


def test_nothing_yet() -> None:
    zero = service().get_metrics()
    values = dataclasses.asdict(zero)
    assert values.pop("operation") is None
    assert values.pop("window_ms") is None
    assert values.pop("attempts_histogram") == {}
    assert set(values.values()) == {0}
    assert isinstance(zero.success_rate, float)


def test_every_number() -> None:
    clock = FakeClock()
    retry = service(clock=clock)

    def after(milliseconds: float, outcomes: list[Any]) -> Script:
        def pass_time() -> None:
            clock.now += milliseconds / 1_000

        return Script(outcomes, pass_time)

    retry.execute_with_retry_sync(after(100, [1]), "send")
    retry.execute_with_retry_sync(after(200, [OSError(), 1]), "send")
    fails(retry, "send", [OSError()])
    retry.execute_with_retry_sync(after(0, [1]), "read")
    send = retry.get_metrics("send")
    assert send == RetryMetrics(
        operation="send",
        window_ms=None,
        total_operations=3,
        successful_operations=2,
        failed_operations=1,
        cancelled_operations=0,
        success_rate=2 / 3,
        failure_rate=1 / 3,
        average_time_to_success_ms=pytest.approx((100 + 200 + 1_000 + 200) / 2),
        p50_time_to_success_ms=pytest.approx(100, rel=1 / 32),
        p95_time_to_success_ms=pytest.approx(1_400, rel=1 / 32),
        p99_time_to_success_ms=pytest.approx(1_400, rel=1 / 32),
        attempts=6,
        retries=3,
        attempts_per_operation=2.0,
        attempts_histogram=AttemptsHistogram({1: 1, 2: 1, 3: 1}),
        successes_first_try=1,
        successes_after_retry=1,
        failures_after_retry=1,
        retry_success_rate=0.5,
        waits=3,
        budget_refusals=0,
        circuit_refusals=0,
        unknown_outcomes=0,
        resolved_found=0,
        resolved_absent=0,
        unresolved_outcomes=0,
        total_wait_ms=1_000 + 1_000 + 2_000,
        handler_errors=0,
    )
    total = retry.get_metrics()
    assert (total.operation, total.total_operations, total.attempts) == (None, 4, 7)
    assert list(total.attempts_histogram.items()) == [(1, 2), (2, 1), (3, 1)]
    assert total.success_rate == 0.75
    assert retry.get_metrics("never seen").total_operations == 0


def test_unknown_outcomes_and_what_became_of_them() -> None:
    retry = service()

    def call(mode: Any, answers: list[Any], outcomes: list[Any], name: str) -> None:
        with contextlib.suppress(EvolutionError):
            runner_of(retry).run_sync(
                Script(outcomes),
                name,
                effect=Effect.SEND,
                on_unknown=mode,
                resolve=Script(answers),
            )

    lost = [failure(Phase.UNKNOWN)]
    call("raise", [], lost, "raise")
    call("reconcile", [SendFound(1)], lost, "found")
    call("reconcile", [SendAbsent("x")], lost, "absent")
    call("reconcile", [OSError()], lost, "broken")
    call("resend", [SendAbsent("x"), SendFound(1)], lost, "resend")
    call("resend", [SendAbsent("x")], lost, "exhausted")
    with pytest.raises(EvolutionError):
        runner_of(retry).run_sync(Script(lost), "no resolver", effect=Effect.SEND)

    def counts(name: str | None) -> tuple[int, int, int, int]:
        m = retry.get_metrics(name)
        return m.unknown_outcomes, m.resolved_found, m.resolved_absent, m.unresolved_outcomes

    assert counts("raise") == (1, 0, 0, 1)
    assert counts("found") == (1, 1, 0, 0)
    assert counts("absent") == (1, 0, 1, 0)
    assert counts("broken") == (1, 0, 0, 1)
    assert counts("resend") == (2, 1, 1, 0)
    assert counts("exhausted") == (3, 0, 3, 0)
    assert counts("no resolver") == (1, 0, 0, 1)
    assert counts(None) == (10, 2, 5, 3)
    assert retry.get_metrics("found").successes_first_try == 1


def test_the_histogram_is_in_order() -> None:
    retry = service()
    fails(retry, "send", [OSError()])
    retry.execute_with_retry_sync(lambda: 1, "send")
    assert list(retry.get_metrics().attempts_histogram) == [1, 3]


def test_a_snapshot_is_a_copy_that_pickles() -> None:
    retry = service()
    retry.execute_with_retry_sync(lambda: 1, "send")
    before = retry.get_metrics()
    with pytest.raises(dataclasses.FrozenInstanceError):
        before.attempts = 5  # type: ignore[misc]
    retry.execute_with_retry_sync(lambda: 1, "send")
    assert before.attempts == 1
    assert retry.get_metrics().attempts_histogram == {1: 2}
    assert pickle.loads(pickle.dumps(before)) == before


def test_reset_forgets_the_past_but_not_the_calls_in_flight() -> None:
    retry = service()
    retry.execute_with_retry_sync(lambda: 1, "gone")

    def inside() -> int:
        assert retry.get_active_requests() == 1
        retry.reset_metrics()
        assert retry.get_metrics().total_operations == 0
        assert retry.get_active_requests("send") == 1
        return 1

    retry.execute_with_retry_sync(inside, "send")
    assert list(retry._registry._operations) == ["send"]
    assert retry.get_active_requests() == 0
    assert retry.get_metrics().total_operations == retry.get_metrics("send").total_operations == 1


def test_the_number_of_operation_names_is_bounded() -> None:
    retry = service()
    for number in range(MAX_OPERATIONS + 50):
        retry.execute_with_retry_sync(lambda: 1, f"op{number}")
    assert len(retry._registry._operations) == MAX_OPERATIONS + 1
    assert retry.get_metrics(OTHER_OPERATIONS).total_operations == 50
    assert retry.get_metrics().total_operations == MAX_OPERATIONS + 50


def test_the_histogram_is_bounded() -> None:
    retry = service(RetryPolicy(5_000, jitter="none"))
    for count in (99, 150, 4_000):
        retry.execute_with_retry_sync(Script([OSError()] * (count - 1) + [1]), "send")
    assert retry.get_metrics().attempts_histogram == {99: 1, 100: 2}
    assert retry.get_metrics().attempts == 99 + 150 + 4_000


def outcomes_of(number: int) -> list[Any]:
    """0 succeeds, 1 after one retry, 2 after two, 3 fails after three attempts."""
    kind = number % 4
    return [OSError()] * kind + [1]


def check(retry: EvolutionRetryService, calls: int, handled: Counter[str]) -> None:
    assert calls % 4 == 0
    quarter = calls // 4
    total = retry.get_metrics()
    assert total.total_operations == calls
    assert (total.successful_operations, total.failed_operations) == (3 * quarter, quarter)
    assert total.attempts_histogram == {1: quarter, 2: quarter, 3: 2 * quarter}
    assert total.attempts == 9 * quarter
    assert total.total_wait_ms == pytest.approx(quarter * (1 + 3 + 3))
    assert total.handler_errors == quarter
    assert retry.get_active_requests() == 0
    assert sum(retry.get_metrics(f"op{n}").total_operations for n in range(3)) == calls
    assert handled == {"success": 3 * quarter, "retry": 5 * quarter}


def watched() -> tuple[EvolutionRetryService, Counter[str]]:
    retry = EvolutionRetryService(
        3, 1, jitter="none", sleep=lambda _: None, async_sleep=lambda _: asyncio.sleep(0)
    )
    handled: Counter[str] = Counter()
    lock = threading.Lock()

    def count(event: Any) -> None:
        with lock:
            handled[event.name] += 1

    retry.on("success", count)
    retry.on("retry", count)

    @retry.on("failure")
    def broken(_: object) -> None:
        raise RuntimeError

    return retry, handled


def test_exact_under_8_threads() -> None:
    retry, handled = watched()
    each = 400
    start = threading.Barrier(8)

    def work() -> None:
        start.wait()
        for number in range(each):
            with contextlib.suppress(OSError):
                retry.execute_with_retry_sync(Script(outcomes_of(number)), f"op{number % 3}")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(retry, 8 * each, handled)


async def test_exact_under_1000_tasks() -> None:
    retry, handled = watched()

    async def work(number: int) -> None:
        script = Script(outcomes_of(number))

        async def once() -> Any:
            await asyncio.sleep(0)
            return script()

        with contextlib.suppress(OSError):
            await retry.execute_with_retry(once, f"op{number % 3}")

    await asyncio.gather(*map(work, range(1_000)))
    check(retry, 1_000, handled)
