"""Handing over in the program's own transaction: committed with it, or gone with it.

``make drill`` makes 1,000 transactions each.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import outbox_drill as drill
import pytest

from evolution_sdk import AsyncEvolutionClient, EvolutionClient, EvolutionConfig
from evolution_sdk.outbox import AsyncOutbox, Outbox

CHATS = [f"55119000000{number:02}" for number in range(8)]


class UndoneError(Exception):
    """The business says no."""


def orders(number: int) -> tuple[list[str], bool]:
    """The chats of one business transaction, in any order, and whether it commits."""
    chance = random.Random(number)
    return chance.sample(CHATS, 3), number % 2 == 0


def psycopg_sync(place: str) -> Callable[[Outbox, int], None]:
    import psycopg

    def run(outbox: Outbox, number: int) -> None:
        chats, commits = orders(number)
        with psycopg.connect(place) as connection:
            connection.execute("INSERT INTO business VALUES (%s)", (number,))
            within = outbox.using(connection)
            for chat in chats:
                within.messages.send_text(chat, f"order {number}", key=f"{number} {chat}")
            if not commits:
                connection.rollback()

    return run


def sqlalchemy(place: str) -> Callable[[Outbox, int], None]:
    engine_of = pytest.importorskip("sqlalchemy").create_engine
    text = pytest.importorskip("sqlalchemy").text
    no_pool = pytest.importorskip("sqlalchemy.pool").NullPool
    engine = engine_of(place.replace("postgresql://", "postgresql+psycopg://"), poolclass=no_pool)

    def run(outbox: Outbox, number: int) -> None:
        chats, commits = orders(number)
        with engine.connect() as connection:
            connection.execute(text("INSERT INTO business VALUES (:n)"), {"n": number})
            within = outbox.using(connection)
            for chat in chats:
                within.messages.send_text(chat, f"order {number}", key=f"{number} {chat}")
            if commits:
                connection.commit()
        if number == 0:
            assert outbox.get(f"0 {chats[0]}")

    return run


def django(place: str) -> Callable[[Outbox, int], None]:
    pytest.importorskip("django")
    from django.conf import settings

    if not settings.configured:
        settings.configure(DATABASES={}, INSTALLED_APPS=[])
        pytest.importorskip("django").setup()
    from django.db.backends.postgresql.base import DatabaseWrapper

    schema = place.rsplit("%3D", 1)[1]

    def run(outbox: Outbox, number: int) -> None:
        chats, commits = orders(number)
        connection = DatabaseWrapper(
            {
                "ENGINE": "django.db.backends.postgresql", "NAME": "test", "USER": "postgres",
                "PASSWORD": "", "HOST": "127.0.0.1", "PORT": "5432", "AUTOCOMMIT": True,
                "ATOMIC_REQUESTS": False, "CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": False,
                "OPTIONS": {"options": f"-csearch_path={schema}"}, "TIME_ZONE": None,
                "TEST": {},
            }
        )  # fmt: skip
        connection.set_autocommit(False)
        try:
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO business VALUES (%s)", [number])
            within = outbox.using(connection)
            for chat in chats:
                within.messages.send_text(chat, f"order {number}", key=f"{number} {chat}")
            connection.commit() if commits else connection.rollback()
        finally:
            connection.close()

    return run


@pytest.fixture(autouse=True)
def django_is_left_as_it_was() -> Generator[None]:
    """Others of this process configure it in their own way."""
    conf = pytest.importorskip("django.conf")
    before = conf.settings._wrapped
    yield
    conf.settings._wrapped = before


MAKERS = {"psycopg": psycopg_sync, "sqlalchemy": sqlalchemy, "django": django}


def check(outbox: Outbox, fake: Any, many: int) -> None:
    """Exactly the committed ones were sent."""
    drill.work_until_done(outbox)
    wanted = {f"{n} {chat}" for n in range(many) for chat in orders(n)[0] if orders(n)[1]}
    assert {one.key for one in drill.every(outbox)} == wanted
    assert outbox.counts() == {"sent": len(wanted)}
    sent = [f"{one.text.split()[1]} {one.number}" for one in fake.sent if one.text]
    assert sorted(sent) == sorted(wanted)


def prepare(place: str) -> None:
    import psycopg

    with psycopg.connect(place, autocommit=True) as connection:
        connection.execute("CREATE TABLE business (number int)")


@pytest.mark.parametrize("kind", MAKERS)
def test_exactly_the_committed_ones_are_sent(kind: str, tmp_path: Path) -> None:
    many = drill.size(40, 1_000)
    with drill.place("postgres", tmp_path) as place, drill.server() as fake:
        prepare(place)
        run = MAKERS[kind](place)
        with EvolutionClient(fake.url, "k", instance="sales") as client:
            outbox = Outbox(place, client=client, poll_ms=20)
            outbox.migrate()
            with outbox:
                # Four at once, over the same chats in different order.
                with ThreadPoolExecutor(4) as pool:
                    list(pool.map(lambda number: run(outbox, number), range(many)))
                check(outbox, fake, many)


def test_exactly_the_committed_ones_are_sent_by_asyncio(tmp_path: Path) -> None:
    psycopg = pytest.importorskip("psycopg")
    many = drill.size(40, 1_000)

    async def run(outbox: AsyncOutbox, place: str, number: int, turn: asyncio.Semaphore) -> None:
        chats, commits = orders(number)
        async with turn, await psycopg.AsyncConnection.connect(place) as connection:
            await connection.execute("INSERT INTO business VALUES (%s)", (number,))
            within = outbox.using(connection)
            for chat in chats:
                await within.messages.send_text(chat, f"order {number}", key=f"{number} {chat}")
            if not commits:
                await connection.rollback()

    async def all_of_them(url: str, place: str) -> None:
        turn = asyncio.Semaphore(4)
        async with (
            AsyncEvolutionClient(url, "k", instance="sales") as client,
            AsyncOutbox(place, client=client, poll_ms=20) as outbox,
        ):
            await asyncio.gather(*(run(outbox, place, n, turn) for n in range(many)))
            for number in range(0, many, 2):
                for chat in orders(number)[0]:
                    await outbox.wait(f"{number} {chat}")

    with drill.place("postgres", tmp_path) as place, drill.server() as fake:
        prepare(place)
        with drill.observed(place, fake.url) as looking:
            asyncio.run(all_of_them(fake.url, place))
            check(looking, fake, many)


def test_exactly_the_committed_ones_are_sent_from_a_file(tmp_path: Path) -> None:
    many = drill.size(60, 1_000)
    with drill.place("sqlite", tmp_path) as place, drill.server() as fake:
        config = EvolutionConfig(base_url=fake.url, api_key="k", instance="sales")
        with EvolutionClient(config=config) as client:
            outbox = Outbox(place, client=client, poll_ms=20)
            outbox.migrate()

            def run(number: int) -> None:
                chats, commits = orders(number)
                connection = sqlite3.connect(place, timeout=30)
                try:
                    connection.execute("BEGIN IMMEDIATE")
                    within = outbox.using(connection)
                    for chat in chats:
                        within.messages.send_text(chat, f"order {number}", key=f"{number} {chat}")
                    connection.commit() if commits else connection.rollback()
                finally:
                    connection.close()

            with outbox:
                with ThreadPoolExecutor(4) as pool:
                    list(pool.map(run, range(many)))
                check(outbox, fake, many)
