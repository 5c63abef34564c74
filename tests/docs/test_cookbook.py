"""Recipes of the cookbook do what their pages say, against the fake server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cookbook_stage import ANA, BOB, Stage, recipe
from docs_pages import ROOT

from evolution_sdk import AsyncEvolutionClient, EvolutionMonitorService
from evolution_sdk.errors import AuthenticationError
from evolution_sdk.events import EventRouter, parse_event
from evolution_sdk.outbox import Outbox
from evolution_sdk.testing import FakeEvolution

RECIPES = sorted((ROOT / "examples/cookbook").glob("*.py"))


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    made.client.close()


def test_the_support_bot_answers_hands_over_and_comes_back(stage: Stage) -> None:
    bot = recipe("support_bot")
    now = [datetime(2027, 1, 15, 10)]  # a Friday
    router = bot.make_router(lambda: now[0])
    stage.write(router, "oi")
    stage.write(router, "2")
    stage.write(router, "3")
    stage.write(router, "are you there?")
    assert stage.said == [bot.MENU, bot.ANSWERS["2"], bot.HANDED_OVER]
    stage.write(router, "#bot", from_me=True)
    stage.write(router, "1")
    now[0] = datetime(2027, 1, 16, 10)
    stage.write(router, "2")
    assert stage.said[3:] == [bot.ANSWERS["1"], bot.CLOSED]


@pytest.mark.parametrize("word", ["SAIR", " parar ", "Stop"])
def test_who_opts_out_gets_nothing_more_until_they_come_back(stage: Stage, word: str) -> None:
    program = recipe("opt_out")
    outbox = Outbox(stage.folder / "outbox.db", client=stage.client)
    router = program.make_router(outbox)
    stage.write(router, word)
    assert program.campaign(outbox, [ANA, BOB], "Hi", "jan") == [ANA]
    stage.write(router, "voltar")
    stage.write(router, "voltar")
    assert program.campaign(outbox, [ANA, BOB], "Hi again", "feb") == []
    assert stage.said[1:] == ["Welcome back."]
    assert outbox.counts() == {"queued": 3}
    outbox.close()


def test_reminders_are_handed_over_once_and_wait_for_their_time(stage: Stage) -> None:
    program = recipe("reminders")
    soon = datetime.now(program.ZONE).replace(second=0, microsecond=0, tzinfo=None)
    at = soon + timedelta(days=3)
    lines = [f"7,{ANA},Ana,{at:%Y-%m-%dT%H:%M}", f"8,{BOB},Bob,{at:%Y-%m-%dT%H:%M}"]
    lines.append(f"9,{ANA},Ana,{soon + timedelta(hours=1):%Y-%m-%dT%H:%M}")  # too late
    lines[1:1] = ["", f"10,no phone,Bob,{at:%Y-%m-%dT%H:%M}"]  # the others go on
    outbox = Outbox(stage.folder / "outbox.db", client=stage.client)
    for _ in range(2):
        assert program.remind(outbox, program.read(lines), datetime.now(program.ZONE)) == 2
    rows = outbox.find()
    assert len(rows) == 2
    for row in rows:
        assert row.not_before is not None
        assert row.expires_at is not None
        assert row.expires_at - row.not_before == timedelta(hours=22)
        assert outbox.deliver(row.id) == "waiting"
    assert stage.said == []
    outbox.close()


def test_the_group_bot_answers_only_who_addresses_it(stage: Stage) -> None:
    program = recipe("group_bot")
    router = program.make_router()
    group = stage.client.groups.create("team", [ANA, BOB])
    seen = len(stage.fake.sent)
    person = f"{ANA}@s.whatsapp.net"
    stage.write(router, "help", from_=str(group.id), participant=person)
    assert len(stage.fake.sent) == seen
    own = stage.client.instances.fetch("sales")[0].owner_jid
    words = f"@{str(own).partition('@')[0]} meeting"
    stage.write(router, words, from_=str(group.id), participant=person, mentions=[str(own)])
    assert stage.said[seen:] == ["Friday at 10."]


def test_how_far_a_message_came_is_told(stage: Stage) -> None:
    program = recipe("until_read")
    assert program.send_and_wait(stage.client, ANA, "Hi", 0) == "sent, not delivered yet"
    stage.fake.refuse_delivery("sales", ANA, code=463)
    assert program.send_and_wait(stage.client, ANA, "Hi", 0).startswith(("refused", "sent"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
@pytest.mark.parametrize("language", ["en", "pt"])
def test_each_recipe_has_its_page_and_the_page_its_code(path: Path, language: str) -> None:
    page = (ROOT / f"docs/{language}/cookbook/{path.stem}.md").read_text("utf-8")
    blocks = re.findall(r"^```\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert blocks
    source = path.read_text("utf-8")
    for block in blocks:
        assert block.strip() in source
    assert f"examples/cookbook/{path.name}" in page


def test_no_page_is_without_its_recipe() -> None:
    names = {path.stem for path in RECIPES} | {"index"}
    for language in ("en", "pt"):
        assert {path.stem for path in (ROOT / f"docs/{language}/cookbook").glob("*.md")} == names


def test_each_customer_keeps_a_phone_that_works(stage: Stage) -> None:
    program = recipe("several_phones")
    for name in ("second", "third"):
        stage.fake.create_instance(name, state="open")
    monitor = EvolutionMonitorService(stage.client, instances="*", sinks=())
    monitor.check_health_sync()
    known: dict[str, str] = {}
    numbers = [f"55119888800{number:02}" for number in range(20)]
    for number in numbers:
        program.send(stage.client, monitor, known, number, "Hi")
    assert set(known.values()) == {"sales", "second", "third"}
    before = dict(known)
    stage.fake.set_state("second", "close")
    monitor.check_health_sync()
    for number in numbers:
        program.send(stage.client, monitor, known, number, "Hi again")
    # Who knew a phone that lives keeps it; the others get one that does.
    assert all(known[n] == before[n] for n in numbers if before[n] != "second")
    assert "second" not in known.values()
    with pytest.raises(LookupError):
        program.choose(ANA, [], {})
    monitor.close()


def test_a_tenant_is_signed_up_once_and_sees_its_own_instance_alone(stage: Stage) -> None:
    program = recipe("multi_tenant")
    keys: dict[str, str] = {}
    for _ in range(2):
        program.sign_up(stage.client, keys, "padaria")
    program.sign_up(stage.client, keys, "clinica")
    lost: dict[str, str] = {}
    program.sign_up(stage.client, lost, "padaria")
    assert lost["tenant-padaria"] == keys["tenant-padaria"] != keys["tenant-clinica"]
    for name in ("tenant-padaria", "tenant-clinica"):
        stage.fake.scan_qr(name)
    program.of_tenant(stage.client, keys, "padaria").messages.send_text(ANA, "Hi")
    assert [one.instance for one in stage.fake.sent] == ["tenant-padaria"]
    stolen = {**keys, "tenant-clinica": keys["tenant-padaria"]}
    with pytest.raises(AuthenticationError):
        program.of_tenant(stage.client, stolen, "clinica").messages.send_text(ANA, "Hi")


def test_a_campaign_writes_only_to_whatsapp_and_only_once(stage: Stage) -> None:
    program = recipe("campaign")
    lines = ["number,text", "", "+55 11 98888-0001,Hi", f"{BOB},Hi, you"]
    assert program.read(lines) == [(ANA, "Hi")]
    stage.fake.not_on_whatsapp(BOB)
    assert program.on_whatsapp(stage.client, [ANA, BOB, ANA]) == {ANA}
    outbox = Outbox(stage.folder / "outbox.db", client=stage.client)
    for _ in range(2):
        told = program.hand_over(outbox, [(ANA, "Hi")], "january")
        assert told == {"handed over": 1, "opted out": 0, "refused": 0}
    outbox.opt_out(ANA)
    assert program.hand_over(outbox, [(ANA, "Hi")], "february")["opted out"] == 1
    assert outbox.counts() == {"queued": 1}
    outbox.close()


async def test_a_customer_connects_a_phone_from_a_page(tmp_path: Path) -> None:
    program = recipe("connect_page")
    fake = FakeEvolution(api_key="key")
    fake.create_instance("loja", state="close")
    client = AsyncEvolutionClient(fake.url, "key", http_client=fake.async_http_client())
    transport = httpx.ASGITransport(app=program.make_app(client))
    async with httpx.AsyncClient(transport=transport, base_url="http://page.test") as browser:
        assert "Connect your phone" in (await browser.get("/connect/loja")).text
        told = (await browser.post("/connect/loja/state")).json()
        assert not told["open"]
        told = (await browser.post("/connect/loja/state")).json()
        assert told["code"].startswith("data:image/png;base64,")
        fake.scan_qr("loja")
        assert (await browser.post("/connect/loja/state")).json() == {"open": True, "code": None}
    await client.close()


def test_n8n_gets_a_form_that_stays_and_its_errors_count(stage: Stage) -> None:
    program = recipe("n8n")
    told: list[dict[str, Any]] = []
    stage.write(program.make_router(told.append), "Where is my order?", push_name="Ana")
    (one,) = told
    assert one.pop("id")
    assert one == {
        "instance": "sales", "chat": f"{ANA}@s.whatsapp.net", "name": "Ana", "kind": "text",
        "text": "Where is my order?",
    }  # fmt: skip
    down = httpx.MockTransport(lambda _: httpx.Response(503))
    with httpx.Client(transport=down) as http:
        router = program.make_router(program.poster(http, "http://n8n.test/hook"))
        with pytest.raises(httpx.HTTPStatusError):
            stage.write(router, "hello?")


def _voice(stage: Stage, router: EventRouter, seconds: int, kind: str = "audio") -> None:
    mimetype = "audio/ogg; codecs=opus" if kind == "audio" else "image/jpeg"
    message = {f"{kind}Message": {"mimetype": mimetype, "seconds": seconds, "ptt": True}}
    seen = len(stage.fake.events)
    stage.fake.receive(
        "sales", from_=ANA, message=message, kind=f"{kind}Message", content=b"a file of Ana"
    )
    for envelope in stage.fake.events[seen:]:
        router.dispatch_sync(parse_event(envelope).bind(stage.client))


def test_a_voice_note_is_answered_with_its_text(stage: Stage) -> None:
    program = recipe("voice_to_text")
    heard: list[tuple[bytes, str]] = []

    def transcribe(content: bytes, mimetype: str) -> str:
        heard.append((content, mimetype))
        return "where is my order"

    router = program.make_router(transcribe)
    _voice(stage, router, 7)
    _voice(stage, router, 900)
    _voice(stage, router, 0, "image")
    assert heard == [(b"a file of Ana", "audio/ogg; codecs=opus")]
    assert stage.said == [
        "I heard: where is my order",
        "Your voice note is too long for me. Please write.",
    ]


def test_a_file_is_stored_once_under_a_key_of_its_message(stage: Stage) -> None:
    class Store:
        """An object store in memory."""

        def __init__(self) -> None:
            self.objects: dict[str, bytes] = {}

        def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> None:  # noqa: N803
            assert (Bucket, ContentType) == ("files", "image/jpeg")
            self.objects[Key] = Body

    store = Store()
    router = recipe("media_to_s3").make_router(store, "files")
    _voice(stage, router, 0, "image")
    ((key, body),) = store.objects.items()
    assert re.fullmatch(rf"sales/{ANA}@s\.whatsapp\.net/\w+", key)
    assert body == b"a file of Ana"
