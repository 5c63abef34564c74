"""A lock that another thread holds at the moment of a fork holds up nobody in the child."""

from __future__ import annotations

import ast
import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import evolution_sdk
from evolution_sdk import EvolutionClient, EvolutionConfig
from evolution_sdk._base import forking
from evolution_sdk.archive import Archive
from evolution_sdk.events import Event, EventRouter, parse_event
from evolution_sdk.identity import LidMap
from evolution_sdk.monitor import EvolutionMonitorService, HistoryOptions
from evolution_sdk.webhooks import WebhookReceiver

from .children import in_child, quiet_forks
from .test_forking_clients import KEY, NUMBER, fake_server

SOURCE = Path(evolution_sdk.__file__).parent
LOCKS = {"Lock", "RLock", "Condition", "Semaphore", "BoundedSemaphore", "Event"}
# Made anew in the child with what they are part of, or of no use beyond one call.
MADE_ANEW = {
    "_async/_seam.py": "Slots, made anew by the bulkhead, and one Event per waiting call",
    "_sync/_seam.py": "as its namesake",
    "monitor/ack_tracker.py": "made anew by the collector",
    "monitor/checker.py": "one Event per check",
    "monitor/delivery.py": "made anew in the child",
    "monitor/runner.py": "Event and thread are made anew; its lock is freed",
    "monitor/event_gap.py": "made anew by the collector",
    "monitor/history.py": "its Condition is made anew; its lock is freed",
    "monitor/refusals.py": "made anew by the collector",
    "monitor/window.py": "made anew by the collector",
    "streams/_stream.py": "made anew in the child",
    "streams/_thread.py": "made anew in the child",
    "streams/_broker.py": "one Event per connection",
    "streams/socket_stream.py": "made anew in the child; one Event per connection",
    "testing/fake/clock.py": "one Event per sleep; its locks are freed",
    "testing/fake/delivery/posting.py": "one Event per thread that delivers for its parent only",
    "testing/fake/serve.py": "a server that serves its parent only",
    "testing/proxy/server.py": "a server that serves its parent only",
    "transport/_slots.py": "made anew by the transports",
    "transport/_pool_sync.py": "its Semaphore is made anew; its lock is freed",
    "webhooks/queue.py": "one Event per accepted event; the queue of a child is empty",
    "webhooks/workers.py": "its tasks are made anew",
    "_base/forking.py": "held while a process begins anew",
    "_base/serial_worker.py": "one per process, found by its pid",
    "cli/listen/command.py": "one Event per command",
    "cli/tail/command.py": "one Event per command",
    "monitor/console/hub.py": "one Event per open page, which its loop alone serves",
    "_sql/connections.py": "made anew with its connections",
    "archive/_waiting.py": "made anew by the archive",
    "media/_files.py": "one per file being read, forgotten in the child",
    "monitor/outbox.py": "one Event per reading of the store, forgotten in the child",
    "outbox/_async/_seam.py": "the bell's Event, made anew with the workers",
    "outbox/_async/runner.py": "the Event of its heart is made anew; its lock is freed",
    "outbox/_sync/runner.py": "as its namesake",
    "outbox/cli/narrator.py": "of a command, which does not fork",
    "outbox/cli/running.py": "of a command, which does not fork",
    "outbox/procrastinate.py": "one Event per run of a worker",
    "streams/_socket_connection.py": "one per connection, which the stream makes anew",
}
pytestmark = quiet_forks


def bare_locks(path: Path) -> Iterator[int]:
    """Lines on which a lock is made that nobody frees in a child."""
    text = path.read_text("utf-8")
    if not any(f"{name}(" in text for name in LOCKS):
        return
    tree = ast.parse(text)
    freed = {
        argument
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "free_in_child"
        for argument in node.args
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node not in freed:
            function = node.func
            name = function.attr if isinstance(function, ast.Attribute) else ""
            owner = getattr(getattr(function, "value", None), "id", "")
            if isinstance(function, ast.Name):
                name, owner = function.id, "threading"
            if name in LOCKS and owner in ("threading", "asyncio"):
                yield node.lineno


def test_every_lock_is_free_in_a_child_or_made_anew() -> None:
    found = {
        path.relative_to(SOURCE).as_posix(): list(bare_locks(path))
        for path in sorted(SOURCE.rglob("*.py"))
    }
    assert {name for name, lines in found.items() if lines} == set(MADE_ANEW)


@contextmanager
def held(locks: list[Any]) -> Iterator[None]:
    """Locks that another thread holds."""
    ready, done = threading.Event(), threading.Event()

    def hold() -> None:
        for lock in locks:
            lock.acquire()
        ready.set()
        done.wait(30)
        for lock in reversed(locks):
            lock.release()

    thread = threading.Thread(target=hold)
    thread.start()
    assert ready.wait(10)
    yield
    done.set()
    thread.join()


def test_the_child_waits_for_no_lock_of_the_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for wait in (
        "_sql.sqlite._FORK_PATIENCE_S",
        "monitor.history._STILL_S",
        "webhooks.locked_inbox._FORK_WAIT_S",
    ):
        monkeypatch.setattr(f"evolution_sdk.{wait}", 0.01)
    posted = {"event": "send.message", "instance": "sales", "data": {"key": {"id": "1"}}}
    with fake_server() as fake:
        gc.collect()
        before = {id(lock) for lock in list(forking._locks)}  # the server has to go on
        client = EvolutionClient(
            config=EvolutionConfig(
                fake.url,
                KEY,
                instance="sales",
                rate_limit={"enabled": True, "per_second": 0, "recipient_gap_ms": 0},
                bulkhead={"enabled": True},
                cache={"enabled": True},
            )
        )
        router, lids, seen = EventRouter(), LidMap(), list[Event[Any]]()
        router.add(seen.append, Event, name="seen")
        archive = Archive(tmp_path / "archive.db")
        client.observe(archive.observe)
        receiver = WebhookReceiver(router, client=client)
        monitor = EvolutionMonitorService(
            client, history=HistoryOptions(path=str(tmp_path / "history.db"))
        )

        def use() -> int:
            client.messages.send_text(NUMBER, "oi")
            client.chats.check_whatsapp_numbers([NUMBER])
            client.retry.on("failure", print)
            client.breakers()
            client.feed(posted, verified=True)
            archive.record(parse_event(posted))
            lids.learn(parse_event(posted))
            receiver.offer(parse_event(posted), b"{}")
            assert receiver.drain(timeout_ms=10_000)
            monitor.check_health_sync()
            monitor.get_history(5)
            monitor.on("healthStatusChanged", print)
            return len(seen)

        assert use() == 1
        locks = [one for one in list(forking._locks) if id(one) not in before]
        assert len(locks) > 20
        with held([one for one in locks if hasattr(one, "acquire")]):
            assert in_child(use) == 2
        monitor.close()
        receiver.close()
        archive.close()
        client.close()


class Part:
    def __init__(self, log: list[str], *, still: bool = True, broken: bool = False) -> None:
        self.log = log
        self.is_still = still
        self.broken = broken
        forking.in_child(self.renew)
        forking.around_fork(self.still, self.go_on)

    def renew(self) -> None:
        self.log.append("renewed")
        if self.broken:
            raise ValueError

    def still(self) -> bool:
        self.log.append("still")
        if self.broken:
            raise ValueError
        return self.is_still

    def go_on(self) -> None:
        self.log.append("on")


def test_a_part_is_brought_to_rest_and_goes_on_in_the_parent_only() -> None:
    log: list[str] = []
    part = Part(log)
    assert in_child(lambda: log) == ["still", "renewed"]
    assert log == ["still", "on"]
    del part
    assert in_child(lambda: log) == ["still", "on"]  # held weakly


def test_what_did_not_come_to_rest_is_not_told_to_go_on() -> None:
    log: list[str] = []
    part = Part(log, still=False)
    assert in_child(lambda: log) == ["still", "renewed"]
    assert log == ["still"]
    del part


def test_a_part_that_fails_keeps_no_other_from_its_own(caplog: pytest.LogCaptureFixture) -> None:
    log: list[str] = []
    parts = [Part(log, broken=True), Part(log), Part(log, broken=True)]
    assert in_child(lambda: log).count("renewed") == len(parts)
    assert log.count("on") == 1
    assert [record.levelname for record in caplog.records] == ["ERROR"] * 2


def test_in_the_same_process_nothing_begins_anew() -> None:
    log: list[str] = []
    part = Part(log)
    forking.check()
    assert log == []
    del part
