"""Made-up series of kinds that no recording of servers has: climate, roads, prices, rides, keys.

Every number is drawn from a seed: level, noise, rhythm, length, sampling period, and where and how
large the anomalies are. ``labelled`` gives windows as the benchmark has them: a tenth of a series,
shared by its anomalies.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator

from anomaly_score import Labelled
from anomaly_series import DAY_S, START_S, Context, Numbers, poisson
from anomaly_series import series as pairs

WEEK_S = 7 * DAY_S
Made = tuple[Numbers, list[int]]


def places(c: Context, most: int = 3) -> list[int]:
    """Where anomalies begin: one to three, after probation and far apart."""
    number = c.rng.randint(1, most)
    room = 0.72 / number
    return [int(c.count * (0.2 + room * (k + c.rng.uniform(0.05, 0.75)))) for k in range(number)]


def hours(c: Context, least: float, most: float) -> int:
    """A duration in values, at least two."""
    return max(2, int(c.rng.uniform(least, most) * 3_600 / c.step_s))


def wander(c: Context, memory: float, spread: float) -> Iterator[float]:
    """A slowly reverting walk of that spread."""
    keep = math.exp(-1 / memory)
    x = c.rng.gauss(0, spread)
    while True:
        yield x
        x = keep * x + c.rng.gauss(0, spread * math.sqrt(1 - keep * keep))


def week(c: Context, i: int) -> float:
    """Usual activity of this hour of the week, 0 to 1."""
    day, weekend = c.day(i), c.number(i) % 7 >= 5
    peak = 0.85 + 0.15 * math.cos(math.tau * (day - 0.8))
    return (
        (0.15 + 0.85 * math.sin(math.pi * ((day + 0.8) % 1)) ** 2)
        * peak
        * (0.8 if weekend else 1.0)
    )


def room_temperature(c: Context) -> Made:
    """Drifts with the season, breathes with the day; heating or cooling fails."""
    walk, season = wander(c, 3 * 86_400 / c.step_s, c.rng.uniform(1, 2.5)), c.rng.uniform(0, 4)
    values = [
        70 + next(walk) + season * math.sin(math.tau * i / c.count)
        + c.rng.uniform(0.3, 1.0) * math.sin(math.tau * c.day(i)) + c.rng.gauss(0, 0.4)
        for i in range(c.count)
    ]  # fmt: skip
    events = places(c)
    for at in events:
        size, long = c.rng.choice((-1, 1)) * c.rng.uniform(5, 14), hours(c, 5, 40)
        for i in range(at, min(at + long, c.count)):
            values[i] += size * min(1.0, (i - at + 1) / 4)
    return values, events


def machine_temperature(c: Context) -> Made:
    """Hot while it works; shutdowns, and drifting before one."""
    walk = wander(c, 30 * 3_600 / c.step_s, c.rng.uniform(2, 6))
    values = [90 + next(walk) + c.rng.gauss(0, 0.8) for _ in range(c.count)]
    events = places(c)
    for at in events:
        long, depth = hours(c, 4, 30), c.rng.uniform(25, 70)
        for i in range(at, min(at + long, c.count)):
            part = (i - at) / long
            values[i] -= depth * min(1.0, 8 * part, 3 * (1 - part))
    return values, events


def rides(c: Context) -> Made:
    """Rides per half hour: days and weeks; holidays, storms and feasts."""
    high = c.rng.uniform(8_000, 30_000)
    walk = wander(c, WEEK_S / c.step_s, 0.06)
    values = [
        high * week(c, i) * math.exp(next(walk)) * (1 + c.rng.gauss(0, 0.05))
        for i in range(c.count)
    ]
    events = places(c, 4)
    for at in events:
        kind, long = c.rng.choice(("holiday", "storm", "feast")), hours(c, 12, 36)
        for i in range(at, min(at + long, c.count)):
            share = {"holiday": 0.55, "storm": 0.08, "feast": 1.0}[kind]
            values[i] *= share
            if kind == "feast" and (c.day(i) < 0.2 or c.day(i) > 0.95):
                values[i] += 0.8 * high
    return values, events


def occupancy(c: Context) -> Made:
    """Share of time a road sensor is covered: zeros at night, rush hours, jams."""

    def usual(i: int) -> float:
        d = c.day(i)
        rush = math.exp(-(((d - 0.33) / 0.05) ** 2)) + math.exp(-(((d - 0.72) / 0.06) ** 2))
        return 1.0 + 8 * week(c, i) + 6 * rush

    values = [
        0.0 if c.rng.random() < 0.15 else usual(i) * c.rng.lognormvariate(0, 0.4)
        for i in range(c.count)
    ]
    events = places(c)
    for at in events:
        for i in range(at, min(at + hours(c, 1, 4), c.count)):
            values[i] = min(100.0, values[i] + c.rng.uniform(18, 45))
    return values, events


def road_speed(c: Context) -> Made:
    """Speed on a road: steady, slower at rush hours; a crash stops everything."""
    values = [
        min(90.0, c.rng.gauss(70, 5) - (20 * c.rng.random() if abs(c.day(i) - 0.72) < 0.05 else 0))
        for i in range(c.count)
    ]
    events = places(c)
    for at in events:
        for i in range(at, min(at + hours(c, 1, 5), c.count)):
            values[i] = max(0.0, c.rng.gauss(18, 8))
    return values, events


def travel_time(c: Context) -> Made:
    """Skewed travel times with rush hours; a blocked road takes several times as long."""
    base, heavy = c.rng.uniform(60, 500), c.rng.uniform(0.25, 0.6)
    values = [
        base * (1 + 0.6 * week(c, i)) * c.rng.lognormvariate(0, heavy)
        + (base * c.rng.paretovariate(1.6) if c.rng.random() < 0.01 else 0)
        for i in range(c.count)
    ]
    events = places(c)
    for at in events:
        for i in range(at, min(at + hours(c, 0.5, 6), c.count)):
            values[i] *= c.rng.uniform(3, 9)
    return values, events


def click_price(c: Context) -> Made:
    """Price of a click: reverting, heavy-tailed; sudden spikes and dear days."""
    walk, heavy = wander(c, 24, c.rng.uniform(0.15, 0.4)), c.rng.uniform(0.1, 0.3)
    values = [
        0.1 * math.exp(next(walk)) * c.rng.lognormvariate(0, heavy)
        * (c.rng.paretovariate(2.2) if c.rng.random() < 0.03 else 1.0)
        for _ in range(c.count)
    ]  # fmt: skip
    events = places(c)
    for at in events:
        for i in range(at, min(at + c.rng.randint(1, 6), c.count)):
            values[i] += 0.1 * c.rng.uniform(4, 20)
    return values, events


def mentions(c: Context) -> Made:
    """Mentions per five minutes: bursts of all sizes over a rhythm; news multiplies them."""
    mean, heavy = c.rng.uniform(4, 40), c.rng.uniform(0.3, 0.9)
    walk = wander(c, 20, heavy)
    values = [
        poisson(c.rng, mean * (0.4 + week(c, i)) * math.exp(min(3.0, next(walk))))
        for i in range(c.count)
    ]
    events = places(c, 4)
    for at in events:
        size, fall = c.rng.uniform(8, 40) * mean, hours(c, 0.5, 4)
        for i in range(at, min(at + 5 * fall, c.count)):
            values[i] += poisson(c.rng, size * math.exp(-(i - at) / fall))
    return values, events


def key_hold(c: Context) -> Made:
    """How long keys are held: another person types."""
    base, heavy = c.rng.uniform(0.05, 0.2), c.rng.uniform(0.1, 0.35)
    values = [base * c.rng.lognormvariate(0, heavy) for _ in range(c.count)]
    events = places(c, 2)
    for at in events:
        factor, spread = c.rng.choice((0.5, 0.6, 1.7, 2.2)), c.rng.uniform(0.5, 2)
        for i in range(at, min(at + c.count // 20, c.count)):
            values[i] = base * factor * c.rng.lognormvariate(0, spread * heavy)
    return values, events


def logins(c: Context) -> Made:
    """Logins per step: office hours; somebody tries passwords, or nobody comes in."""
    mean = c.rng.uniform(2, 25)
    values = [poisson(c.rng, mean * week(c, i) ** 2) for i in range(c.count)]
    events = places(c)
    for at in events:
        attack, long = c.rng.random() < 0.6, hours(c, 2, 12)
        for i in range(at, min(at + long, c.count)):
            values[i] = values[i] + poisson(c.rng, 2.5 * mean) if attack else 0.0
    return values, events


def sensor(c: Context) -> Made:
    """A sensor with autocorrelated noise that freezes, or whose noise changes."""
    walk, noise = wander(c, 60, 1.0), c.rng.uniform(0.1, 0.5)
    values = [20 + next(walk) + c.rng.gauss(0, noise) for _ in range(c.count)]
    events = places(c)
    for at in events:
        frozen, long = c.rng.random() < 0.5, c.rng.randint(40, 150)
        for i in range(at, min(at + long, c.count)):
            values[i] = values[at] if frozen else values[i] + c.rng.gauss(0, 6 * noise)
    return values, events


def steps(c: Context) -> Made:
    """Machines in a group: steps by plan of one or two; a doubling is none."""
    values, x = [], float(c.rng.randint(8, 20))
    for _ in range(c.count):
        if c.rng.random() < 0.004:
            x = max(5.0, min(25.0, x + c.rng.choice((-2, -1, 1, 2))))
        values.append(x + (c.rng.choice((-1, 1)) if c.rng.random() < 0.02 else 0))
    events = places(c, 2)
    for at in events:
        for i in range(at, min(at + hours(c, 3, 30), c.count)):
            values[i] *= c.rng.choice((0.1, 2.2)) if i == at else values[i - 1] / values[i]
    return values, events


KINDS: tuple[Callable[[Context], Made], ...] = (
    room_temperature, machine_temperature, rides, occupancy, road_speed, travel_time,
    click_price, mentions, key_hold, logins, sensor, steps,
)  # fmt: skip

STEPS_S = {
    room_temperature: (3_600.0,),
    machine_temperature: (300.0,),
    rides: (1_800.0,),
    click_price: (3_600.0,),
    mentions: (300.0,),
    key_hold: (300.0, 1_800.0),
}
LENGTHS = {machine_temperature: (15_000, 20_000), rides: (8_000, 11_000), mentions: (9_000, 16_000)}


ROADS = (occupancy, road_speed, travel_time)


def uneven(c: Context) -> Numbers:
    """Times of a road sensor: it tells every few minutes, skips at times, and some nights."""
    stamps, now = [], START_S
    for _ in range(c.count):
        stamps.append(float(int(now)))
        now += c.step_s * (1 + (c.rng.expovariate(0.5) if c.rng.random() < 0.15 else 0.0))
        if c.rng.random() < 0.003:
            now += c.rng.uniform(1, 9) * 3_600
    return stamps


def windows(events: list[int] | tuple[int, ...], count: int) -> tuple[tuple[int, int], ...]:
    """A tenth of the series, shared by its anomalies, around the beginning of each."""
    if not events:
        return ()
    half = count // (20 * len(events))
    return tuple((max(0, e - half), min(count - 1, e + half)) for e in events)


def labelled(seed: int = 1, copies: int = 3) -> Iterator[Labelled]:
    """Several series of each kind.

    Args:
        seed: Of everything drawn.
        copies: Series per kind.
    """
    for kind in KINDS:
        for copy in range(copies):
            name = f"{kind.__name__}/{copy}"
            rng = random.Random(f"{seed}/{name}")
            least, most = LENGTHS.get(kind, (1_200, 6_000))
            count = int(math.exp(rng.uniform(math.log(least), math.log(most))))
            c = Context(rng, count, rng.choice(STEPS_S.get(kind, (300.0, 600.0, 1_800.0))))
            values, events = kind(c)
            stamps = [START_S + i * c.step_s for i in range(c.count)]
            if kind in ROADS:
                stamps, values = (
                    uneven(c),
                    [float(round(value, 2 * (kind is occupancy))) for value in values],
                )
            yield Labelled(name, stamps, values, windows(events, c.count))


def paired(seed: int = 1) -> Iterator[Labelled]:
    """The pairs of traffic and anomaly, with windows of the benchmark's width.

    Args:
        seed: Of everything drawn.
    """
    for one in pairs(seed):
        yield Labelled(one.name, one.stamps, one.values, windows(one.events, len(one.values)))
