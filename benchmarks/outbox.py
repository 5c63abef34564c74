"""The outbox beside what it stands on: bare SQL for the hand-over, the bare client for delivery.

What is compared, in one run, taking turns:

* ``hand-over``: ``outbox.messages.send_text`` against ``BEGIN``, ``INSERT`` of the same row, and
  ``COMMIT`` by sqlite3 or psycopg alone: into the outbox's own table with all of its indexes, in
  the same file or schema, with the same durability (SQLite: WAL and ``synchronous=FULL``). The
  values of the bare row are made beforehand; ours are checked, composed and written down.
* ``put_many``: 1,000 drafts in one transaction against ``executemany`` of the same rows. The drafts
  are made beforehand, as the rows are.
* ``delivery``: messages per second from the first claim to the last one written down as sent,
  against ``client.messages.send_text`` of the same client with as many threads or tasks as the
  outbox has workers. The server is our fake one, in a process of its own; ``static`` answers with
  one fixed text, so that nothing but the client is measured (for information).
* ``memory``: resident size of a worker process that has delivered from a long queue, against one
  that delivered from a short one.
* ``claim``: time of one visit that writes down an end and claims the next message, by the number of
  rows that wait.

PostgreSQL is ``EVOLUTION_BENCH_POSTGRES``, else the one of this machine; without one its rows are
left out. Usage: ``python benchmarks/outbox.py [--quick] [part …]``. Exits with 1 when a target is
missed.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server import running_server

from evolution_sdk import AsyncEvolutionClient, EvolutionClient
from evolution_sdk.outbox import AsyncOutbox, Outbox, OutboxDraft
from evolution_sdk.outbox.claims import Claim
from evolution_sdk.outbox.records import OutboxState
from evolution_sdk.outbox.settling import Done
from evolution_sdk.outbox.store import OutboxStore, Turn
from evolution_sdk.outbox.workers import Worker

POSTGRES = os.environ.get("EVOLUTION_BENCH_POSTGRES", "postgresql://postgres@127.0.0.1:5432/test")
KEY, INSTANCE, TEXT = "benchmark-key", "bench", "some words of a usual length, as people write them"
WORKERS = 8
INSERT = (
    "INSERT INTO evolution_outbox (key, instance, chat, recipient, operation, payload, file, "
    "metadata, priority, on_unknown, not_before, expires_at, due_at, created_at, state) "
    f"VALUES ({', '.join(['?'] * 14)}, 'queued')"
)
GROWN = 2.0
FLAT = 1.25
FILL = 20_000


@dataclass(frozen=True)
class Plan:
    """How much to measure."""

    rounds: int
    puts: int
    sends: int
    sizes: tuple[int, ...]


@dataclass(frozen=True)
class Figure:
    """One line of the result: a ratio that must be at least, or at most, its target."""

    name: str
    bare: float
    ours: float
    unit: str
    ratio: float
    least: float | None = None
    most: float | None = None

    @property
    def missed(self) -> bool:
        return (self.least is not None and self.ratio < self.least) or (
            self.most is not None and self.ratio > self.most
        )

    def show(self) -> None:
        target = "" if self.least is None else f"target ≥ {self.least}"
        target = f"target ≤ {self.most}" if self.most is not None else target
        verdict = f"{'MISSED' if self.missed else 'ok'} ({target})" if target else ""
        print(
            f"{self.name:<36}{self.bare:>11,.1f}{self.ours:>11,.1f} {self.unit:<6}"
            f"{self.ratio:>7.2f}  {verdict}",
            flush=True,
        )


@contextmanager
def sqlite_place() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        yield str(Path(folder) / "outbox.db")


@contextmanager
def postgres_place() -> Iterator[str]:
    import psycopg

    name = f"bench_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(POSTGRES, autocommit=True) as admin:
        admin.execute(f"CREATE SCHEMA {name}")
        try:
            yield f"{POSTGRES}?options=-csearch_path%3D{name}"
        finally:
            admin.execute(f"DROP SCHEMA {name} CASCADE")


PLACES = {"sqlite": sqlite_place, "postgres": postgres_place}


@contextmanager
def fake_server() -> Iterator[str]:
    """The fake server in a process of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    options = ["--port", str(port), "--api-key", KEY, "--instance", INSTANCE]
    process = subprocess.Popen(
        [sys.executable, "-m", "evolution_sdk", "fake-server", *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(500):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def number(index: int) -> str:
    return f"5511{900_000_000 + index % 1_000}"


def drafts(outbox: Outbox, many: int, name: str) -> list[OutboxDraft]:
    make = outbox.drafts.send_text
    return [make(number(index), TEXT, key=f"{name}-{index}") for index in range(many)]


class Bare:
    """The database's driver alone, with the outbox's settings."""

    def __init__(self, place: str) -> None:
        self._sqlite = not place.startswith("postgres")
        if self._sqlite:
            self._db: Any = sqlite3.connect(place, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._sql = INSERT
        else:
            import psycopg

            self._db = psycopg.connect(place, autocommit=True)
            self._sql = INSERT.replace("?", "%s")

    def put(self, rows: list[tuple[Any, ...]]) -> None:
        for row in rows:
            self._db.execute("BEGIN IMMEDIATE" if self._sqlite else "BEGIN")
            self._db.execute(self._sql, row)
            self._db.execute("COMMIT")

    def put_many(self, rows: list[tuple[Any, ...]]) -> None:
        self._db.execute("BEGIN IMMEDIATE" if self._sqlite else "BEGIN")
        self._db.cursor().executemany(self._sql, rows)
        self._db.execute("COMMIT")

    def close(self) -> None:
        self._db.close()


def timed(work: Callable[[], object]) -> float:
    gc.collect()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def hand_over(store: str, plan: Plan) -> Iterator[Figure]:
    now = round(time.time() * 1_000)
    with ExitStack() as stack:
        place = stack.enter_context(PLACES[store]())
        client = stack.enter_context(EvolutionClient("http://127.0.0.1:9", KEY, instance=INSTANCE))
        outbox = Outbox(place, client=client)
        stack.callback(outbox.close)
        outbox.migrate()
        bare = Bare(place)
        stack.callback(bare.close)

        def ours(name: str, many: int) -> None:
            for index in range(many):
                outbox.messages.send_text(number(index), TEXT, key=f"{name}-{index}")

        rows = [one.values(now) for one in drafts(outbox, 50, "warm-bare")]
        bare.put(rows)
        ours("warm-ours", 50)
        times: list[tuple[float, float]] = []
        for each in range(plan.rounds):
            name = f"one-{each}"
            rows = [one.values(now) for one in drafts(outbox, plan.puts, f"bare-{name}")]
            todo = [
                lambda rows=rows: bare.put(rows),
                lambda name=name: ours(name, plan.puts),
            ]
            took = [0.0, 0.0]
            for which in (0, 1) if each % 2 else (1, 0):
                took[which] = timed(todo[which])
            times.append((took[0], took[1]))
        yield per_piece(f"hand-over {store}", times, plan.puts)
        times = []
        for each in range(plan.rounds):
            many = drafts(outbox, 1_000, f"many-{each}")
            rows = [one.values(now) for one in drafts(outbox, 1_000, f"bare-many-{each}")]
            todo = [
                lambda rows=rows: bare.put_many(rows),
                lambda many=many: outbox.put_many(many),
            ]
            took = [0.0, 0.0]
            for which in (0, 1) if each % 2 else (1, 0):
                took[which] = timed(todo[which])
            times.append((took[0], took[1]))
        yield per_piece(f"put_many {store}", times, 1_000)


def per_piece(name: str, times: list[tuple[float, float]], many: int) -> Figure:
    """Microseconds for each row: medians, and the median of the rounds' ratios."""
    bare, ours = (statistics.median(one) / many * 1e6 for one in zip(*times, strict=True))
    ratio = statistics.median(a / b for a, b in times)
    return Figure(name, bare, ours, "us", ratio, least=0.5)


def sync_bare(client: EvolutionClient, many: int) -> float:
    left, lock = iter(range(many)), threading.Lock()

    def work() -> None:
        while True:
            with lock:
                index = next(left, None)
            if index is None:
                return
            client.messages.send_text(number(index), TEXT)

    threads = [threading.Thread(target=work) for _ in range(WORKERS)]

    def all_of_them() -> None:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return many / timed(all_of_them)


def sync_outbox(client: EvolutionClient, store: str, many: int) -> float:
    with PLACES[store]() as place:
        outbox = Outbox(place, client=client, workers=WORKERS)
        outbox.migrate()
        outbox.put_many(drafts(outbox, many, "d"))
        left, done = [many], threading.Event()

        def count(_: object) -> None:
            left[0] -= 1
            if not left[0]:
                done.set()

        outbox.on("sent", count)

        def run() -> None:
            outbox.start()
            done.wait(600)

        took = timed(run)
        states = outbox.counts()
        outbox.close()
    assert states == {"sent": many}, states
    return many / took


async def async_bare(client: AsyncEvolutionClient, many: int) -> float:
    left = iter(range(many))

    async def work() -> None:
        for index in left:
            await client.messages.send_text(number(index), TEXT)

    start = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(WORKERS)))
    return many / (time.perf_counter() - start)


async def async_outbox(client: AsyncEvolutionClient, store: str, many: int) -> float:
    with PLACES[store]() as place:
        outbox = AsyncOutbox(place, client=client, workers=WORKERS)
        await outbox.migrate()
        make = outbox.drafts.send_text
        await outbox.put_many([await make(number(at), TEXT, key=f"d-{at}") for at in range(many)])
        left, done = [many], asyncio.Event()

        def count(_: object) -> None:
            left[0] -= 1
            if not left[0]:
                done.set()

        outbox.on("sent", count)
        gc.collect()
        start = time.perf_counter()
        await outbox.start()
        await asyncio.wait_for(done.wait(), 600)
        took = time.perf_counter() - start
        states = await outbox.counts()
        await outbox.close()
    assert states == {"sent": many}, states
    return many / took


def deliver(store: str, plan: Plan) -> Iterator[Figure]:
    for server, least in ((fake_server, 0.5), (running_server, None)):
        word = "static" if least is None else "fake"
        with server() as url:
            with EvolutionClient(url, KEY, instance=INSTANCE) as client:
                sync_bare(client, 200)
                pair = (sync_bare(client, plan.sends), sync_outbox(client, store, plan.sends))
            yield rates(f"delivery {store} sync, {word}", *pair, least)

            async def both(url: str = url) -> tuple[float, float]:
                async with AsyncEvolutionClient(url, KEY, instance=INSTANCE) as client:
                    await async_bare(client, 200)
                    bare = await async_bare(client, plan.sends)
                    return bare, await async_outbox(client, store, plan.sends)

            yield rates(f"delivery {store} async, {word}", *asyncio.run(both()), least)


def rates(name: str, bare: float, ours: float, least: float | None) -> Figure:
    return Figure(name, bare, ours, "/s", ours / bare, least=least)


def fill(store: OutboxStore, begin: int, end: int) -> None:
    """Add rows like the first one: half of them in the lines of their chats, half new."""
    for first in range(begin, end, FILL):
        fill_some(store, first, min(first + FILL, end))


def fill_some(store: OutboxStore, begin: int, end: int) -> None:
    series = (
        "WITH RECURSIVE n(i) AS (SELECT CAST(? AS BIGINT) UNION ALL "
        "SELECT i + 1 FROM n WHERE i + 1 < CAST(? AS BIGINT)) "
    )
    chat = "'5521' || (900000000 + n.i) || '@s.whatsapp.net'"
    same = "m.operation, m.payload, m.priority, m.on_unknown, 0, m.created_at, 'queued'"
    with store.writing() as (session, _):
        session.run(
            "INSERT INTO evolution_outbox (key, instance, chat, recipient, operation, payload, "
            f"priority, on_unknown, due_at, created_at, state, lined_up) {series}"
            f"SELECT 'fill-' || n.i, m.instance, {chat}, m.recipient, {same}, n.i % 2 "
            "FROM n, evolution_outbox AS m WHERE m.key = 'first'",
            (begin, end),
        )
        session.run(
            "INSERT INTO evolution_outbox_instance (instance) VALUES (?) ON CONFLICT DO NOTHING",
            (INSTANCE,),
        )
        session.run(
            "INSERT INTO evolution_outbox_chat (instance, chat, head, priority, state, ready_at) "
            f"{series} SELECT m.instance, m.chat, m.id, m.priority, 'ready', 0 "
            "FROM n, evolution_outbox AS m WHERE m.key = 'fill-' || n.i AND m.lined_up = 1",
            (begin, end),
        )


def visits(store: OutboxStore, many: int) -> float:
    """Median time of a visit, in microseconds."""
    worker = Worker.new(store.new_slots(), 60_000)
    store.enlist(worker)
    took: list[float] = []
    endings: list[tuple[Claim, Done]] = []
    for _ in range(many):
        start = time.perf_counter()
        turn = store.visit(worker, Turn(endings=endings, want=1), lambda *_: None)
        took.append(time.perf_counter() - start)
        endings = [
            (one, Done(OutboxState.SENT, message_id=uuid.uuid4().hex)) for one in turn.claims
        ]
    store.visit(worker, Turn(endings=endings), lambda *_: None)
    store.leave(worker)
    return statistics.median(took) * 1e6


def grow(store: str, plan: Plan) -> Iterator[Figure]:
    """Claims and memory at growing queues."""
    with ExitStack() as stack:
        place = stack.enter_context(PLACES[store]())
        url = stack.enter_context(running_server())
        client = stack.enter_context(EvolutionClient(url, KEY, instance=INSTANCE))
        outbox = Outbox(place, client=client)
        stack.callback(outbox.close)
        outbox.migrate()
        outbox.messages.send_text(number(0), TEXT, key="first", metadata={})
        kept = OutboxStore(place, curve=lambda _: 1_000.0)
        stack.callback(kept.close)
        first_us = first_mb = 0.0
        before = 1
        for size in plan.sizes:
            fill(kept, before, size)
            before = size
            us = visits(kept, 300)
            mb = memory_of(place, url)
            first_us, first_mb = first_us or us, first_mb or mb
            yield Figure(
                f"claim {store}, {size:,} rows", first_us, us, "us", us / first_us, most=GROWN
            )
            yield Figure(
                f"memory {store}, {size:,} rows", first_mb, mb, "MB", mb / first_mb, most=FLAT
            )


def memory_of(place: str, url: str) -> float:
    """Resident megabytes of a worker process after it has delivered some messages."""
    command = [sys.executable, __file__, "--worker", place, url]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout)


def work(place: str, url: str) -> None:
    """Be that process."""
    import psutil

    left, done = [300], threading.Event()

    def count(_: object) -> None:
        left[0] -= 1
        if not left[0]:
            done.set()

    with EvolutionClient(url, KEY, instance=INSTANCE) as client:
        outbox = Outbox(place, client=client, workers=4)
        outbox.on("sent", count)
        outbox.start()
        assert done.wait(120)
        print(psutil.Process().memory_info().rss / 1e6)
        outbox.close()


PARTS: dict[str, Callable[[str, Plan], Iterator[Figure]]] = {
    "handover": hand_over,
    "delivery": deliver,
    "growth": grow,
}


def stores() -> list[str]:
    try:
        import psycopg

        psycopg.connect(POSTGRES, connect_timeout=2).close()
    except Exception as error:
        print(f"without PostgreSQL: {type(error).__name__}")
        return ["sqlite"]
    return ["sqlite", "postgres"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a short, rougher run")
    parser.add_argument("--store", choices=list(PLACES), help="only this one")
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("part", nargs="*", help=f"of {', '.join(PARTS)}; default: all")
    asked = parser.parse_args()
    if asked.worker:
        work(*asked.worker)
        return 0
    plan = (
        Plan(3, 300, 2_000, (1_000, 20_000))
        if asked.quick
        else Plan(5, 1_000, 10_000, (10_000, 100_000, 1_000_000))
    )
    print(f"{'what':<36}{'bare':>11}{'ours':>11} {'':<6}{'ratio':>7}")
    missed = total = 0
    for store in [asked.store] if asked.store else stores():
        for name in asked.part or PARTS:
            for figure in PARTS[name](store, plan):
                figure.show()
                total += 1
                missed += figure.missed
    print(f"{missed} of {total} miss their target" if missed else "all targets met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
