"""Drills of the outbox: processes that die, a server that loses answers, and who counts there."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evolution_sdk import EvolutionClient
from evolution_sdk.outbox import Outbox, OutboxMessage
from evolution_sdk.testing import FakeEvolution
from services import require_service

SEND = "message.send_text"
WORKER = Path(__file__).with_name("outbox_worker.py")
POINTS = ("before", "during", "after", "look", "commit", None)
POSTGRES = "postgresql://postgres@127.0.0.1:5432/test"
# Absence counts after the time limit of a call: a short one makes a short drill.
SETTINGS: Mapping[str, Any] = {"timeout": {"send_ms": 700, "read_ms": 2_000, "connect_ms": 500}}
_PATIENCE_S = 240.0
_BIG_PATIENCE_S = 900.0


def big() -> bool:
    """True under ``make drill``."""
    return "EVOLUTION_DRILL_OUTBOX" in os.environ


def size(everyday: int, full: int) -> int:
    """How many: all of them under ``make drill``, fewer in the everyday suite."""
    return min(full, int(os.environ["EVOLUTION_DRILL_OUTBOX"])) if big() else everyday


@contextmanager
def place(kind: str, folder: Path) -> Generator[str]:
    """An empty store: a file, or a schema of its own."""
    if kind == "sqlite":
        yield str(folder / "outbox.db")
        return
    require_service("PostgreSQL", 5432)
    import psycopg

    name = f"drill_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(POSTGRES, autocommit=True) as admin:
        admin.execute(f"CREATE SCHEMA {name}")
        try:
            yield f"{POSTGRES}?options=-csearch_path%3D{name}"
        finally:
            admin.execute(f"DROP SCHEMA {name} CASCADE")


@contextmanager
def server(version: str = "2.3.7", **more: Any) -> Generator[FakeEvolution]:
    """A served fake with an instance; each answer takes some milliseconds."""
    fake = FakeEvolution(version=version, api_key="k", seed=5, real_delays=True, **more)
    fake.create_instance("sales")
    with fake.serve():
        yield fake


def lossy(fake: FakeEvolution) -> None:
    """Lose a third of the answers, some requests, and let the others take a little."""
    fake.faults.add(SEND, "answer_then_drop", probability=0.28)
    fake.faults.add(SEND, "truncate", probability=0.07)
    fake.faults.add(SEND, "drop", probability=0.06)
    fake.faults.add(SEND, "delay", delay_ms=12)


@dataclass
class Load:
    """What was handed over: per chat, the texts in order."""

    many: int
    chats: int
    wanted: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    keys: list[tuple[str, str, str]] = field(default_factory=list)
    prefix: str = "k"

    def hand_over(self, outbox: Outbox) -> None:
        """Hand all over; each text comes three times in its chat, and in all chats."""
        drafts = []
        for number in range(self.many):
            chat = f"55119876{number % self.chats:05}"
            text = f"Aviso {number // (3 * self.chats)}"
            drafts.append(outbox.drafts.send_text(chat, text, key=f"{self.prefix}{number}"))
            self.wanted[chat].append(text)
            self.keys.append((f"{self.prefix}{number}", chat, text))
        outbox.put_many(drafts)

    def and_(self, later: Load) -> Load:
        """Return this one with what was handed over later."""
        for chat, texts in later.wanted.items():
            self.wanted[chat] += texts
        self.keys += later.keys
        return self


@dataclass(frozen=True)
class Tally:
    """The fake's own count against what was handed over."""

    lost: int
    doubled: int
    disordered: int
    unknown: int


def tally(fake: FakeEvolution, load: Load, outbox: Outbox) -> Tally:
    """Hold each row against the server's list of sends."""
    rows = {one.key: one for one in every(outbox)}
    sent = Counter((one.number, one.text) for one in fake.sent)
    surely: Counter[tuple[str, str | None]] = Counter()
    open_: Counter[tuple[str, str | None]] = Counter()
    for key, chat, text in load.keys:
        state = rows[key].state.value
        (surely if state == "sent" else open_)[chat, text] += 1
    lost = doubled = 0
    for name in surely | open_ | sent:
        lost += max(0, surely[name] - sent[name])
        doubled += max(0, sent[name] - surely[name] - open_[name])
    disordered = 0
    unclear = {chat for key, chat, _ in load.keys if rows[key].state.value != "sent"}
    for chat, texts in load.wanted.items():
        told = [one.text for one in fake.sent_to(chat)]
        if chat not in unclear:
            disordered += told != texts
        else:
            # Those that went are in order, whichever of the unclear ones are among them.
            left = iter(texts)
            disordered += not all(any(text == one for one in left) for text in told)
    unknown = sum(one.state.value == "unknown" for one in rows.values())
    return Tally(lost, doubled, disordered, unknown)


def every(outbox: Outbox) -> list[OutboxMessage]:
    """All rows."""
    found: list[OutboxMessage] = []
    while page := outbox.find(after_id=found[-1].id if found else 0, limit=500):
        found += page
    return found


class Workers:
    """Processes that work, are killed, and are started again.

    Args:
        store: The outbox's place.
        url: The server.
        settings: Of their clients.
        engine: Whether they are workers of Procrastinate.
        prefix: What their command begins with.
        outbox: Arguments of their outboxes.
    """

    def __init__(
        self,
        store: str,
        url: str,
        settings: Mapping[str, Any] = SETTINGS,
        *,
        engine: bool = False,
        prefix: Sequence[str] = (),
        **outbox: Any,
    ) -> None:
        self._command = [*prefix, sys.executable, str(WORKER), store, url]
        self._plan = {"settings": dict(settings), "outbox": outbox, "engine": engine}
        self.running: list[subprocess.Popen[str]] = []
        self.deaths: Counter[str] = Counter()

    def start(self, **plan: Any) -> subprocess.Popen[str]:
        """Start one."""
        one = subprocess.Popen(
            [*self._command, json.dumps(self._plan | plan)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.running.append(one)
        return one

    def reap(self) -> list[str]:
        """Collect those that have died, and where."""
        gone = []
        for one in [one for one in self.running if one.poll() is not None]:
            self.running.remove(one)
            told = one.stdout.read() if one.stdout else ""
            _close(one)
            place_ = told.rsplit("at ", 1)[1].strip() if "at " in told else "anywhere"
            assert one.returncode == -signal.SIGKILL, (one.returncode, told)
            self.deaths[place_] += 1
            gone.append(place_)
        return gone

    def kill(self, one: subprocess.Popen[str]) -> None:
        """Kill one from outside."""
        one.send_signal(signal.SIGKILL)
        one.wait()

    def end(self) -> None:
        """End all that still run."""
        for one in self.running:
            one.kill()
            one.wait()
        for one in self.running:
            _close(one)


def _close(process: subprocess.Popen[str]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def work_until_done(outbox: Outbox, patience_s: float = 60.0) -> None:
    """Wait until nothing is left to be done."""
    ends = time.monotonic() + patience_s
    while time.monotonic() < ends:
        counts = outbox.counts()
        if not counts.get("queued") and not counts.get("sending"):
            return
        time.sleep(0.05)
    raise AssertionError(f"not done in time: {outbox.counts()}, {outbox.pauses()}")


def kill_until_done(
    workers: Workers,
    outbox: Outbox,
    kills: int,
    *,
    seed: int = 3,
    processes: int = 3,
    share: float = 2.0,
) -> None:
    """Work with some processes, which die so often, until nothing is left to be done.

    A process carries at most ``share`` times its part of the load before it dies: fewer where a
    new one takes long to start, so that the load does not end before the deaths.
    """
    chance = random.Random(seed)
    # Spread over the whole load: each life carries its part of it.
    part = max(6, int(share * sum(outbox.counts().values()) / max(1, kills)))
    planned = 0

    def plan() -> dict[str, Any]:
        nonlocal planned
        if planned >= kills:
            return {}
        planned += 1
        point = POINTS[planned % len(POINTS)]
        if point is None:
            return {"outside": True}
        most = max(2, part // 4) if point == "look" else part
        return {"point": point, "pass": chance.randint(1, most)}

    doomed: dict[int, float] = {}

    def begin() -> None:
        chosen = plan()
        one = workers.start(**chosen)
        if chosen.get("outside"):
            doomed[one.pid] = time.monotonic() + chance.uniform(0.4, 1.4)

    for _ in range(processes):
        begin()
    ends = time.monotonic() + (_BIG_PATIENCE_S if big() else _PATIENCE_S)
    while time.monotonic() < ends:
        for one in workers.running:
            if doomed.get(one.pid, ends) <= time.monotonic():
                workers.kill(one)
        for _ in workers.reap():
            begin()
        counts = outbox.counts()
        if not counts.get("queued") and not counts.get("sending"):
            return
        time.sleep(0.05)
    raise AssertionError(f"not done in time: {outbox.counts()}, {outbox.pauses()}")


@contextmanager
def observed(store: str, url: str, **more: Any) -> Generator[Outbox]:
    """An outbox that hands over and looks on; it does not work."""
    with EvolutionClient(url, "k", instance="sales") as client:
        outbox = Outbox(store, client=client, **more)
        outbox.migrate()
        try:
            yield outbox
        finally:
            outbox.close()
