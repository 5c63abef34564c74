"""``messages.find_sent``: was it sent? For programs that start again after a crash."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from evolution_sdk import ContactCard, Media, RequestValidationError
from evolution_sdk.models.message import SentMessage, StoredMessage
from evolution_sdk.models.requests_message import (
    ContactRequest,
    LocationRequest,
    PollRequest,
    TextRequest,
)

from .conftest import world_of
from .fake_stage import BUSINESS, CHANNELS, EVOLUTION, NUMBER, Stage

LID = "99887766554433@lid"
OTHER = "5521912345678"


def ago(stage: Stage, seconds: float = 60) -> datetime:
    return datetime.fromtimestamp(stage.kit.time.now, UTC) - timedelta(seconds=seconds)


async def asked(stage: Stage, content: Any = "olá", number: Any = NUMBER, **options: Any) -> Any:
    """A new process asks."""
    options.setdefault("since", ago(stage))
    return await stage.kit.run(stage.client().messages.find_sent(number, content, **options))


async def sent(stage: Stage, text: str = "olá", number: str = NUMBER) -> Any:
    """Another process, which is gone by now, sent it."""
    return await stage.kit.run(stage.client().messages.send_text(number, text))


async def test_the_time_of_a_received_message_is_whatsapps_and_not_the_servers(
    stage: Stage,
) -> None:
    """Its clock may be ahead of the server's, which then tells an earlier time for what follows."""
    stage.open_instance()
    raw = {
        "key": {"id": "IN", "remoteJid": f"{NUMBER}@s.whatsapp.net", "fromMe": False},
        "messageTimestamp": int(stage.kit.time.now) + 600,
    }
    await sent(stage)
    assert (await asked(stage, since=StoredMessage.from_wire(raw))).status != "absent"


@pytest.mark.parametrize("channel", CHANNELS)
async def test_what_was_sent_is_found(stage: Stage, channel: str) -> None:
    stage.open_instance(channel)
    message = await sent(stage)
    stage.kit.time.now += 30
    answer = await asked(stage)
    assert answer.status == "found"
    assert isinstance(answer.message, SentMessage)
    assert (answer.message.id, answer.message.text) == (message.id, "olá")
    assert answer.messages == (answer.message,)
    assert len(stage.fake.sent) == 1


@pytest.mark.parametrize("channel", CHANNELS)
async def test_what_was_not_sent_is_absent(stage: Stage, channel: str) -> None:
    stage.open_instance(channel)
    assert (await asked(stage)).status == "absent"
    await sent(stage, "outra")
    await sent(stage, "olá", OTHER)
    answer = await asked(stage)
    assert (answer.status, answer.message, answer.messages) == ("absent", None, ())
    assert "store" in answer.reason


async def test_asking_claims_nothing(stage: Stage) -> None:
    """Neither from a later question, nor from a lost send."""
    stage.open_instance()
    client = stage.client()
    stage.fake.faults.add("message.send_text", "answer_then_drop", count=1)
    first = await stage.kit.run(client.messages.send_text(NUMBER, "olá"))
    for _ in range(2):
        answer = await stage.kit.run(client.messages.find_sent(NUMBER, "olá", since=ago(stage)))
        assert (answer.status, answer.message.id) == ("found", first.id)
    stage.fake.faults.add("message.send_text", "answer_then_drop", count=1)
    second = await stage.kit.run(client.messages.send_text(NUMBER, "olá"))
    assert second.reconciled
    answer = await stage.kit.run(client.messages.find_sent(NUMBER, "olá", since=ago(stage)))
    assert [message.id for message in answer.messages] == [first.id, second.id]


async def test_messages_of_other_sends_can_be_named(stage: Stage) -> None:
    stage.open_instance()
    first = await sent(stage)
    assert (await asked(stage, known_ids=[first.id])).status == "absent"
    second = await sent(stage)
    answer = await asked(stage, known_ids={first.id})
    assert [message.id for message in answer.messages] == [second.id]


async def test_since_a_message_goes_by_the_servers_own_clock(stage: Stage) -> None:
    """Whatever our clock says: the last one written down tells."""
    stage.open_instance()
    await sent(stage)
    stage.kit.time.now += 5
    mark = await sent(stage, "a última anotada")
    stage.kit.time.now += 5
    assert (await asked(stage, since=mark)).status == "absent"
    assert (await asked(stage, "a última anotada", since=mark)).status == "absent"
    await sent(stage)
    stage.kit.time.now += 9_000_000
    assert (await asked(stage, since=mark)).status == "found"


async def test_an_equal_text_of_before_is_told_apart_once_the_clock_is_known(stage: Stage) -> None:
    stage.open_instance()
    await sent(stage)
    stage.kit.time.now += 3_600
    answer = await asked(stage)
    assert answer.status == "unknown"
    assert "clocks" in answer.reason
    client = stage.client()
    await stage.kit.run(client.messages.send_text(NUMBER, "outra"))
    answer = await stage.kit.run(client.messages.find_sent(NUMBER, "olá", since=ago(stage)))
    assert answer.status == "absent"
    # One of the day before is old by any clock.
    stage.kit.time.now += 86_400
    assert (await asked(stage)).status == "absent"


@pytest.mark.parametrize("hours", [-3, 3])
async def test_clocks_hours_apart_are_never_taken_for_absence(stage: Stage, hours: int) -> None:
    stage.open_instance()
    await sent(stage)
    client = stage.client()
    world_of(client).wall = lambda: stage.kit.time.now + hours * 3_600
    since = ago(stage) + timedelta(hours=hours)
    answer = await stage.kit.run(client.messages.find_sent(NUMBER, "olá", since=since))
    assert answer.status == "unknown"


async def test_what_lies_under_an_unknown_hidden_id_is_unknown(stage: Stage) -> None:
    stage.open_instance()
    stage.fake.resolve(NUMBER, LID)
    await sent(stage)
    assert (await asked(stage)).message.remote_jid == LID
    stage.fake.faults.add("chat.check_whatsapp_numbers", "status", status=400, body={})
    answer = await asked(stage)
    assert answer.status == "unknown"
    assert "hidden id" in answer.reason


async def test_a_server_that_stores_nothing_makes_it_unknown(stage: Stage) -> None:
    stage.new_fake(store_messages=False)
    stage.open_instance()
    client = stage.client()
    await stage.kit.run(client.messages.send_text(NUMBER, "antes"))
    answer = await stage.kit.run(client.messages.find_sent(NUMBER, "olá", since=ago(stage)))
    assert answer.status == "unknown"
    assert "DATABASE_SAVE_DATA_NEW_MESSAGE" in answer.reason


async def test_more_than_can_be_read_makes_it_unknown(
    monkeypatch: pytest.MonkeyPatch, stage: Stage
) -> None:
    for name in ("_PAGE_SIZE", "_MOST_PAGES"):
        monkeypatch.setattr(f"evolution_sdk._{stage.kit.colour}.send_search.{name}", 2)
    stage.open_instance()
    for number in range(5):
        await sent(stage, f"outra {number}")
    answer = await asked(stage)
    assert answer.status == "unknown"
    assert "more messages than could be read" in answer.reason


async def test_while_such_a_send_is_under_way_it_is_unknown(stage: Stage) -> None:
    stage.open_instance()
    client, answers = stage.client(), []
    handle = stage.fake.kernel.handle
    ledger = client._pipeline.parts.reconciler.ledger

    def drop(method: str, target: str, *rest: Any) -> Any:
        if "/message/" in target:
            answers.append(ledger.under_way("sales"))
        return handle(method, target, *rest)

    stage.fake.kernel.handle = drop  # type: ignore[method-assign]  # looks at the client meanwhile
    await stage.kit.run(client.messages.send_text(NUMBER, "olá"))
    (under_way,) = answers
    ledger.begin(
        under_way[0], client._pipeline.ports.moment()
    )  # as if its answer were not here yet
    answer = await stage.kit.run(client.messages.find_sent(NUMBER, "tchau", since=ago(stage)))
    assert answer.status == "unknown"
    assert "under way" in answer.reason
    answer = await stage.kit.run(client.messages.find_sent(OTHER, "tchau", since=ago(stage)))
    assert answer.status == "absent"


@pytest.mark.parametrize("channel", CHANNELS)
async def test_a_file_is_found_by_kind_and_caption(
    stage: Stage, channel: str, tmp_path: Path
) -> None:
    stage.open_instance(channel)
    file = tmp_path / "nota47.pdf"
    file.write_bytes(b"%PDF-1.4 47")
    await stage.kit.run(stage.client().messages.send_media(NUMBER, file, caption="Nota 47"))
    assert (await asked(stage, file, caption="Nota 47")).status == "found"
    media = Media.from_bytes(b"%PDF-1.4 47", file_name="nota47.pdf")
    assert (await asked(stage, media, caption="Nota 47")).status == "found"
    picture = Media.from_bytes(b"\x89PNG\r\n\x1a\n", file_name="nota47.png")
    assert (await asked(stage, picture, caption="Nota 47")).status == "absent"
    if channel != EVOLUTION:  # which keeps neither
        assert (await asked(stage, file, caption="Nota 48")).status == "absent"
        assert (await asked(stage, file, caption="Nota 47", file_name="x.pdf")).status == "absent"


async def test_other_kinds_are_asked_for_by_their_request(stage: Stage) -> None:
    stage.open_instance()
    messages = stage.client().messages
    await stage.kit.run(messages.send_poll(NUMBER, "Quando?", ["Hoje", "Amanhã"]))
    place: dict[str, Any] = {"latitude": -23.5, "longitude": -46.6, "name": "MASP"}
    await stage.kit.run(messages.send_location(NUMBER, **place, address="Av. Paulista"))
    card = ContactCard(full_name="Ada", phone_number="5511987654322")
    await stage.kit.run(messages.send_contact(NUMBER, card))
    requests = [
        PollRequest(number=OTHER, name="Quando?", values=("Hoje", "Amanhã")),
        LocationRequest(number=OTHER, **place, address="Av. Paulista"),
        ContactRequest(number=OTHER, contact=(card,)),
    ]
    for request in requests:
        assert (await asked(stage, request)).status == "found"
        assert (await asked(stage, request, OTHER)).status == "absent"


async def test_a_kind_that_was_never_recorded_is_unknown(stage: Stage) -> None:
    stage.open_instance(BUSINESS)
    sound = Media.from_bytes(b"ID3" + bytes(40), file_name="som.mp3")
    answer = await asked(stage, sound)
    assert answer.status == "unknown"
    assert "never recorded" in answer.reason


@pytest.mark.parametrize(
    ("content", "options", "field"),
    [
        ("olá", {"since": datetime(2026, 1, 1)}, "since"),
        ("olá", {"since": datetime(2099, 1, 1, tzinfo=UTC)}, "since"),
        ("olá", {"since": "ontem"}, "since"),
        ("olá", {"since": SentMessage()}, "since"),
        ("olá", {"known_ids": "3EB0"}, "known_ids"),
        ("olá", {"caption": "x"}, "caption"),
        (" ", {}, "content"),
        (Path("no/such/file"), {}, "content"),
        (ContactCard(full_name="Ada", phone_number="5511987654322"), {}, "content"),
        (TextRequest(number=NUMBER, text="olá"), {"file_name": "x"}, "file_name"),
    ],
)
async def test_what_breaks_a_rule_is_named(
    stage: Stage, content: Any, options: dict[str, Any], field: str
) -> None:
    stage.open_instance()
    with pytest.raises(RequestValidationError) as caught:
        await asked(stage, content, **options)
    assert caught.value.field == field
    assert stage.arrived == []
