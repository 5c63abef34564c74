"""What a call that succeeds at once costs inside a retry, beside the field, in one run.

Ours counts every call (metrics on) and has no listener. The subjects take turns in short rounds;
the median of each is reported, and its ratio to tenacity.

Usage: ``python benchmarks/retry.py [--quick]``. Exits with 1 when ours costs more than a quarter of
tenacity.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import backoff
import stamina
import tenacity

from evolution_sdk.retry import EvolutionRetryService, RetryBudget

TARGET = 0.25
ATTEMPTS = 3

AsyncCall = Callable[[], Awaitable[Any]]
SyncCall = Callable[[], Any]


async def work() -> int:
    return 1


def blocking_work() -> int:
    return 1


def waits() -> dict[str, Any]:
    return {
        "stop": tenacity.stop_after_attempt(ATTEMPTS),
        "wait": tenacity.wait_random_exponential(1, max=30),
    }


def async_subjects() -> dict[str, AsyncCall]:
    retry = EvolutionRetryService(ATTEMPTS, budget=RetryBudget())
    subjects: dict[str, AsyncCall] = {
        "bare await": work,
        "backoff": backoff.on_exception(backoff.expo, Exception, max_tries=ATTEMPTS)(work),
        "ours": lambda: retry.execute_with_retry(work, "send"),
        "ours, decorated": retry.retryable("send")(work),
        "stamina": stamina.retry(on=Exception, attempts=ATTEMPTS)(work),
        "tenacity": tenacity.retry(**waits())(work),
    }
    return subjects


def sync_subjects() -> dict[str, SyncCall]:
    retry = EvolutionRetryService(ATTEMPTS, budget=RetryBudget())
    return {
        "bare call": blocking_work,
        "backoff": backoff.on_exception(backoff.expo, Exception, max_tries=ATTEMPTS)(blocking_work),
        "ours": lambda: retry.execute_with_retry_sync(blocking_work, "send"),
        "ours, decorated": retry.retryable("send")(blocking_work),
        "stamina": stamina.retry(on=Exception, attempts=ATTEMPTS)(blocking_work),
        "tenacity": tenacity.retry(**waits())(blocking_work),
    }


async def cost_async(call: AsyncCall, calls: int) -> float:
    begun = time.perf_counter()
    for _ in range(calls):
        await call()
    return (time.perf_counter() - begun) / calls * 1e6


def cost_sync(call: SyncCall, calls: int) -> float:
    begun = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - begun) / calls * 1e6


async def measure(rounds: int, calls: int) -> dict[str, dict[str, float]]:
    """Median microseconds per call, by colour and subject."""
    subjects, blocking = async_subjects(), sync_subjects()
    taken: dict[str, dict[str, list[float]]] = {
        "async": {name: [] for name in subjects},
        "sync": {name: [] for name in blocking},
    }
    for _ in range(rounds):
        for name, call in subjects.items():
            taken["async"][name].append(await cost_async(call, calls))
        for name, plain in blocking.items():
            taken["sync"][name].append(cost_sync(plain, calls))
    return {
        colour: {name: statistics.median(times) for name, times in of.items()}
        for colour, of in taken.items()
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a short, rougher run")
    quick = parser.parse_args(arguments).quick
    figures = asyncio.run(measure(*((3, 1_000) if quick else (15, 4_000))))
    missed = 0
    print(f"{'a call that succeeds at once':<32}{'µs':>8}{'of tenacity':>13}")
    for colour, costs in figures.items():
        for name, cost in costs.items():
            ratio = cost / costs["tenacity"]
            verdict = ""
            if name.startswith("ours"):
                missed += ratio > TARGET
                verdict = f"  {'MISSED' if ratio > TARGET else 'ok'} (at most {TARGET})"
            print(f"{colour + ', ' + name:<32}{cost:>8.2f}{ratio:>13.3f}{verdict}")
    print(f"{missed} over target" if missed else "all targets met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
