"""Procrastinate as the engine: what its jobs are, when they run, and that none of them matters."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from engine_stage import CHAT, QUICK, Stage, stage, working

from evolution_sdk import AsyncEvolutionClient
from evolution_sdk.errors import ConfigurationError, OutboxStoreError
from evolution_sdk.outbox import AsyncOutbox, Outbox, ProcrastinateEngine

OTHER = "5511987650002"


@pytest.fixture
def one() -> Iterator[Stage]:
    with stage() as made:
        yield made


def test_messages_of_a_chat_go_in_order_and_their_jobs_go_away(one: Stage) -> None:
    for number in range(12):
        one.outbox.messages.send_text((CHAT, OTHER)[number % 2], f"n {number}", key=f"k{number}")
    with working(one.engine):
        for number in range(12):
            one.sent(f"k{number}")
    assert one.texts() == [f"n {number}" for number in range(0, 12, 2)]
    assert one.texts(OTHER) == [f"n {number}" for number in range(1, 12, 2)]
    with working(one.engine):
        # Those whose message went with another's are done at once.
        one.outbox.messages.send_text(CHAT, "last", key="last")
        one.sent("last")
    assert len(one.fake.sent) == 13


def test_a_job_holds_the_number_of_a_row_and_nothing_of_the_message(one: Stage) -> None:
    made = one.outbox.messages.send_text(CHAT, "secret text", key="secret-key", priority=7)
    ((row,),) = one.run("SELECT to_jsonb(j) FROM procrastinate_jobs AS j")
    assert row["args"] == {"row_id": made.id}
    assert row["priority"] == 7
    told = str(row)
    assert not [word for word in (CHAT, "secret", "sales") if word in told]


def test_chats_have_different_locks_and_a_chat_has_one(one: Stage) -> None:
    for number in (CHAT, OTHER, CHAT):
        one.outbox.messages.send_text(number, "a")
    first, second, third = [lock for (lock,) in one.jobs("lock")]
    assert first == third != second


def test_many_messages_have_a_job_each_and_the_same_key_none_more(one: Stage) -> None:
    drafts = [one.outbox.drafts.send_text(CHAT, "a", key=f"k{n}") for n in range(1_203)]
    made = one.outbox.put_many(drafts)
    one.outbox.put_many(drafts)
    assert [args["row_id"] for (args,) in one.jobs("args")] == [message.id for message in made]


@pytest.mark.parametrize("colour", ["sync", "async"])
@pytest.mark.parametrize("end", ["commit", "rollback"])
async def test_a_job_commits_or_vanishes_with_the_transaction_of_the_program(
    one: Stage, colour: str, end: str
) -> None:
    import psycopg

    kind = psycopg.AsyncConnection if colour == "async" else psycopg.Connection
    connection: Any = await _got(kind.connect(one.url))
    if colour == "async":
        async with AsyncEvolutionClient(one.fake.url, "k", instance="sales") as client:
            outbox = AsyncOutbox(one.url, client=client, engine=ProcrastinateEngine())
            await outbox.using(connection).messages.send_text(CHAT, "a", key="a")
            await _got(getattr(connection, end)())
            await outbox.close()
    else:
        one.outbox.using(connection).messages.send_text(CHAT, "a", key="a")
        assert one.jobs() == []
        getattr(connection, end)()
    await _got(connection.close())
    expected = 1 if end == "commit" else 0
    assert len(one.jobs()) == expected
    assert (one.outbox.get("a") is not None) == bool(expected)


async def _got(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


async def test_an_async_outbox_works_alike(one: Stage) -> None:
    import asyncio

    async with AsyncEvolutionClient(one.fake.url, "k", instance="sales") as client:
        engine = ProcrastinateEngine(recover_every_s=1)
        outbox = AsyncOutbox(one.url, client=client, engine=engine, **QUICK)
        for number in range(5):
            await outbox.messages.send_text(CHAT, f"n {number}", key=f"k{number}")
        running = asyncio.create_task(engine.run(handle_signals=False))
        await outbox.wait("k4", "sent", timeout_ms=20_000)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await outbox.close()
    assert one.texts() == [f"n {number}" for number in range(5)]


def test_a_message_for_later_waits_and_holds_up_nobody(one: Stage) -> None:
    later = datetime.now(UTC) + timedelta(days=400)
    one.outbox.messages.send_text(CHAT, "later", key="later", not_before=later)
    one.outbox.messages.send_text(CHAT, "now", key="now")
    (_, lock, _, status, at), (_, other, *_) = one.jobs()
    assert (lock, status, at) == (None, "todo", later)
    assert other is not None
    with working(one.engine):
        one.sent("now")
    assert one.texts() == ["now"]
    assert one.outbox.counts() == {"queued": 1, "sent": 1}


def test_a_message_for_later_goes_when_its_time_has_come(one: Stage) -> None:
    soon = datetime.now(UTC) + timedelta(milliseconds=700)
    one.outbox.messages.send_text(CHAT, "soon", key="soon", not_before=soon)
    with working(one.engine):
        one.sent("soon")
    (told,) = one.fake.sent
    assert told.at >= soon if isinstance(told.at, datetime) else told.at >= soon.timestamp()


def test_the_more_urgent_goes_first(one: Stage) -> None:
    for number in range(6):
        one.outbox.messages.send_text(f"551198766000{number}", str(number), priority=number)
    last = one.outbox.messages.send_text("5511987669999", "least", key="least", priority=-5)
    with working(one.engine, concurrency=1):
        one.sent(last.key)
    assert [message.text for message in one.fake.sent] == ["5", "4", "3", "2", "1", "0", "least"]


def test_a_pause_keeps_the_jobs_and_its_end_begins_at_once(one: Stage) -> None:
    one.outbox.pause("sales")
    one.outbox.messages.send_text(CHAT, "a", key="a")
    one.outbox.messages.send_text(CHAT, "b", key="b")
    with working(one.engine):
        one.outbox.messages.send_text(CHAT, "c", key="c", instance="other")
        _until(lambda: any(at for (at,) in one.jobs("scheduled_at")))
        assert one.fake.sent == []
        one.outbox.resume("sales")
        one.outbox.wait("b", "sent", timeout_ms=10_000)  # the job itself comes after 30 seconds
    assert one.texts()[:2] == ["a", "b"]


def _until(true: Any, tries: int = 400) -> None:
    import threading

    for _ in range(tries):
        if true():
            return
        threading.Event().wait(0.025)
    raise AssertionError("it never came to be")


def test_messages_whose_jobs_are_lost_are_found(one: Stage) -> None:
    for number in range(9):
        one.outbox.messages.send_text(CHAT, f"n {number}", key=f"k{number}")
    one.run("DELETE FROM procrastinate_jobs")
    with working(one.engine):
        one.sent("k8")
    assert one.texts() == [f"n {number}" for number in range(9)]


def test_jobs_that_wait_for_their_turn_are_not_written_a_second_time(one: Stage) -> None:
    for number in range(30):
        one.outbox.messages.send_text(f"55119876600{number:02}", "a", key=f"k{number}")
    one.outbox.pause("sales")
    with working(one.engine):
        _until(lambda: all(at for (at,) in one.jobs("scheduled_at")))
        one.run("UPDATE evolution_outbox_instance SET paused_until = NULL")
        looks = "SELECT max(defer_timestamp) FROM procrastinate_periodic_defers"
        ((before,),) = one.run(looks)
        # All of their chats are ready, and have a job that comes later.
        _until(lambda: one.run(looks)[0][0] > before + 1)
        assert len(one.jobs()) == 30


def test_the_job_of_a_worker_that_has_died_is_given_back(one: Stage) -> None:
    one.outbox.messages.send_text(CHAT, "a", key="a")
    one.outbox.messages.send_text(CHAT, "b", key="b")
    ((worker,),) = one.run(
        "INSERT INTO procrastinate_workers (last_heartbeat) "
        "VALUES (now() - interval '1 hour') RETURNING id"
    )
    one.run(
        "UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s "
        "WHERE id = (SELECT min(id) FROM procrastinate_jobs)",
        worker,
    )
    with working(one.engine):
        one.sent("b")
    assert one.texts() == ["a", "b"]


def test_a_message_that_a_person_queues_anew_has_a_job(one: Stage) -> None:
    one.outbox.messages.send_text(CHAT, "a", key="a")
    one.outbox.cancel("a")
    one.run("DELETE FROM procrastinate_jobs")
    assert one.outbox.retry("a")
    assert len(one.jobs()) == 1
    with working(one.engine):
        one.sent("a")


def test_a_job_whose_end_could_not_be_written_down_holds_up_nobody(one: Stage) -> None:
    """Its worker lives, so that Procrastinate leaves it, and the lock of its chat, to it."""
    first = one.outbox.messages.send_text(CHAT, "a", key="a")
    lock = one.jobs("lock")[0][0]
    with working(one.engine):
        one.sent("a")
        one.until_no_job()
        (worker,) = one.run("SELECT max(id) FROM procrastinate_workers")[0]
        one.run(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, args, status, worker_id) "
            "VALUES ('evolution_outbox', 'evolution_outbox:deliver', %s, "
            "jsonb_build_object('row_id', %s::bigint), 'doing', %s)",
            lock,
            first.id,
            worker,
        )
        one.outbox.messages.send_text(CHAT, "b", key="b")
        one.sent("b")
        one.until_no_job()
    assert one.texts() == ["a", "b"]


def test_work_goes_on_after_the_database_has_dropped_all_connections(one: Stage) -> None:
    one.outbox.messages.send_text(CHAT, "a", key="a")
    with working(one.engine):
        one.sent("a")
        dropped = one.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = current_setting('application_name') "
            "AND pid <> pg_backend_pid()"
        )
        assert len(dropped) > 2
        one.outbox.messages.send_text(CHAT, "b", key="b")
        one.sent("b")


def test_the_program_may_bring_its_own_app(one: Stage) -> None:
    import procrastinate

    connector = procrastinate.PsycopgConnector(conninfo=one.url)
    app = procrastinate.App(connector=connector)
    engine = ProcrastinateEngine(app, queue="shop", recover_every_s=1)
    outbox = Outbox(one.url, client=one.client, engine=engine, **QUICK)
    assert engine.app is app
    assert {"shop:deliver", "shop:recover"} <= set(app.tasks)
    outbox.messages.send_text(CHAT, "a", key="a")
    assert [queue for (queue,) in one.jobs("queue_name")] == ["shop"]
    with working(engine):
        outbox.wait("a", "sent", timeout_ms=20_000)
    outbox.close()


def test_the_tables_are_made_once_and_an_old_version_is_told(one: Stage) -> None:
    one.outbox.messages.send_text(CHAT, "a", key="a")
    one.outbox.migrate()
    assert len(one.jobs()) == 1
    one.run("DROP FUNCTION procrastinate_retry_job_v2")
    with pytest.raises(OutboxStoreError, match="another version") as caught:
        one.outbox.migrate()
    assert caught.value.kind == "schema"
    assert len(one.jobs()) == 1


def test_without_its_tables_nothing_is_taken_over(one: Stage) -> None:
    one.run("DROP FUNCTION procrastinate_defer_jobs_v1")
    with pytest.raises(OutboxStoreError, match="migration") as caught:
        one.outbox.messages.send_text(CHAT, "a", key="a")
    assert caught.value.kind == "schema"
    assert one.outbox.get("a") is None


def test_what_does_not_go_together_is_refused(one: Stage, tmp_path: Any) -> None:
    with pytest.raises(ConfigurationError, match="PostgreSQL"):
        Outbox(tmp_path / "o.db", client=one.client, engine=ProcrastinateEngine())
    with pytest.raises(ConfigurationError, match="another outbox"):
        Outbox(one.url, client=one.client, engine=one.engine)
    with pytest.raises(ConfigurationError, match="queue"):
        ProcrastinateEngine(queue="")
    with pytest.raises(ConfigurationError, match="recover_every_s"):
        ProcrastinateEngine(recover_every_s=7)


async def test_an_engine_without_an_outbox_says_what_to_do() -> None:
    pytest.importorskip("procrastinate")
    engine = ProcrastinateEngine()
    with pytest.raises(ConfigurationError, match="Make the outbox first"):
        _ = engine.app
    with pytest.raises(ConfigurationError, match="Make the outbox first"):
        await engine.run()


async def test_a_wrong_number_of_workers_is_refused(one: Stage) -> None:
    with pytest.raises(ConfigurationError, match="concurrency"):
        await one.engine.run(concurrency=0)


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "procrastinate", None)
    with pytest.raises(ConfigurationError, match=r"evolutionapi-sdk\[outbox-postgres\]"):
        ProcrastinateEngine()


def test_no_repr_shows_the_address(one: Stage) -> None:
    shown = f"{one.engine!r} {one.outbox!r} {one.engine._work!r}"
    assert "postgresql" not in shown
