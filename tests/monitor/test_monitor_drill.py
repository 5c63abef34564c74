"""The outage drill: exactly these changes of health, with reasons, at 5 s and at 1 s."""

from __future__ import annotations

import os
from typing import Any

import pytest
from monitor_drill import TROUBLES, run

DRILL = bool(os.environ.get("EVOLUTION_DRILL_SENDS"))
DEAD = "the server does not answer (ConnectionFailedError)"
SILENT = "the server does not answer (EvolutionTimeoutError)"
EXPECTED: dict[tuple[str, int], list[tuple[Any, ...]]] = {}


@pytest.mark.parametrize("trouble", list(TROUBLES))
@pytest.mark.parametrize(
    ("interval_s", "colour"),
    [
        (5, "sync"),
        *(
            pytest.param(*each, marks=pytest.mark.skipif(not DRILL, reason="make drill"))
            for each in ((5, "async"), (1, "sync"), (1, "async"))
        ),
    ],
)
async def test_an_outage_is_told_as_it_is(trouble: str, interval_s: int, colour: str) -> None:
    world, changes = await run(trouble, interval_s, colour)
    world.monitor.close(0)
    assert changes[0] == (1, "unknown", "healthy", ())
    assert changes[1:] == EXPECTED[trouble, interval_s]
