"""Workers of Procrastinate that are killed, stopped or cut off: none lost, none doubled.

``make drill`` runs 2,000 messages and fifty kills.
"""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import outbox_drill as drill
import pytest
from other_machine import machine, relay

from effort import DEEP
from evolution_sdk import EvolutionClient
from evolution_sdk.outbox import Outbox, ProcrastinateEngine
from evolution_sdk.testing import FakeEvolution


@contextmanager
def handed_over(
    place: str, fake: FakeEvolution, load: drill.Load
) -> Generator[tuple[Outbox, drill.Workers]]:
    """All messages with their jobs, and processes to be started."""
    pytest.importorskip("procrastinate")
    with EvolutionClient(fake.url, "k", instance="sales") as client:
        outbox = Outbox(place, client=client, engine=ProcrastinateEngine())
        outbox.migrate()
        load.hand_over(outbox)
        workers = drill.Workers(place, fake.url, engine=True)
        try:
            yield outbox, workers
        finally:
            workers.end()
            outbox.close()


def test_killed_workers_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    load = drill.Load(drill.size(60, 2_000), drill.size(12, 60))
    kills = drill.size(6, 50)
    with drill.place("postgres", tmp_path) as place, drill.server("2.3.7") as fake:
        drill.lossy(fake)
        with handed_over(place, fake, load) as (outbox, workers):
            drill.kill_until_done(workers, outbox, kills, share=0.5)
            workers.end()
            rows = drill.every(outbox)
            found = drill.tally(fake, load, outbox)
            assert (found.lost, found.doubled, found.disordered) == (0, 0, 0)
            # An answer that could not be read leaves a message without an id: a lost one of equal
            # content beside it cannot be told from it.
            unsent = [one for one in rows if one.state.value != "sent"]
            assert len(unsent) <= max(1, load.many // 100), unsent
            assert all(one.state.value == "unknown" and one.reason for one in unsent)
            assert sum(workers.deaths.values()) >= kills * 0.5, workers.deaths
            assert any(one.found for one in rows)


def test_a_worker_that_is_told_to_stop_finishes_what_it_sends(tmp_path: Path) -> None:
    load = drill.Load(40, 10)
    with drill.place("postgres", tmp_path) as place, drill.server("2.3.7") as fake:
        fake.faults.add(drill.SEND, "delay", delay_ms=30)
        with handed_over(place, fake, load) as (outbox, workers):
            first = workers.start()
            while not fake.sent:
                _rest(first)
            first.send_signal(signal.SIGTERM)
            assert first.wait(60) == 0
            workers.running.remove(first)
            _closed(first)
            # Nothing is left in the middle, so that the next ones go on without a look.
            assert set(outbox.counts()) <= {"sent", "queued"}
            workers.start()
            drill.kill_until_done(workers, outbox, 0, processes=0)
            assert drill.tally(fake, load, outbox) == drill.Tally(0, 0, 0, 0)
            assert not any(one.found for one in drill.every(outbox))


def _rest(process: subprocess.Popen[Any]) -> None:
    try:
        process.wait(0.01)
    except subprocess.TimeoutExpired:
        return
    raise AssertionError("the worker has ended by itself")


def _closed(process: subprocess.Popen[Any]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


@DEEP
def test_a_machine_that_is_cut_off_while_it_sends_is_replaced(tmp_path: Path) -> None:
    load = drill.Load(drill.size(30, 300), 10)
    more = drill.Load(10, 5, prefix="again")
    with (
        machine() as far,
        drill.place("postgres", tmp_path) as place,
        drill.server("2.3.7") as fake,
        relay(far.here, 5432) as database,
        relay(far.here, urlsplit(fake.url).port or 0) as server,
    ):
        fake.faults.add(drill.SEND, "delay", delay_ms=100)
        with handed_over(place, fake, load) as (outbox, near):
            away = drill.Workers(
                place.replace("127.0.0.1:5432", f"{far.here}:{database}"),
                f"http://{far.here}:{server}",
                engine=True,
                prefix=far.prefix,
            )
            try:
                process = away.start()
                while len(fake.sent) < 3:
                    _rest(process)
                far.cut()
                near.start()
                near.start()
                drill.kill_until_done(near, outbox, 0, processes=0)
                assert drill.tally(fake, load, outbox) == drill.Tally(0, 0, 0, 0)
                assert process.poll() is None, "the one that was cut off must live"
                near.end()
                far.plug()
                # It comes back by itself, and works on; what others did is not done again.
                more.hand_over(outbox)
                drill.kill_until_done(away, outbox, 0, processes=0)
            finally:
                away.end()
            assert drill.tally(fake, load.and_(more), outbox) == drill.Tally(0, 0, 0, 0)
