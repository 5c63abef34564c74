"""Recipes of larger jobs (CRM, billing, queues, a team's inbox) do what their pages say."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cookbook_stage import ANA, BOB, Stage, recipe

from evolution_sdk import AsyncEvolutionClient
from evolution_sdk.archive import Archive
from evolution_sdk.errors import RequestValidationError
from evolution_sdk.events import EventRouter, parse_event
from evolution_sdk.outbox import AsyncOutbox, Outbox
from evolution_sdk.streams import instance_queue
from evolution_sdk.testing import FakeEvolution
from services import require_service
from waiting import until, until_async


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    made.client.close()


def test_the_crm_gets_each_message_under_one_key_and_its_later_edit(stage: Stage) -> None:
    program = recipe("crm_sync")
    notes: dict[str, dict[str, object]] = {}

    def upsert(key: str, fields: dict[str, object]) -> None:
        notes[key] = fields

    def record(seen: int) -> None:
        for envelope in stage.fake.events[seen:]:
            archive.record(parse_event(envelope).bind(stage.client))

    begin = datetime.now(UTC) - timedelta(days=1)
    with Archive(stage.folder / "whatsapp.db") as archive:
        sent = stage.client.messages.send_text(ANA, "Your order has left.")
        stage.client.chats.update_message(sent, "Your order has left today.")
        stage.fake.receive_text("sales", from_=ANA, text="Thanks!", push_name="Ana")
        stage.fake.receive_text("sales", from_="1203630000001@g.us", participant=ANA, text="hi all")
        record(0)
        first = program.sync(archive, upsert, begin)
        assert program.sync(archive, upsert, first) >= first > begin
    texts = {(one["from_me"], one["text"], one["phone"]) for one in notes.values()}
    assert texts == {(True, "Your order has left today.", ANA), (False, "Thanks!", ANA)}
    assert len(notes) == 2


def test_a_crm_that_refuses_ends_the_run(stage: Stage) -> None:
    program = recipe("crm_sync")
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(500)

    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        upsert = program.to_crm(http, "http://crm.test/notes")
        with pytest.raises(httpx.HTTPStatusError):
            upsert("sales/a/us/1", {"text": "hi"})
    assert asked[0].method == "PUT"
    assert asked[0].url.params["key"] == "sales/a/us/1"


def _vote(stage: Stage, router: EventRouter, choice: str) -> None:
    seen = len(stage.fake.events)
    key = {"id": "3EB0POLL", "remoteJid": f"{ANA}@s.whatsapp.net", "fromMe": True}
    content = {"pollCreationMessageKey": key, "vote": {"selectedOptions": [choice]}}
    stage.fake.receive(
        "sales", from_=ANA, message={"pollUpdateMessage": content}, kind="pollUpdateMessage"
    )
    for envelope in stage.fake.events[seen:]:
        router.dispatch_sync(parse_event(envelope).bind(stage.client))


def test_a_menu_takes_numbers_words_and_votes(stage: Stage) -> None:
    program = recipe("menu")
    router = program.make_router()
    stage.write(router, "oi")
    asked = stage.said[-1]
    assert asked is not None
    assert "1. Opening hours\n2. Address" in asked, "numbered, where phones show no buttons"
    for words, choice in (("1", "Opening hours"), (" address ", "Address"), ("2", "Address")):
        stage.write(router, words)
        assert stage.said[-1] == program.MENU[choice]
    before = len(stage.said)
    _vote(stage, router, "Address")
    _vote(stage, router, "an option of another poll")
    assert stage.said[before:] == [program.MENU["Address"]]
    for words in ("0", "3", "²"):
        stage.write(router, words)
        assert stage.said[-1] == asked


def test_a_menu_shows_buttons_where_phones_do(tmp_path: Path) -> None:
    newer = Stage(tmp_path, version="2.4.0")
    newer.write(recipe("menu").make_router(), "oi")
    assert newer.fake.sent[-1].kind == "interactiveMessage"
    newer.client.close()


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("protocolMessage", {"type": "EPHEMERAL_SETTING", "ephemeralExpiration": 86_400}),
        ("albumMessage", {"expectedImageCount": 2}),
        ("pinInChatMessage", {"key": {"id": "M1", "fromMe": True}, "type": 1}),
    ],
)
def test_a_menu_is_not_shown_to_what_comes_by_itself(
    stage: Stage, kind: str, content: dict[str, Any]
) -> None:
    router = recipe("menu").make_router()
    stage.fake.receive("sales", from_=ANA, message={kind: content}, kind=kind)
    for envelope in stage.fake.events:
        router.dispatch_sync(parse_event(envelope).bind(stage.client))
    assert stage.said == []


def test_the_status_of_an_order_is_one_message_until_it_is_too_old(stage: Stage) -> None:
    program = recipe("order_status")
    now = [datetime(2027, 1, 15, 12)]
    order = program.OrderCard(stage.client, ANA, "4711", lambda: now[0])
    first = order.sent.id
    order.show("in the kitchen")
    assert len(stage.fake.sent) == 1
    (stored,) = stage.client.chats.find_messages(message_id=first).records
    assert stored.text == program.card("4711", "in the kitchen")
    now[0] += timedelta(minutes=20)
    order.show("on its way")
    assert order.sent.id != first
    assert stage.said[-1] == program.card("4711", "on its way")
    order.finish()
    assert stage.fake.sent[-1].kind == "reactionMessage"
    order.cancel()
    assert stage.fake.requests[-1].operation == "chat.delete_message_for_everyone"
    assert stage.fake.requests[-1].status in (200, 201)


def test_a_payment_and_its_message_are_written_together_or_not_at_all(stage: Stage) -> None:
    program = recipe("paid_order")
    path = stage.folder / "shop.db"
    outbox = Outbox(path, client=stage.client)
    outbox.migrate()
    with closing(sqlite3.connect(path)) as db:
        db.execute(program.TABLE)
        assert program.book(outbox, db, "4711", ANA)
        assert not program.book(outbox, db, "4711", ANA), "the bank tells of it again"
        with pytest.raises(RequestValidationError):
            program.book(outbox, db, "4712", "no phone")
        assert db.execute("SELECT invoice FROM payment").fetchall() == [("4711",)]
    assert [one.key for one in outbox.find()] == ["paid-4711"]
    outbox.close()


def test_a_number_that_works_tells_of_one_that_does_not(stage: Stage) -> None:
    program = recipe("health_alert")
    for name in ("alerts", "support"):  # of two that are watched, one fails
        stage.fake.create_instance(name, state="open")
    with program.make_monitor(stage.client, "alerts", BOB) as monitor:
        monitor.check_health_sync()
        assert stage.said == []
        stage.fake.log_out("sales")
        monitor.check_health_sync()
        until(lambda: stage.fake.sent_to(BOB))
    told = stage.fake.sent_to(BOB)
    assert {one.instance for one in told} == {"alerts"}
    assert any("CRITICAL" in (one.text or one.caption or "") for one in told)


def test_a_month_is_billed_once_however_often_it_is_begun(stage: Stage) -> None:
    program = recipe("billing")
    pdf = stage.folder / "invoice.pdf"
    pdf.write_bytes(b"%PDF-1.4")
    row = {"name": "Ana", "amount": "R$ 10", "pdf": str(pdf)}
    rows = [
        {**row, "number": "1", "phone": ANA},
        {**row, "number": "2", "phone": "no phone"},
        {**row, "number": "3", "phone": BOB, "pdf": str(stage.folder / "gone.pdf")},
    ]
    for _ in range(2):
        with Outbox(stage.folder / "outbox.db", client=stage.client) as outbox:
            refused = program.hand_over(outbox, "2027-01", rows)
            assert {number: why.partition(":")[0] for number, why in refused.items()} == {
                "2": "RequestValidationError",
                "3": "RequestValidationError",
            }
            assert program.send(outbox, "2027-01", ["1"]) == {"sent": 1}
    assert [one.number for one in stage.fake.sent] == [ANA]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("comma", [",", ";"])
def test_invoices_are_read_as_spreadsheets_write_them(
    mark: str, comma: str, tmp_path: Path
) -> None:
    lines = [["number", "phone", "name", "amount", "pdf"], ["1", ANA, "João", "R$ 10", "a.pdf"]]
    text = mark + "".join(f"{comma.join(one)}\r\n" for one in lines)
    (tmp_path / "invoices.csv").write_text(text, "utf-8", newline="")
    assert recipe("billing").read(tmp_path / "invoices.csv") == [dict(zip(*lines, strict=True))]


async def test_workers_share_a_queue_and_each_event_is_done_once() -> None:
    program = recipe("queue_workers")
    import aio_pika
    import redis

    require_service("RabbitMQ", 5672)
    require_service("Redis", 6379)
    uri, store = "amqp://guest:guest@127.0.0.1:5672/", redis.Redis(port=6379, db=9)
    instance = f"cookbook-{uuid.uuid4().hex[:8]}"
    place = instance_queue(instance, "messages.upsert")
    done: list[str] = []

    async def work(event: Any) -> None:
        done.append(event.id)

    fake = FakeEvolution(api_key="key")
    client = AsyncEvolutionClient(fake.url, "key", http_client=fake.async_http_client())
    router = program.make_router(work)
    streams = [program.make_stream(client, router, uri, instance, store) for _ in range(2)]
    async with await aio_pika.connect(uri) as connection:
        channel = await connection.channel()
        try:
            async with streams[0], streams[1]:
                await until_async(lambda: all(one.state == "connected" for one in streams))
                exchange = await channel.get_exchange(place.exchange)
                for number in [*range(20), *range(5)]:  # five come twice
                    key = {
                        "id": f"M{number}",
                        "remoteJid": f"{ANA}@s.whatsapp.net",
                        "fromMe": False,
                    }
                    data = {
                        "key": key,
                        "message": {"conversation": "oi"},
                        "messageType": "conversation",
                    }
                    body = {"event": "messages.upsert", "instance": instance, "data": data}
                    message = aio_pika.Message(json.dumps(body).encode())
                    await exchange.publish(message, place.key)
                await until_async(lambda: len(set(done)) == 20)
        finally:
            await channel.queue_delete(place.queue)
            await channel.exchange_delete(place.exchange)
            store.close()
            await client.close()
    assert sorted(done) == sorted({f"M{number}" for number in range(20)})


async def test_a_team_reads_hears_and_answers_once(tmp_path: Path) -> None:
    program = recipe("team_inbox")
    fake = FakeEvolution(api_key="key")
    fake.create_instance("sales", state="open")
    client = AsyncEvolutionClient(
        fake.url, "key", instance="sales", http_client=fake.async_http_client()
    )
    archive = Archive(tmp_path / "whatsapp.db")
    outbox = AsyncOutbox(tmp_path / "outbox.db", client=client)
    app = program.make_app(client, archive, outbox)
    fake.receive_text("sales", from_=ANA, text="Where is my order?")
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://page.test") as page:
            for envelope in fake.events:
                answer = await page.post("/evolution/messages-upsert", json=envelope)
                assert answer.status_code == 200
            chat = f"{ANA}@s.whatsapp.net"
            await until_async(lambda: archive.messages(chat=chat))
            (listed,) = (await page.get("/chats")).json()
            assert (listed["chat"], listed["last"]["text"]) == (chat, "Where is my order?")
            for _ in range(2):  # a second click
                said = {"key": "answer-1", "text": "It left today."}
                assert (await page.post(f"/chats/{chat}", json=said)).status_code == 202
            other = {"key": "answer-1", "text": "another text"}
            assert (await page.post(f"/chats/{chat}", json=other)).status_code == 409
            story = await page.post("/chats/status@broadcast", json=other)
            assert story.status_code == 422, "an answer would be for everybody"
            empty = {"key": "answer-2", "text": ""}
            assert (await page.post(f"/chats/{chat}", json=empty)).status_code == 422
            await outbox.opt_out(BOB)
            gone = {"key": "answer-3", "text": "hello"}
            assert (await page.post(f"/chats/{BOB}@s.whatsapp.net", json=gone)).status_code == 409
            await outbox.wait("answer-1")
            await until_async(lambda: len(archive.messages(chat=chat)) == 2)
            shown = (await page.get(f"/chats/{chat}")).json()
            assert [one["from_me"] for one in shown] == [True, False]
    assert [one.text for one in fake.sent] == ["It left today."]


def test_workers_go_on_while_redis_is_away() -> None:
    import redis

    handled = recipe("queue_workers").Handled(redis.Redis(port=1, socket_connect_timeout=1))
    assert not handled.seen("a")
    handled.add("a")
    assert handled.seen("a"), "by this worker"
    assert not handled.seen("b")


async def test_a_page_of_the_team_is_told_which_chat_has_news() -> None:
    pages = recipe("team_inbox").Pages()
    stream = pages.stream()
    first = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    pages.tell(f"{ANA}@s.whatsapp.net")
    assert await first == f"data: {ANA}@s.whatsapp.net\n\n"
    await stream.aclose()
    pages.tell("somebody")  # nobody listens any more, and nothing is kept
    assert not pages._open
