"""A million samples through the monitor: memory stays flat, and each costs the same.

Run: python benchmarks/monitor.py [samples]
"""

from __future__ import annotations

import gc
import math
import random
import sys
import time
import tracemalloc
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import psutil

from evolution_sdk import AttemptFinished, EvolutionConfig
from evolution_sdk._base.effect import Effect
from evolution_sdk.monitor import EvolutionMonitorService, MonitorPorts

SAMPLES = 1_000_000
INTERVAL_S = 5.0
PARTS = 10
LARGEST_RATIO = 1.25
TRACED_SHARE = 10
FEWEST_TRACED = 50_000  # so that the ring is long full after the first tenth


class Clock:
    """Time that the benchmark moves."""

    def __init__(self) -> None:
        self.now = 1_795_447_889.0

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now


class Client:
    """Answers at once."""

    def __init__(self) -> None:
        self.config = EvolutionConfig("http://fake.test", "key", instance="sales")
        self.server = self.instances = self

    def close(self) -> None:
        """Nothing is open."""

    def observe(self, observer: Any) -> Any:
        self.tell = observer
        return self.close

    def observe_events(self, listener: Any) -> Any:
        self.feed = listener
        return self.close

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


def run(samples: int, measure: Callable[[], int]) -> tuple[list[float], list[int]]:
    """CPU seconds per sample, and bytes, of each tenth."""
    clock, dice = Clock(), random.Random(1)
    client: Any = Client()
    ports = MonitorPorts(clock=clock, process=Process(dice))
    monitor = EvolutionMonitorService(client, ports=ports, sinks=(), max_history=1_000)
    seconds: list[float] = []
    kept: list[int] = []
    each = samples // PARTS
    for part in range(PARTS):
        begun = time.process_time()
        for i in range(part * each, (part + 1) * each):
            clock.now += INTERVAL_S
            ms = 80 + 20 * math.sin(i / 500) + dice.random()
            client.tell(AttemptFinished("chat.find_chats", Effect.READ, "sales", 0.0, ms, None))
            data = {"keyId": f"id{i}", "status": "SERVER_ACK"}  # ids that never repeat
            client.feed({"event": "messages.update", "instance": "sales", "data": data})
            monitor.check_health_sync()
        seconds.append((time.process_time() - begun) / each)
        kept.append(measure())
        done = (part + 1) * each
        print(f"  {done:>9,} samples  {seconds[-1] * 1e6:6.1f} µs each  {kept[-1] / 1e6:6.2f} MB")
    monitor.close()
    return seconds, kept


def resident() -> int:
    """Resident memory of this process."""
    return int(psutil.Process().memory_info().rss)


def traced() -> int:
    """What tracemalloc counts."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def main() -> None:
    samples = int(sys.argv[1]) if len(sys.argv) > 1 else SAMPLES
    traced_samples = max(FEWEST_TRACED, samples // TRACED_SHARE)
    print(f"monitor: {samples:,} samples, a call and an event between two checks; CPU time, RSS")
    seconds, rss = run(samples, resident)
    print(f"monitor: {traced_samples:,} samples under tracemalloc, which slows them down")
    tracemalloc.start(1)
    _, kept = run(traced_samples, traced)
    tracemalloc.stop()
    results = {
        "cost per sample, last tenth to first": seconds[-1] / seconds[0],
        "resident memory, last tenth to first": rss[-1] / rss[0],
        "traced memory, last tenth to first": kept[-1] / kept[0],
    }
    for words, ratio in results.items():
        print(f"  {words}: {ratio:.2f} (at most {LARGEST_RATIO})")
    if max(results.values()) > LARGEST_RATIO:
        sys.exit("monitor: cost or memory grows with the number of samples")


if __name__ == "__main__":
    main()
