"""Requests per second of this SDK against the bare HTTP libraries, as ratios of one run.

Both subjects of a comparison take turns in short rounds, and the median of the rounds' ratios is
reported, so that whatever else the machine does hits both alike.

Usage: ``python benchmarks/run.py [--quick]``. Exits with 1 when a ratio misses its target.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial

from server import running_server
from subjects import (
    AsyncCall,
    SyncCall,
    our_async,
    our_sync,
    raw_aiohttp,
    raw_httpx,
    raw_httpx_sync,
)

Open = Callable[[str], AbstractAsyncContextManager[AsyncCall]]
Round = Callable[[int], Awaitable[float]]


@dataclass(frozen=True)
class Plan:
    """How long to measure."""

    rounds: int
    seconds: float


@dataclass(frozen=True)
class Comparison:
    """Two subjects at one concurrency; ``target`` is the least ratio, None for information."""

    name: str
    ours: Open
    raw: Open
    concurrency: int
    target: float | None = None


@dataclass(frozen=True)
class Result:
    name: str
    concurrency: int
    ours: float
    raw: float
    ratio: float
    target: float | None

    @property
    def missed(self) -> bool:
        return self.target is not None and self.ratio < self.target


OUR_HTTPX: Open = partial(our_async, backend="httpx")
OUR_AIOHTTP: Open = partial(our_async, backend="aiohttp")
COMPARISONS = (
    Comparison("httpx.AsyncClient", OUR_HTTPX, raw_httpx, 1, 1.0),
    Comparison("httpx.AsyncClient", OUR_HTTPX, raw_httpx, 8),
    Comparison("httpx.AsyncClient", OUR_HTTPX, raw_httpx, 32),
    Comparison("httpx.AsyncClient", OUR_HTTPX, raw_httpx, 100, 2.0),
    Comparison("aiohttp.ClientSession", OUR_AIOHTTP, raw_aiohttp, 1),
    Comparison("aiohttp.ClientSession", OUR_AIOHTTP, raw_aiohttp, 32, 0.6),
    Comparison("aiohttp.ClientSession", OUR_AIOHTTP, raw_aiohttp, 100, 0.6),
)
SYNC_NAME, SYNC_TARGET = "httpx.Client", 1.0


async def async_rate(call: AsyncCall, concurrency: int, calls: int) -> float:
    """Requests per second of ``concurrency`` workers sharing ``calls`` calls."""
    left = iter(range(calls))

    async def worker() -> None:
        for _ in left:
            await call()

    start = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(concurrency)))
    return calls / (time.perf_counter() - start)


async def sync_rate(call: SyncCall, calls: int) -> float:
    """Requests per second of a blocking call, one after the other."""
    start = time.perf_counter()
    for _ in range(calls):
        call()
    return calls / (time.perf_counter() - start)


async def take_turns(ours: Round, raw: Round, least: int, plan: Plan) -> tuple[float, float, float]:
    """Median rates of both, and the median of the ratios of each pair of rounds."""
    sizes = [await _size(subject, least, plan) for subject in (ours, raw)]
    pairs: list[tuple[float, float]] = []
    for number in range(plan.rounds):
        rates = [0.0, 0.0]
        for which in (0, 1) if number % 2 else (1, 0):
            gc.collect()
            rates[which] = await (ours, raw)[which](sizes[which])
        pairs.append((rates[0], rates[1]))
    ratio = statistics.median(a / b for a, b in pairs)
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs), ratio


async def _size(subject: Round, least: int, plan: Plan) -> int:
    """Warm up (open the connections), then how many calls fill one round."""
    await subject(least)
    return max(least, int(await subject(least) * plan.seconds))


async def measure(comparison: Comparison, base_url: str, plan: Plan) -> Result:
    concurrency = comparison.concurrency
    async with comparison.ours(base_url) as ours, comparison.raw(base_url) as raw:
        figures = await take_turns(
            partial(async_rate, ours, concurrency),
            partial(async_rate, raw, concurrency),
            max(50, 2 * concurrency),
            plan,
        )
    return Result(comparison.name, concurrency, *figures, comparison.target)


def measure_sync(base_url: str, plan: Plan) -> Result:
    with our_sync(base_url) as ours, raw_httpx_sync(base_url) as raw:
        figures = asyncio.run(
            take_turns(partial(sync_rate, ours), partial(sync_rate, raw), 50, plan)
        )
    return Result(SYNC_NAME, 1, *figures, SYNC_TARGET)


def show(result: Result) -> None:
    verdict = ""
    if result.target is not None:
        verdict = f"{'MISSED' if result.missed else 'ok'} (target {result.target:.1f})"
    print(
        f"{result.name:<23}{result.concurrency:>6}{result.raw:>12.0f}{result.ours:>12.0f}"
        f"{result.ratio:>9.2f}  {verdict}",
        flush=True,
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a short, rougher run")
    plan = Plan(3, 0.2) if parser.parse_args(arguments).quick else Plan(7, 0.4)
    print(f"{'against':<23}{'calls':>6}{'raw/s':>12}{'ours/s':>12}{'ratio':>9}")
    results: list[Result] = []
    with running_server() as base_url:
        for comparison in COMPARISONS:
            results.append(asyncio.run(measure(comparison, base_url, plan)))
            show(results[-1])
        results.append(measure_sync(base_url, plan))
        show(results[-1])
    missed = [result for result in results if result.missed]
    print(f"{len(missed)} of {len(results)} below target" if missed else "all targets met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
