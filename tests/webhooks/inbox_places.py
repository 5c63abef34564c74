"""The three places of an inbox, for tests that hold for each of them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from evolution_sdk.webhooks import Inbox, MemoryInbox, PostgresInbox, SqliteInbox
from services import require_service

ALL = ("memory", "file", "postgres")
DURABLE = ("file", "postgres")
ADDRESS = "postgresql://postgres@127.0.0.1:5432/test"


@contextmanager
def postgres_schema() -> Iterator[str]:
    """The address of an empty schema of its own, dropped afterwards."""
    require_service("PostgreSQL", 5432)
    import psycopg

    name = f"inbox_{uuid.uuid4().hex}"
    with psycopg.connect(ADDRESS, autocommit=True) as db:
        db.execute(f"CREATE SCHEMA {name}")
    try:
        yield f"{ADDRESS}?options=-csearch_path%3D{name}"
    finally:
        with psycopg.connect(ADDRESS, autocommit=True) as db:
            db.execute(f"DROP SCHEMA {name} CASCADE")


class Place:
    """A place where inboxes keep their events."""

    def __init__(self, kind: str, where: Any, clock: Callable[[], float]) -> None:
        self.kind = kind
        self.where = where
        self._clock = clock
        self._one: MemoryInbox | None = None
        self.made: list[Inbox] = []

    def make(self, **options: Any) -> Inbox:
        """Another inbox on the place; the same one in memory."""
        if self.kind == "memory":
            self._one = self._one or MemoryInbox(clock=self._clock, **options)
            return self._one
        if self.kind == "file":
            made: Inbox = SqliteInbox(self.where, clock=self._clock, **options)
        else:
            made = PostgresInbox(self.where, **options)
        self.made.append(made)
        return made

    def crash(self, inbox: Inbox) -> None:
        """What is left of a killed process; its lease is over, where it had one."""
        if not isinstance(inbox, PostgresInbox):
            inbox.close()
            return
        number = silence(inbox)
        self.sql(f"UPDATE evolution_inbox_receiver SET until = now() - interval '1 s' "
                 f"WHERE id = {number}")  # fmt: skip

    def passes(self, seconds: float) -> None:
        """What the database's clock does; machines have theirs."""
        if self.kind == "postgres":
            self.sql(f"UPDATE evolution_inbox_key SET at = at - {seconds}")

    def sql(self, text: str) -> list[Any]:
        import psycopg

        with psycopg.connect(self.where, autocommit=True) as db:
            made = db.execute(text)
            return made.fetchall() if made.description else []


def silence(inbox: PostgresInbox) -> int:
    """Stop the heartbeat and the connections, without a word; returns the lease's number."""
    lease = inbox._lease
    lease._stop.set()
    thread, number = lease._thread, lease.id
    if thread is not None:
        thread.join(10)
    inbox._database.close()
    inbox._is_open, lease._thread, lease.id = False, None, 0
    return number


@contextmanager
def place_of(kind: str, folder: Path, clock: Callable[[], float]) -> Iterator[Place]:
    """A place of a kind; what was made there is closed."""
    if kind != "postgres":
        yield Place(kind, folder / "inbox.db", clock)
        return
    with postgres_schema() as url:
        made = Place(kind, url, clock)
        try:
            yield made
        finally:
            for inbox in made.made:
                inbox.close()
