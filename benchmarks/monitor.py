"""A million samples through the monitor: memory stays flat, and each costs the same.

Run: python benchmarks/monitor.py [samples]
"""

from __future__ import annotations

import math
import random
import sys
import time
import tracemalloc
from types import SimpleNamespace
from typing import Any

from evolution_sdk import AttemptFinished, EvolutionConfig
from evolution_sdk._core.effect import Effect
from evolution_sdk.monitor import EvolutionMonitorService

SAMPLES = 1_000_000
INTERVAL_S = 5.0
PARTS = 10
LARGEST_RATIO = 1.25
LARGEST_GROWTH = 1.25


class Clock:
    """Time that the benchmark moves."""

    def __init__(self) -> None:
        self.now = 1_795_447_889.0

    def __call__(self) -> float:
        return self.now


class Client:
    """Answers at once."""

    def __init__(self) -> None:
        self.config = EvolutionConfig("http://fake.test", "key", instance="sales")
        self.server = self.instances = self

    def close(self) -> None:
        """Nothing is open."""

    def info(self, **_: Any) -> Any:
        return SimpleNamespace(version="2.3.6")

    def connection_state(self, name: str, **_: Any) -> Any:
        return SimpleNamespace(name=name, state="open")


class Process:
    """Uses a bit more and less."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice

    def memory_bytes(self) -> int:
        return int(120e6 + self._dice.gauss(0, 1e6))

    def cpu_percent(self) -> float:
        return abs(self._dice.gauss(5, 1))


def run(samples: int) -> tuple[list[float], list[int]]:
    """Seconds and traced bytes of each tenth."""
    clock, dice = Clock(), random.Random(1)
    monitor = EvolutionMonitorService(
        Client(),
        clock=clock,
        wall_clock=clock,
        process=Process(dice),
        sinks=(),
        max_history=1_000,
    )
    observe: Any = monitor._intake.fact
    seconds: list[float] = []
    traced: list[int] = []
    for part in range(PARTS):
        begun = time.perf_counter()
        for i in range(samples // PARTS):
            clock.now += INTERVAL_S
            ms = 80 + 20 * math.sin(i / 500) + dice.random()
            observe(AttemptFinished("chat.find_chats", Effect.READ, "sales", 0.0, ms, None))
            observe_event(monitor, i)
            monitor.check_health_sync()
        seconds.append(time.perf_counter() - begun)
        traced.append(traced_bytes())
        print(
            f"  {(part + 1) * samples // PARTS:>9,} samples  "
            f"{seconds[-1] / (samples // PARTS) * 1e6:6.1f} µs each  {traced[-1] / 1e6:6.2f} MB"
        )
    monitor.close()
    return seconds, traced


def observe_event(monitor: EvolutionMonitorService, number: int) -> None:
    """An event now and then, with ids that never repeat."""
    data = {"keyId": f"id{number}", "status": "SERVER_ACK"}
    monitor.observe_event({"event": "messages.update", "instance": "sales", "data": data})


def traced_bytes() -> int:
    """What tracemalloc counts."""
    return tracemalloc.get_traced_memory()[0]


def main() -> None:
    samples = int(sys.argv[1]) if len(sys.argv) > 1 else SAMPLES
    print(f"monitor: {samples:,} samples, one call and one event between two checks")
    tracemalloc.start(1)
    seconds, traced = run(samples)
    tracemalloc.stop()
    cost = seconds[-1] / seconds[0]
    growth = traced[-1] / traced[0]
    print(f"  cost per sample, last tenth to first: {cost:.2f} (at most {LARGEST_RATIO})")
    print(f"  memory, end to first tenth: {growth:.2f} (at most {LARGEST_GROWTH})")
    if cost > LARGEST_RATIO or growth > LARGEST_GROWTH:
        sys.exit("monitor: cost or memory grows with the number of samples")


if __name__ == "__main__":
    main()
