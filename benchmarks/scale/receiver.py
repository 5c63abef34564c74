"""Receivers: CPU beside a bare endpoint, commits of a group, a full inbox, a shared file."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import closing
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import psutil
from rows import Row

from evolution_sdk.events import EventRouter, MessagesUpsert
from evolution_sdk.webhooks import SqliteInbox, WebhookReceiver
from evolution_sdk.webhooks.inbox import InboxBatch, InboxEntry

BODY = b"x" * 400


def measure(*, quick: bool) -> Iterable[Row]:
    """Measure all of it; the targets are those of issue 15."""
    yield from _beside_bare(quick=quick)
    yield from _commits(quick=quick)
    yield from _full_inbox(quick=quick)
    yield from _shared_file(quick=quick)


def _beside_bare(*, quick: bool) -> Iterable[Row]:
    """CPU of a server process for an event, as a multiple of bare Starlette's in the same run."""
    whole = _whole_receiver()
    sizes = (500, 1_000, 2_000) if quick else (2_000, 5_000, 10_000)
    bare = {size: _server_cpu_us(whole, "starlette", size) for size in sizes}
    # 0.7 of its events for the same CPU, and 0.6 with a file.
    for subject, least in (("memory", 0.7), ("sqlite", 0.6)):
        for size in sizes:
            spent = _server_cpu_us(whole, subject, size)
            yield Row(
                f"receiver {subject}: CPU, bare is 1", size, spent / bare[size], "x", 1 / least
            )


def _server_cpu_us(whole: ModuleType, subject: str, size: int) -> float:
    best = float("inf")
    core = psutil.cpu_count() or 1
    for number in range(2):
        with tempfile.TemporaryDirectory() as folder:
            first = number * 2 * size
            head = [whole.request(first + n, "") for n in range(200)]
            requests = [whole.request(first + 200 + n, "") for n in range(size)]
            with whole.running(subject, folder, core - 1) as port:
                process = next(
                    one
                    for one in psutil.Process().children()
                    if str(port) in " ".join(one.cmdline())
                )
                asyncio.run(whole.round_of(port, head))
                before = process.cpu_times()
                asyncio.run(whole.round_of(port, requests))
                after = process.cpu_times()
        spent = after.user + after.system - before.user - before.system
        best = min(best, spent / size * 1e6)
    return best


def _whole_receiver() -> ModuleType:
    """The benchmark of whole servers, which has this module's name."""
    path = Path(__file__).resolve().parents[1] / "receiver.py"
    spec = spec_from_file_location("whole_receiver", path)
    assert spec is not None
    assert spec.loader is not None
    made = module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def _commits(*, quick: bool) -> Iterable[Row]:
    """Transactions of the file for each event, while so many deliveries wait at once."""
    for waiting in (1, 16, 64):
        count = waiting * (5 if quick else 20)
        commits = asyncio.run(_commits_of(waiting, count))
        most = None if waiting == 1 else 0.5  # one for each event and one for its end, before
        yield Row("receiver sqlite: commits an event", waiting, commits / count, "commits", most)


async def _nothing(event: MessagesUpsert) -> None:
    """Handle an event without any work."""


async def _commits_of(waiting: int, count: int) -> int:
    router = EventRouter()
    router.add(_nothing, MessagesUpsert)
    with tempfile.TemporaryDirectory() as folder:
        inbox = SqliteInbox(Path(folder) / "i.db")
        receiver = await WebhookReceiver(router, inbox=inbox, max_queue=10**6).start_async()
        commits: list[str] = []
        db: Any = inbox._opened()
        db.set_trace_callback(commits.append)
        whole = _whole_receiver()
        bodies = [whole.request(n, "").partition(b"\r\n\r\n")[2] for n in range(count)]
        for first in range(0, count, waiting):
            some = bodies[first : first + waiting]
            await asyncio.gather(*(receiver.handle_async("POST", "/", {}, one) for one in some))
        await receiver.drain_async()
        await receiver.close_async()
        return commits.count("COMMIT")


def _full_inbox(*, quick: bool) -> Iterable[Row]:
    """The longest pause of an inbox full of keys: CPU of one addition with all it cleans."""
    for keys in (10_000, 50_000, 200_000) if quick else (10_000, 100_000, 1_000_000):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "i.db"
            inbox = SqliteInbox(path, max_keys=keys)
            inbox.open()
            _fill(path, keys)
            times: list[float] = []
            for number in range(1_100 if quick else 3_000):
                entry = _entry(f"full {number}")
                begun = time.thread_time()
                inbox.add(entry, 1.8e9 + number)
                times.append((time.thread_time() - begun) * 1e3)
                inbox.done(entry)
            inbox.close()
        yield Row("inbox full: longest addition, CPU", keys, max(times), "ms", 5.0)


def _fill(path: Path, keys: int) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(
            "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?) "
            "INSERT INTO seen SELECT randomblob(48), n * 1e-6 FROM n",
            (keys,),
        )


def _entry(name: str) -> InboxEntry:
    key = f"messages.upsert:{hashlib.md5(name.encode()).hexdigest()}"
    return InboxEntry(key, BODY, received_at=1.0)


def _shared_file(*, quick: bool) -> Iterable[Row]:
    """Events a second of so many processes on one file together, as a multiple of one alone."""
    events = 4_000 if quick else 20_000
    alone = 0.0
    for processes in (1, 2, 4):
        rate = max(_shared_rate(processes, events // processes) for _ in range(2))
        alone = alone or rate
        least = None if processes == 1 else 1.0
        yield Row(
            "inbox shared: events/s, one process is 1", processes, rate / alone, "x", least,
            at_least=True, stable=False,
        )  # fmt: skip


def _shared_rate(processes: int, events: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "i.db")
        SqliteInbox(path).open()
        command = [sys.executable, __file__, "--write", path, str(events)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        crowd = [
            subprocess.Popen([*command, str(number)], **pipes)  # type: ignore[call-overload]
            for number in range(processes)
        ]
        for one in crowd:
            one.stdout.readline()  # open and ready
        begun = time.perf_counter()
        for one in crowd:
            one.stdin.write(b"go\n")
            one.stdin.close()
        refused = sum(json.loads(one.stdout.readline()) for one in crowd)
        took = time.perf_counter() - begun
        for one in crowd:
            one.wait()
            one.stdout.close()
        assert not refused, refused
        return processes * events / took


def _write(path: str, events: int, name: str) -> None:
    """Add events and end them in groups of eight, as a busy receiver does; tell refusals."""
    inbox = SqliteInbox(path)
    inbox.open()
    print("ready", flush=True)
    sys.stdin.readline()
    refused = 0
    ended: list[InboxEntry] = []
    for first in range(0, events, 8):
        some = [_entry(f"{name} {first + number}") for number in range(8)]
        try:
            inbox.write_batch(InboxBatch(some, ended), 1.8e9)
            ended = some
        except sqlite3.OperationalError:
            refused += 1
    print(refused, flush=True)
    inbox.close()


if __name__ == "__main__":
    _write(sys.argv[2], int(sys.argv[3]), sys.argv[4])
