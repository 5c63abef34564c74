"""Made-up labelled series: the second judge of the anomaly detector, independent of any recording.

Each series is one kind of normal traffic (``BASES``) with up to two anomalies of one kind put into
it (``ANOMALIES``), at a place and of a size drawn from a seeded generator.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

DAY_S = 86_400.0
START_S = 1_700_006_400.0
Numbers = list[float]


@dataclass(frozen=True)
class Series:
    """Values at equal steps; ``events`` are the indices at which something abnormal begins."""

    name: str
    stamps: Numbers
    values: Numbers
    events: tuple[int, ...]
    half_window: int


@dataclass(frozen=True)
class Context:
    """What a generator may use: chance, length, and the time of day as a fraction of a day."""

    rng: random.Random
    count: int
    step_s: float

    def day(self, i: int) -> float:
        return (i * self.step_s / DAY_S) % 1.0

    def number(self, i: int) -> int:
        return int(i * self.step_s / DAY_S)


def poisson(rng: random.Random, mean: float) -> float:
    """A count; by the normal approximation above 30."""
    if mean > 30:
        return float(max(0, round(rng.gauss(mean, math.sqrt(mean)))))
    limit, k, product = math.exp(-mean), 0, rng.random()
    while product > limit:
        k += 1
        product *= rng.random()
    return float(k)


def gaussian(c: Context) -> Numbers:
    level, noise = c.rng.uniform(10, 100), c.rng.uniform(0.3, 5)
    return [c.rng.gauss(level, noise) for _ in range(c.count)]


def daily_sine(c: Context) -> Numbers:
    level, swing, noise = 50.0, c.rng.uniform(10, 40), c.rng.uniform(1, 5)
    return [
        level + swing * math.sin(math.tau * c.day(i)) + c.rng.gauss(0, noise)
        for i in range(c.count)
    ]


def business_hours(c: Context) -> Numbers:
    """Messages per step: two peaks a day, quiet nights and week-ends, counts."""
    peak = c.rng.uniform(20, 2_000)

    def mean(i: int) -> float:
        d = c.day(i)
        shape = math.exp(-(((d - 0.42) / 0.09) ** 2)) + 0.8 * math.exp(-(((d - 0.65) / 0.1) ** 2))
        return peak * (0.03 + shape) * (0.4 if c.number(i) % 7 >= 5 else 1.0)

    return [poisson(c.rng, mean(i)) for i in range(c.count)]


def day_and_night(c: Context) -> Numbers:
    """High by day, low by night, with a sharp edge: a machine that works office hours."""
    low, high, noise = 20.0, c.rng.uniform(60, 90), c.rng.uniform(0.5, 6)
    return [
        (high if 0.375 <= c.day(i) < 0.75 else low) + c.rng.uniform(-noise, noise)
        for i in range(c.count)
    ]


def bursty_counts(c: Context) -> Numbers:
    """Mentions per step: heavy-tailed counts over a mild daily rhythm."""
    mean, heavy = c.rng.uniform(3, 60), c.rng.uniform(0.3, 0.8)
    return [
        poisson(
            c.rng, mean * (1 + 0.5 * math.sin(math.tau * c.day(i))) * c.rng.lognormvariate(0, heavy)
        )
        for i in range(c.count)
    ]


def latency(c: Context) -> Numbers:
    typical, heavy = c.rng.uniform(20, 300), c.rng.uniform(0.1, 0.4)
    return [typical * c.rng.lognormvariate(0, heavy) for _ in range(c.count)]


def wandering(c: Context) -> Numbers:
    """A temperature: slowly reverting, each value near the one before."""
    values, x = [], 0.0
    for _ in range(c.count):
        x = 0.995 * x + c.rng.gauss(0, 0.3)
        values.append(70 + x + c.rng.gauss(0, 0.2))
    return values


def job_spikes(c: Context) -> Numbers:
    """Nearly idle with a job at the same minute every day."""
    idle, job = c.rng.uniform(0.05, 2), c.rng.uniform(5, 20)
    at = c.rng.random()
    width = c.step_s / DAY_S
    return [
        idle * (1 + 0.1 * c.rng.random()) + (idle * job if abs(c.day(i) - at) < width else 0.0)
        for i in range(c.count)
    ]


def on_off(c: Context) -> Numbers:
    """Zero most of the time, bursts of work at random."""
    values: Numbers = []
    busy = False
    for _ in range(c.count):
        busy = c.rng.random() < (0.6 if busy else 0.02)
        values.append(c.rng.gauss(80, 8) if busy else 0.0)
    return values


def plateaus(c: Context) -> Numbers:
    """Few distinct whole numbers: connections, queue lengths."""
    values, x = [], 5
    for _ in range(c.count):
        if c.rng.random() < 0.1:
            x = min(9, max(1, x + c.rng.choice((-1, 1))))
        values.append(float(x))
    return values


def growing(c: Context) -> Numbers:
    """A trend with noise that grows with the level."""
    rate = c.rng.uniform(0.2, 1.0) / c.count
    return [100 * math.exp(rate * i) * (1 + c.rng.gauss(0, 0.04)) for i in range(c.count)]


def utilisation(c: Context) -> Numbers:
    """A percentage near its ceiling."""
    return [min(100.0, 94 + c.rng.gauss(0, 3) - abs(c.rng.gauss(0, 1))) for _ in range(c.count)]


BASES: tuple[Callable[[Context], Numbers], ...] = (
    gaussian, daily_sine, business_hours, day_and_night, bursty_counts, latency,
    wandering, job_spikes, on_off, plateaus, growing, utilisation,
)  # fmt: skip


RHYTHMIC = (daily_sine, business_hours, day_and_night, bursty_counts)
STEPS_S = (300.0, 300.0, 300.0, 900.0, 1_800.0, 3_600.0)


def spread_of(values: Numbers) -> float:
    """Half of what the middle 90 % span, never zero: the size of an ordinary swing."""
    ordered = sorted(values)
    span = ordered[int(0.95 * len(ordered))] - ordered[int(0.05 * len(ordered))]
    return span / 2 or (ordered[-1] - ordered[0]) / 4 or 1.0


def spike(c: Context, v: Numbers, at: int) -> None:
    size = spread_of(v) * c.rng.uniform(2.5, 8)
    for i in range(at, at + c.rng.randint(1, 4)):
        v[i] += size


def dip(c: Context, v: Numbers, at: int) -> None:
    """An outage: everything falls to the floor for a while."""
    floor = min(v) - spread_of(v) * c.rng.choice((0.0, 0.5, 2.0))
    for i in range(at, min(len(v), at + c.rng.randint(6, 60))):
        v[i] = floor + 0.02 * (v[i] - floor)


def level(c: Context, v: Numbers, at: int) -> None:
    size = spread_of(v) * c.rng.uniform(1.5, 5) * c.rng.choice((-1, 1))
    for i in range(at, len(v)):
        v[i] += size


def plateau(c: Context, v: Numbers, at: int) -> None:
    """A level that comes back after some hours."""
    size = spread_of(v) * c.rng.uniform(1.5, 5)
    for i in range(at, min(len(v), at + c.rng.randint(30, 120))):
        v[i] += size


def wider(c: Context, v: Numbers, at: int) -> None:
    size = spread_of(v) * c.rng.uniform(1.0, 3)
    for i in range(at, min(len(v), at + c.rng.randint(40, 150))):
        v[i] += c.rng.gauss(0, size)


def frozen(c: Context, v: Numbers, at: int) -> None:
    """The sensor repeats its last value."""
    for i in range(at, min(len(v), at + c.rng.randint(60, 150))):
        v[i] = v[at]


def denser(c: Context, v: Numbers, at: int) -> None:
    """Large values, each seen before, come much more often than they used to."""
    high = sorted(v)[int(0.99 * len(v))]
    for i in range(at, min(len(v), at + c.rng.randint(40, 120))):
        if c.rng.random() < 0.5:
            v[i] = high * c.rng.uniform(0.95, 1.0)


def offbeat(c: Context, v: Numbers, at: int) -> None:
    """The rhythm of the day is off: most of a day looks like half a day earlier."""
    half = int(DAY_S / c.step_s / 2)
    stop = min(len(v), at + int(1.5 * half))
    v[at:stop] = (
        v[at - half : stop - half] if stop - half <= at else (v[at - half : at] * 2)[: stop - at]
    )


ANOMALIES: tuple[Callable[[Context, Numbers, int], None], ...] = (
    spike, dip, level, plateau, wider, frozen, denser, offbeat,
)  # fmt: skip


def holed(
    c: Context, stamps: Numbers, values: Numbers, events: list[int]
) -> tuple[Numbers, Numbers, list[int]]:
    """The same at uneven times: one value in twenty is lost, a few outages of some hours."""
    lost = {i for i in range(c.count) if c.rng.random() < 0.05}
    for _ in range(3):
        at = c.rng.randrange(c.count)
        lost.update(range(at, at + c.rng.randint(5, 40)))
    kept = [i for i in range(c.count) if i not in lost]
    place = [sum(i < e for i in kept) for e in events]
    late = [stamps[i] + c.rng.uniform(0, 0.4) * c.step_s for i in kept]
    return [float(int(t)) for t in late], [values[i] for i in kept], place


def series(seed: int = 1, per_pair: int = 1) -> Iterator[Series]:
    """Every kind of anomaly in every kind of traffic, and each traffic once without any."""
    for base in BASES:
        for anomaly in (*ANOMALIES, None):
            for copy in range(per_pair):
                if anomaly is offbeat and base not in RHYTHMIC:
                    continue
                name = f"{base.__name__}/{anomaly.__name__ if anomaly else 'none'}/{copy}"
                rng = random.Random(f"{seed}/{name}")
                c = Context(
                    rng,
                    int(math.exp(rng.uniform(math.log(1_600), math.log(9_000)))),
                    rng.choice(STEPS_S),
                )
                values, events = base(c), []
                if anomaly is not None:
                    events = [int(rng.uniform(0.3, 0.55) * c.count)]
                    if rng.random() < 0.5:
                        events.append(events[0] + int(rng.uniform(0.2, 0.35) * c.count))
                    for at in events:
                        anomaly(c, values, at)
                stamps = [START_S + i * c.step_s for i in range(c.count)]
                if rng.random() < 0.25:
                    stamps, values, events = holed(c, stamps, values, events)
                half = len(values) // (20 * len(events)) if events else 0
                yield Series(name, stamps, values, tuple(events), half)
