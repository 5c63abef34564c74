"""Blocking work in one thread: in order, bounded, done even when its caller is gone."""

from __future__ import annotations

import asyncio
import multiprocessing
import threading
from functools import partial
from typing import Any

import pytest

from evolution_sdk._base.serial_worker import SerialWorker, WorkerBusyError


@pytest.fixture
def worker() -> Any:
    made = SerialWorker("test-worker", most_waiting=2)
    yield made
    made.close()


async def test_work_is_done_in_order_in_one_thread_that_is_not_the_loops(
    worker: SerialWorker,
) -> None:
    told: list[tuple[int, int]] = []

    def tell(n: int) -> None:
        told.append((n, threading.get_ident()))

    await asyncio.gather(*(worker.run(partial(tell, n)) for n in range(20)))
    assert [n for n, _ in told] == list(range(20))
    assert len({thread for _, thread in told}) == 1
    assert threading.get_ident() not in {thread for _, thread in told}


async def test_errors_come_to_the_caller(worker: SerialWorker) -> None:
    with pytest.raises(ZeroDivisionError):
        await worker.run(lambda: 1 // 0)
    assert await worker.run(lambda: 7) == 7


async def test_too_much_is_refused_and_what_must_be_done_is_not(worker: SerialWorker) -> None:
    gate = threading.Event()
    first = asyncio.ensure_future(worker.run(gate.wait, patience_ms=60_000))
    second = asyncio.ensure_future(worker.run(lambda: 2, patience_ms=60_000))
    await asyncio.sleep(0)
    with pytest.raises(WorkerBusyError, match="2 pieces"):
        await worker.run(lambda: 3, patience_ms=60_000)
    must = worker.submit(lambda: 4)
    gate.set()
    assert await first is True
    assert await second == 2
    assert await asyncio.wrap_future(must) == 4
    assert worker.waiting == 0


async def test_what_waited_too_long_is_not_begun() -> None:
    now = 0.0
    worker = SerialWorker("test-worker", clock=lambda: now)
    gate = threading.Event()
    begun: list[int] = []
    first = asyncio.ensure_future(worker.run(gate.wait))
    late = asyncio.ensure_future(worker.run(lambda: begun.append(1), patience_ms=1_000))
    must = asyncio.ensure_future(worker.run(lambda: begun.append(2)))
    await asyncio.sleep(0)
    now = 1.5
    gate.set()
    await first
    with pytest.raises(WorkerBusyError, match="too long"):
        await late
    await must
    assert begun == [2]
    worker.close()


async def test_a_cancelled_caller_undoes_nothing(worker: SerialWorker) -> None:
    gate, done = threading.Event(), threading.Event()
    blocker = asyncio.ensure_future(worker.run(gate.wait))
    caller = asyncio.ensure_future(worker.run(done.set))
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    gate.set()
    await blocker
    await worker.run(lambda: None)
    assert done.is_set()


def test_closed_it_has_done_everything_and_can_begin_again(worker: SerialWorker) -> None:
    done: list[int] = []
    for n in range(10):
        worker.submit(partial(done.append, n))
    worker.close()
    assert done == list(range(10))
    assert worker.submit(lambda: 5).result(5) == 5


def _child(worker: SerialWorker, pipe: Any) -> None:
    pipe.send((worker.waiting, worker.submit(lambda: 6).result(5)))


def test_a_forked_child_has_a_thread_of_its_own(worker: SerialWorker) -> None:
    gate = threading.Event()
    worker.submit(gate.wait)
    here, there = multiprocessing.Pipe()
    child = multiprocessing.get_context("fork").Process(target=_child, args=(worker, there))
    child.start()
    assert here.poll(10), "the child's work hangs"
    assert here.recv() == (0, 6)
    child.join(10)
    gate.set()
