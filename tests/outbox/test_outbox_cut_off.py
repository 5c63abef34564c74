"""Workers that are frozen, or cut off from the database, while they send: nothing is doubled."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import outbox_drill as drill
import pytest

from effort import combined, deep
from evolution_sdk import EvolutionClient, EvolutionConfig
from evolution_sdk.outbox import Outbox
from waiting import until


class Wire:
    """Passes bytes to PostgreSQL, until it is cut; then they stay where they are."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.passes = threading.Event()
        self.passes.set()
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._server.accept()
                far = socket.create_connection(("127.0.0.1", 5432))
                self._ends += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._pass, args=(one, other), daemon=True).start()

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65_536):
                self.passes.wait()
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self.passes.set()
        for one in (self._server, *self._ends):
            # A socket that a thread still reads is not ended by close alone, and PostgreSQL would
            # keep what its transaction has locked, for half a minute.
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@contextmanager
def wire() -> Iterator[Wire]:
    made = Wire()
    try:
        yield made
    finally:
        made.close()


@pytest.mark.parametrize("cut_s", [0.5, deep(5.0)], ids=["shorter", "longer"])
def test_cut_off_from_the_database_while_sending(cut_s: float, tmp_path: Path) -> None:
    load = drill.Load(30, 10)
    with (
        drill.place("postgres", tmp_path) as place,
        drill.server("2.3.7") as fake,
        wire() as line,
    ):
        fake.faults.add(drill.SEND, "delay", delay_ms=30)
        with drill.observed(place, fake.url) as outbox:
            load.hand_over(outbox)
            near = drill.Workers(place, fake.url)
            far = drill.Workers(place.replace(":5432", f":{line.port}"), fake.url)
            try:
                far.start()
                until(lambda: len(fake.sent) >= 3)
                line.passes.clear()
                near.start()
                time.sleep(cut_s)
                line.passes.set()
                drill.work_until_done(outbox)
                time.sleep(0.5)  # what the one that was cut off might still do
            finally:
                near.end()
                far.end()
            assert drill.tally(fake, load, outbox) == drill.Tally(0, 0, 0, 0)


def test_connections_that_the_database_ends_while_messages_are_sent(tmp_path: Path) -> None:
    import psycopg

    load = drill.Load(drill.size(60, 600), 10)
    with drill.place("postgres", tmp_path) as place, drill.server("2.3.7") as fake:
        fake.faults.add(drill.SEND, "delay", delay_ms=10)
        with drill.observed(place, fake.url) as outbox:
            load.hand_over(outbox)
            workers = drill.Workers(f"{place}&application_name={place[-12:]}", fake.url)
            try:
                workers.start()
                workers.start()
                with psycopg.connect(drill.POSTGRES, autocommit=True) as admin:
                    for _ in range(drill.size(15, 60)):
                        admin.execute(
                            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                            "WHERE application_name = %s",
                            (place[-12:],),
                        )
                        time.sleep(0.1)
                drill.work_until_done(outbox)
            finally:
                workers.end()
            assert drill.tally(fake, load, outbox) == drill.Tally(0, 0, 0, 0)


POINTS = ("before", "during", "commit", "after", "look")
# Each takes as long as a lease, on PostgreSQL twice that.
EVERYDAY = {("sqlite", "during"), ("sqlite", "look"), ("postgres", "commit")}


@pytest.mark.parametrize(("store", "point"), combined(EVERYDAY, ("sqlite", "postgres"), POINTS))
def test_frozen_for_longer_than_its_lease(store: str, point: str, tmp_path: Path) -> None:
    load = drill.Load(30, 10)
    with drill.place(store, tmp_path) as place, drill.server("2.3.7") as fake:
        if point == "look":
            fake.faults.add(drill.SEND, "answer_then_drop", count=6)
        fake.faults.add(drill.SEND, "delay", delay_ms=20)
        with drill.observed(place, fake.url) as outbox:
            load.hand_over(outbox)
            workers = drill.Workers(place, fake.url)
            try:
                frozen = workers.start(point=point, act="freeze", **{"pass": 2})
                assert frozen.stdout is not None
                while "at " not in (line := frozen.stdout.readline()):
                    assert line, "ended before it froze"
                workers.start()
                if store == "postgres":
                    time.sleep(3.5)
                else:
                    time.sleep(1.5)
                frozen.send_signal(signal.SIGCONT)
                drill.work_until_done(outbox)
            finally:
                workers.end()
            assert drill.tally(fake, load, outbox) == drill.Tally(0, 0, 0, 0)


def test_machines_whose_clocks_are_a_minute_apart(tmp_path: Path) -> None:
    load = drill.Load(drill.size(60, 600), drill.size(15, 40))
    with drill.place("postgres", tmp_path) as place, drill.server("2.3.7") as fake:
        drill.lossy(fake)
        with drill.observed(place, fake.url) as outbox:
            load.hand_over(outbox)
            workers = drill.Workers(place, fake.url)
            try:
                ahead = workers.start(clock_s=30.0, point="during", **{"pass": 5})
                workers.start(clock_s=-30.0)
                until(lambda: ahead.poll() is not None)
                drill.work_until_done(outbox)
            finally:
                workers.end()
            assert drill.tally(fake, load, outbox) == drill.Tally(0, 0, 0, 0)


@pytest.mark.parametrize("step_s", [deep(3_600.0), -3_600.0])
def test_a_clock_that_is_set_during_a_send(step_s: float, tmp_path: Path) -> None:
    class Clock:
        step = 0.0

        def time(self) -> float:
            return time.time() + self.step

        def monotonic(self) -> float:
            return time.monotonic()

    clock, load = Clock(), drill.Load(30, 10)
    with drill.place("sqlite", tmp_path) as place, drill.server("2.3.7") as fake:
        # The server's clock is hours off besides.
        fake.clock.advance(5 * 3_600_000)
        drill.lossy(fake)
        config = EvolutionConfig(base_url=fake.url, api_key="k", instance="sales", **drill.SETTINGS)
        with EvolutionClient(config=config, clock=clock) as one:
            outbox = Outbox(place, client=one, poll_ms=20)
            load.hand_over(outbox)
            with outbox:
                until(lambda: len(fake.sent) > 6)
                clock.step = step_s
                drill.work_until_done(outbox)
            assert drill.tally(fake, load, outbox) == drill.Tally(0, 0, 0, 0)
            outbox.close()
