"""An outbox over PostgreSQL with Procrastinate, beside a fake server: for tests of engines."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from databases import fresh_postgres
from evolution_sdk import EvolutionClient
from evolution_sdk.outbox import Outbox, OutboxMessage, ProcrastinateEngine
from evolution_sdk.testing import FakeEvolution
from waiting import until

CHAT = "5511987650001"
QUICK = {"poll_ms": 20, "lease_ms": 1_000}


@dataclass
class Stage:
    """What a test has."""

    url: str
    fake: FakeEvolution
    client: EvolutionClient
    engine: ProcrastinateEngine
    outbox: Outbox = field(repr=False)

    def run(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run a statement in the schema of the outbox."""
        psycopg = pytest.importorskip("psycopg")
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(sql, values)
            return cursor.fetchall() if cursor.description else []

    def jobs(self, columns: str = "args, lock, priority, status, scheduled_at") -> list[Any]:
        """The jobs of messages, by row."""
        return self.run(
            f"SELECT {columns} FROM procrastinate_jobs WHERE task_name LIKE '%%:deliver' "
            "ORDER BY (args->>'row_id')::bigint, id"
        )

    def until_no_job(self) -> None:
        """Wait for the end of all jobs; a test that waits too long has failed."""
        until(lambda: not self.jobs(), "some job did not end")

    def texts(self, chat: str = CHAT) -> list[str | None]:
        """The texts that the server got for a chat, in order."""
        return [one.text for one in self.fake.sent_to(chat)]

    def sent(self, key: str) -> OutboxMessage:
        """Wait for a message."""
        return self.outbox.wait(key, "sent", timeout_ms=20_000)


_PATIENCE_S = 60.0


@contextmanager
def stage(**engine: Any) -> Generator[Stage]:
    """An outbox whose tables are made, and nobody works."""
    pytest.importorskip("procrastinate")
    with fresh_postgres() as place, FakeEvolution(version="2.3.7", api_key="k").serve() as fake:
        fake.create_instance("sales")
        url = f"{place}&application_name={place.rpartition('%3D')[2][-40:]}"
        with EvolutionClient(fake.url, "k", instance="sales") as client:
            made = ProcrastinateEngine(**{"recover_every_s": 1} | engine)
            outbox = Outbox(url, client=client, engine=made, **QUICK)
            outbox.migrate()
            try:
                yield Stage(url, fake, client, made, outbox)
            finally:
                outbox.close()


@contextmanager
def working(engine: ProcrastinateEngine, concurrency: int = 4) -> Generator[None]:
    """Workers, in a thread of their own."""
    failed: list[BaseException] = []

    def work() -> None:
        try:
            asyncio.run(engine.run(concurrency=concurrency, handle_signals=False))
        except BaseException as error:
            failed.append(error)

    def ended() -> bool:
        engine.stop()  # again: it may not have begun when it was told before
        return not thread.is_alive()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        until(ended, "the workers do not end", _PATIENCE_S)
    assert not failed, failed
