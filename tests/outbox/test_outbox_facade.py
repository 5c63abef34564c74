"""Everyday use of an outbox: secrets, questions, waits, events, holding back; both colours."""

from __future__ import annotations

import logging
import multiprocessing
import pickle
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from outbox_kit import ALICE, BOB, CAROL, Desk

from evolution_sdk import EvolutionClient
from evolution_sdk.errors import (
    ConfigurationError,
    OutboxEndedError,
    RecipientOptedOutError,
    RequestValidationError,
    WaitTimeoutError,
)
from evolution_sdk.outbox import Outbox
from evolution_sdk.testing import FakeEvolution

SECRET = "the price is 4711 reais"
OLD, NEW = "b2xk" * 10 + "b2w=", "bmV3" * 10 + "bmU="


def content(desk: Desk) -> bytes:
    """Everything that the store keeps of messages and files."""
    rows = desk.write("SELECT payload FROM evolution_outbox")
    files = desk.write("SELECT content FROM evolution_outbox_file")
    return b"".join(bytes(value) for (value,) in (*rows, *files))


async def test_bodies_are_readable_at_rest_only_without_a_key(desk: Desk) -> None:
    await desk.text(SECRET, key="open")
    assert SECRET.encode() in content(desk)
    desk.write("DELETE FROM evolution_outbox")
    desk.outbox = desk.open(encryption_key=NEW)
    await desk.text(SECRET, key="sealed")
    document = b"%PDF-1.4 of Ana " * 40
    made = desk.outbox.messages.send_media(BOB, document, mediatype="document", file_name="a.pdf")
    file = await desk.run(made)
    kept = content(desk)
    assert SECRET.encode() not in kept
    assert document[:16] not in kept
    assert await desk.deliver(await desk.get("sealed")) is None
    assert await desk.deliver(file) is None
    assert [body.get("text") for _, body in desk.bodies()][:1] == [SECRET]
    assert len(desk.bodies()) == 2


async def test_a_key_can_be_changed_while_messages_wait(desk: Desk) -> None:
    desk.outbox = desk.open(encryption_key=OLD)
    first = await desk.text("before", key="a")
    desk.outbox = desk.open(encryption_key=f"{NEW},{OLD}")
    second = await desk.text("after", BOB, key="b")
    again = await desk.text("before", key="a")
    assert again.id == first.id
    assert await desk.deliver(first) is None
    # What was written since is sealed by the new key alone.
    desk.outbox = desk.open(encryption_key=NEW)
    assert await desk.deliver(second) is None
    assert [body["text"] for _, body in desk.bodies()] == ["before", "after"]


@pytest.mark.parametrize("key", [None, OLD])
async def test_without_its_key_a_message_waits_and_is_not_lost(desk: Desk, key: str | None) -> None:
    desk.outbox = desk.open(encryption_key=NEW)
    message = await desk.text(SECRET, key="a")
    desk.outbox = desk.open(encryption_key=key)
    await desk.deliver(message)
    assert await desk.state("a") == "queued"
    assert desk.stage.sends() == []
    (pause,) = await desk.run(desk.outbox.pauses())
    assert pause.reason == "ConfigurationError"
    desk.outbox = desk.open(encryption_key=NEW)
    await desk.run(desk.outbox.resume())
    desk.pass_time(600)
    assert await desk.deliver(message) is None
    assert await desk.state("a") == "sent"


def test_a_key_that_is_none_is_refused_without_showing_it(place: str) -> None:
    with EvolutionClient("http://127.0.0.1:9", "k", instance="sales") as client:
        with pytest.raises(ConfigurationError) as caught:
            Outbox(place, client=client, encryption_key="not-a-fernet-key")
        assert "EVOLUTION_OUTBOX_KEY" in str(caught.value)
        assert "not-a-fernet-key" not in str(caught.value)


async def test_no_log_or_repr_shows_a_body_a_number_or_a_key(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    message = await desk.text(SECRET, key="of-ana")
    desk.stage.fake.faults.add("message.send_text", "status", status=500, count=2)
    await desk.deliver(message)
    desk.outbox._pipeline.call = _broken if desk.kit.colour == "async" else _broken_at_once
    later = await desk.text(SECRET, BOB, key="of-bob")
    await desk.deliver(later)
    shown = caplog.text + repr(message) + repr(later) + repr(desk.outbox)
    for secret in (SECRET, ALICE, BOB, "of-ana", "of-bob"):
        assert secret not in caplog.text
    assert SECRET not in shown
    assert desk.fake.api_key not in shown


def _broken_at_once(*_: Any, **__: Any) -> Any:
    raise RuntimeError(f"a fault that quotes what it met: {SECRET} {BOB}")


async def _broken(*_: Any, **__: Any) -> Any:
    _broken_at_once()


async def test_messages_are_found_by_state_recipient_instance_and_time(desk: Desk) -> None:
    await desk.sent("1", ALICE, key="a")
    desk.pass_time(3_600)
    for number, key in ((BOB, "b"), (CAROL, "c")):
        await desk.text("2", number, key=key)

    async def keys(**given: Any) -> list[str]:
        return [one.key for one in await desk.run(desk.outbox.find(**given))]

    assert await keys() == ["a", "b", "c"]
    assert await keys(state="sent") == ["a"]
    assert await keys(state=("sent", "queued"), limit=2) == ["a", "b"]
    assert await keys(recipient=BOB) == ["b"]
    assert await keys(recipient=f"{BOB}@s.whatsapp.net") == ["b"]
    assert await keys(instance="other") == []
    here = await desk.get("b")
    assert await keys(since=here.created_at) == ["b", "c"]
    assert await keys(after_id=here.id) == ["c"]
    assert await desk.run(desk.outbox.counts()) == {"sent": 1, "queued": 2}
    assert await desk.run(desk.outbox.counts("other")) == {}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"since": datetime(2026, 1, 1)}, "since"),
        ({"state": "sended"}, "state"),
        ({"recipient": "+"}, "recipient"),
    ],
)
async def test_a_question_that_cannot_be_asked_names_its_field(
    desk: Desk, given: dict[str, Any], field: str
) -> None:
    with pytest.raises(RequestValidationError) as caught:
        await desk.run(desk.outbox.find(**given))
    assert caught.value.field == field


async def test_events_move_a_message_on_and_never_back(desk: Desk) -> None:
    message = await desk.sent(key="a")
    assert message.message_id
    chat = f"{ALICE}@s.whatsapp.net"
    for status, state in (
        ("SERVER_ACK", "server"),
        ("DELIVERY_ACK", "delivered"),
        ("READ", "read"),
        ("DELIVERY_ACK", "read"),
    ):
        await desk.told(message.message_id, status, chat)
        assert await desk.state("a") == state


async def test_a_status_of_another_chat_or_instance_moves_nothing(desk: Desk) -> None:
    message = await desk.sent(key="a")
    assert message.message_id
    await desk.told(message.message_id, "READ", f"{BOB}@s.whatsapp.net")
    assert await desk.state("a") == "sent"
    data = {"keyId": message.message_id, "remoteJid": f"{ALICE}@s.whatsapp.net", "fromMe": True}
    await desk.tell("messages.update", {**data, "status": "READ"}, instance="other")
    assert await desk.state("a") == "sent"


async def test_waiting_ends_with_the_state_the_end_or_the_time(desk: Desk) -> None:
    await desk.sent(key="a")
    found = await desk.run(desk.outbox.wait("a", "sent", timeout_ms=0))
    assert found.key == "a"
    with pytest.raises(WaitTimeoutError):
        await desk.run(desk.outbox.wait("a", "read", timeout_ms=0))
    with pytest.raises(RequestValidationError):
        await desk.run(desk.outbox.wait("nobody", timeout_ms=0))
    await desk.text("2", key="b")
    assert await desk.run(desk.outbox.cancel("b"))
    with pytest.raises(OutboxEndedError):
        await desk.run(desk.outbox.wait("b", timeout_ms=0))


async def test_handlers_are_told_once_and_one_that_raises_harms_nobody(desk: Desk) -> None:
    told: list[str] = []

    @desk.outbox.on("sent")
    def note(event: Any) -> None:
        told.append(event.message.key)
        raise RuntimeError(SECRET)

    await desk.sent(key="a")
    await desk.sent("2", BOB, key="b")
    await desk.soon(lambda: len(told) == 2)
    assert told == ["a", "b"]
    assert desk.outbox.remove_listener("sent", note)
    await desk.sent("3", CAROL, key="c")
    assert told == ["a", "b"]
    with pytest.raises(ConfigurationError, match="event: must be one of"):
        desk.outbox.on("send", note)


async def test_who_asked_to_stop_gets_nothing_more_until_taken_back(desk: Desk) -> None:
    waiting = await desk.text(key="before")
    await desk.run(desk.outbox.opt_out(ALICE))
    with pytest.raises(RecipientOptedOutError) as caught:
        await desk.text("2")
    assert ALICE not in str(caught.value)
    await desk.deliver(waiting)
    assert desk.stage.sends() == []
    (entry,) = await desk.run(desk.outbox.opt_outs())
    assert entry.recipient[:12] in (ALICE[:12], ALICE[:4] + ALICE[5:])
    assert entry.recipient not in repr(entry)
    await desk.sent("to another one", BOB)
    assert await desk.run(desk.outbox.opt_in(ALICE))
    assert not await desk.run(desk.outbox.opt_in(ALICE))
    await desk.sent("3", ALICE, key="after")


async def test_a_paused_instance_keeps_its_messages_and_others_go_on(desk: Desk) -> None:
    desk.fake.create_instance("other", state="open")
    await desk.run(desk.outbox.pause("sales", reason="holiday"))
    held = await desk.text(key="a")
    free = await desk.text("2", BOB, key="b", instance="other")
    assert await desk.deliver(held) == "paused"
    assert await desk.deliver(free) is None
    (pause,) = await desk.run(desk.outbox.pauses())
    assert (pause.instance, pause.reason) == ("sales", "holiday")
    # However long it takes: a person's pause ends by a person.
    desk.pass_time(86_400)
    assert await desk.deliver(held) == "paused"
    assert await desk.run(desk.outbox.resume("sales"))
    assert await desk.deliver(held) is None
    assert await desk.state("a") == "sent"


async def test_old_ends_are_purged_and_what_waits_never(desk: Desk) -> None:
    await desk.sent(key="old")
    await desk.text("2", BOB, key="waits")
    await desk.text("3", CAROL, key="doubt")
    desk.set_state("doubt", "unknown")
    desk.pass_time(40 * 86_400)
    await desk.sent("4", "5531988880009", key="new")
    assert await desk.run(desk.outbox.purge(timedelta(days=30))) == 1
    left = [one.key for one in await desk.run(desk.outbox.find())]
    assert left == ["waits", "doubt", "new"]


async def test_a_person_settles_a_doubt_either_way(desk: Desk) -> None:
    for key, number in (("was", ALICE), ("was-not", BOB)):
        await desk.text(key, number, key=key)
        desk.set_state(key, "unknown")
    assert await desk.run(desk.outbox.resolve("was", sent=True))
    assert await desk.run(desk.outbox.resolve("was-not", sent=False))
    assert await desk.state("was") == "sent"
    assert not await desk.run(desk.outbox.resolve("was", sent=False))
    assert await desk.state("was") == "sent"
    await desk.deliver(await desk.get("was-not"))
    assert [body["text"] for _, body in desk.bodies()] == ["was-not"]


async def test_tables_can_be_made_again_and_again(desk: Desk) -> None:
    await desk.text(key="a")
    version = await desk.run(desk.outbox.migrate())
    assert version > 0
    assert await desk.run(desk.outbox.migrate()) == version
    assert (await desk.get("a")).key == "a"


async def test_a_row_can_be_pickled(desk: Desk) -> None:
    message = await desk.sent(key="a", metadata={"order": 7}, expires_at=_tomorrow(desk))
    copy = pickle.loads(pickle.dumps(message))
    assert copy == message
    assert copy.metadata == {"order": 7}


def _tomorrow(desk: Desk) -> datetime:
    return datetime.fromtimestamp(desk.kit.time.now, UTC) + timedelta(days=1)


def _hand_over(place: str, number: int, results: Any) -> None:
    with EvolutionClient("http://127.0.0.1:9", "k", instance="sales") as client:
        outbox = Outbox(place, client=client)
        results.put((outbox.messages.send_text(ALICE, "oi", key="one").id, number))
        outbox.close()


def test_one_key_from_many_processes_is_one_row(place: str) -> None:
    with EvolutionClient("http://127.0.0.1:9", "k", instance="sales") as client:
        outbox = Outbox(place, client=client)
        outbox.migrate()
        outbox.close()
    spawn = multiprocessing.get_context("spawn")
    results = spawn.Queue()
    those = [spawn.Process(target=_hand_over, args=(place, n, results)) for n in range(4)]
    for one in those:
        one.start()
    found = [results.get(timeout=60) for _ in those]
    for one in those:
        one.join(60)
    assert len({row for row, _ in found}) == 1
    assert len({number for _, number in found}) == 4


def test_an_outbox_of_the_fake_is_sent_by_its_own_workers(place: str) -> None:
    with FakeEvolution().serve() as fake:
        fake.create_instance("sales", state="open")
        with EvolutionClient(fake.url, fake.api_key, instance="sales") as client:
            outbox = Outbox(place, client=client)
            outbox.migrate()
            outbox.start()
            outbox.put_many([outbox.drafts.send_text(ALICE, f"n {n}") for n in range(5)])
            last = outbox.messages.send_text(ALICE, "last", key="last")
            assert outbox.wait(last.key, timeout_ms=30_000).state == "sent"
            assert outbox.close()
        assert [one.text for one in fake.sent] == [*(f"n {n}" for n in range(5)), "last"]
