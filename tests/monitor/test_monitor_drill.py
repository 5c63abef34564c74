"""The outage drill: exactly these changes of health, with reasons, at 5 s and at 1 s."""

from __future__ import annotations

from typing import Any

import pytest
from monitor_drill import TROUBLES, run

from effort import deep

DEAD = "the server does not answer (ConnectionFailedError)"
SILENT = "the server does not answer (EvolutionTimeoutError)"
UNLOADED = "instance sales: the server has not loaded it: no state is told"
CLOSED = "instance sales: it is closed: WhatsApp is not connected"
STALLS = "5 % of responses take 1802 ms or longer"


def mean(ms: int) -> str:
    return f"responses take {ms} ms on average"


def down(at: int, *reasons: str, was: str = "healthy", now: str = "unhealthy") -> tuple[Any, ...]:
    return (at, was, now, reasons)


def up(at: int, was: str = "unhealthy", now: str = "healthy") -> tuple[Any, ...]:
    return (at, was, now, ())


# Seconds since the trouble began; it is over after 60, the restart after 20, the stalls after 25.
EXPECTED: dict[tuple[str, int], list[tuple[Any, ...]]] = {
    ("kill", 5): [down(1, DEAD), up(65)],
    ("kill", 1): [down(1, DEAD), up(62)],
    ("stop", 5): [down(14, SILENT), up(91)],
    ("stop", 1): [down(14, SILENT), up(64)],
    ("restart", 5): [
        down(1, DEAD), (20, "unhealthy", "unknown", (UNLOADED,)), up(50, was="unknown"),
    ],
    ("restart", 1): [
        down(1, DEAD), (12, "unhealthy", "unknown", (UNLOADED,)), up(26, was="unknown"),
    ],
    ("logout", 5): [down(1, CLOSED), up(65)],
    ("logout", 1): [down(1, CLOSED), up(62)],
    ("slow GET /", 5): [],
    ("slow GET /", 1): [],
    ("stalls", 5): [down(18, STALLS, now="degraded"), up(105, was="degraded")],
    ("stalls", 1): [down(14, STALLS, now="degraded"), up(81, was="degraded")],
    ("slow everything", 5): [
        down(18, STALLS, now="degraded"),
        down(52, mean(1440), STALLS, was="degraded"),
        (103, "unhealthy", "degraded", (STALLS,)),
        up(138, was="degraded"),
    ],
    ("slow everything", 1): [
        down(14, STALLS, now="degraded"),
        down(49, mean(1040), STALLS, was="degraded"),
        (77, "unhealthy", "degraded", (mean(753), STALLS)),
        up(116, was="degraded"),
    ],
    ("35 % errors", 5): [
        down(
            55, "27 of 118 requests failed", "instance sales: the server did not tell its state",
            now="degraded",
        ),
        up(105, was="degraded"),
    ],
    ("35 % errors", 1): [
        down(42, "24 of 112 requests failed", now="degraded"), up(96, was="degraded"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("trouble", list(TROUBLES))
@pytest.mark.parametrize(
    ("interval_s", "colour"),
    [
        (5, "sync"),
        *(deep(*each) for each in ((5, "async"), (1, "sync"), (1, "async"))),
    ],
)
async def test_an_outage_is_told_as_it_is(trouble: str, interval_s: int, colour: str) -> None:
    world, changes = await run(trouble, interval_s, colour)
    world.monitor.close(0)
    assert changes[0] == (1, "unknown", "healthy", ())
    assert changes[1:] == EXPECTED[trouble, interval_s]
