"""Where a lost send is looked for, how long, and what counts as found."""

from __future__ import annotations

import asyncio
import logging
import threading
from functools import partial
from typing import Any

import pytest

from evolution_sdk import EvolutionConfig, EvolutionError, RetryPolicy, SendOutcomeUnknownError
from evolution_sdk._async._seam import Signal
from evolution_sdk._sync._seam import Signal as SyncSignal
from evolution_sdk.models.message import SentMessage

from .conftest import KEY, URL, Kit
from .fake_stage import CHANNELS, JID, NUMBER, Stage

LID = "99887766554433@lid"
ONCE = RetryPolicy(max_attempts=2, delay_ms=1, jitter="none")


def asked(stage: Stage, route: str) -> int:
    return sum(seen.path.startswith(f"/chat/{route}/") for seen in stage.arrived)


async def sent(stage: Stage, client: Any, text: str, number: str = NUMBER, **options: Any) -> Any:
    return await stage.kit.run(client.messages.send_text(number, text, **options))


async def unknown(stage: Stage, client: Any, text: str, **options: Any) -> SendOutcomeUnknownError:
    with pytest.raises(SendOutcomeUnknownError) as caught:
        await sent(stage, client, text, **options)
    return caught.value


# Where


async def test_a_message_under_an_unknown_hidden_id_is_found(stage: Stage) -> None:
    """The server's own check of the number tells where it keeps it."""
    stage.open_instance()
    stage.fake.resolve(NUMBER, LID)
    stage.fake.faults.add("message.send_text", "answer_then_drop", count=1)
    found = await sent(stage, stage.client(), "olá")
    assert (found.reconciled, found.remote_jid) == (True, LID)
    assert asked(stage, "whatsappNumbers") == 1


async def test_a_hidden_id_once_answered_is_known(stage: Stage) -> None:
    stage.open_instance()
    stage.fake.resolve(NUMBER, LID)
    client = stage.client()
    assert (await sent(stage, client, "um")).remote_jid == LID
    stage.fake.faults.add("message.send_text", "answer_then_drop", count=1)
    assert (await sent(stage, client, "dois")).remote_jid == LID
    assert asked(stage, "whatsappNumbers") == 0


async def test_a_number_check_of_the_caller_teaches_too(stage: Stage) -> None:
    stage.open_instance()
    stage.fake.resolve(NUMBER, LID)
    client = stage.client()
    await stage.kit.run(client.chats.check_whatsapp_numbers([NUMBER]))
    stage.fake.faults.add("message.send_text", "answer_then_drop", count=1)
    assert (await sent(stage, client, "olá")).reconciled
    assert asked(stage, "whatsappNumbers") == 1


async def test_without_a_number_check_the_whole_instance_is_searched(stage: Stage) -> None:
    """What came in from a hidden id names its number; that settles whose chat it is."""
    stage.open_instance()
    stage.fake.resolve(NUMBER, LID)
    stage.fake.faults.add("message.send_text", "answer_then_drop", count=1)
    stage.fake.faults.add("chat.check_whatsapp_numbers", "status", status=400, body={})
    stage.fake.receive_text("sales", from_=LID, text="oi")
    row = stage.fake.instances["sales"].messages[-1]
    row.key["remoteJidAlt"] = JID
    assert (await sent(stage, stage.client(), "olá")).remote_jid == LID


async def test_the_same_text_under_a_hidden_id_of_nobody_is_never_doubled(stage: Stage) -> None:
    stage.open_instance()
    stage.fake.resolve(NUMBER, LID)
    stage.fake.faults.add("message.send_text", "answer_then_drop", count=1)
    stage.fake.faults.add("chat.check_whatsapp_numbers", "status", status=400, body={})
    error = await unknown(stage, stage.client(), "olá")
    assert "hidden id (@lid)" in error.checked
    stage.fake.faults.add("message.send_text", "answer_then_drop", count=1)
    await unknown(stage, stage.client(), "tchau", on_unknown="resend", retry=ONCE)
    stage.fake.assert_sent_times(1, text="olá")
    stage.fake.assert_sent_times(1, text="tchau")


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("number", [NUMBER, JID, "+55 (11) 98765-4321", "5531987654321"])
async def test_every_way_to_write_a_number_is_found(
    stage: Stage, channel: str, number: str
) -> None:
    stage.open_instance(channel)
    stage.fake.faults.add("message.send_text", "answer_then_drop", count=1)
    assert (await sent(stage, stage.client(), "olá", number)).evidence == "store"
    assert len(stage.fake.sent) == 1


# How long


@pytest.mark.parametrize("wait_ms", [0, 3_000, 20_000])
async def test_it_is_looked_for_as_long_as_configured(stage: Stage, wait_ms: int) -> None:
    stage.open_instance()
    config = EvolutionConfig(URL, KEY, retry={"reconcile_wait_ms": wait_ms})
    client = stage.client(config=config)
    await sent(stage, client, "antes")
    stage.fake.faults.add("message.send_text", "drop", count=1)
    begun = stage.kit.time.now
    await unknown(stage, client, "perdida")
    assert stage.kit.time.now - begun == pytest.approx(wait_ms / 1_000, abs=0.5)


async def test_the_delay_of_a_send_is_waited_for_before_the_first_look(stage: Stage) -> None:
    """The connection breaks while the server still shows "typing"."""
    stage.open_instance()
    stage.fake.faults.add("message.send_text", "answer_then_drop", count=1)
    begun = stage.kit.time.now
    found = await sent(stage, stage.client(), "devagar", delay_ms=8_000)
    assert found.reconciled
    assert stage.kit.time.now - begun >= 8.0


async def test_after_a_timeout_nothing_is_resent_while_the_server_may_be_at_work(
    stage: Stage,
) -> None:
    """It acts 50 s after a client gave up that waits 3 s for its looks."""
    stage.open_instance()
    client = stage.client()
    await sent(stage, client, "antes")
    stage.fake.faults.add("message.send_text", "delay", delay_ms=60_000, count=1)
    handle, rows = stage.fake.kernel.handle, stage.fake.instances["sales"]

    def late(method: str, target: str, headers: Any, body: bytes) -> Any:
        before = len(rows.messages)
        reply = handle(method, target, headers, body)
        for row in rows.messages[before:]:
            row.visible_at_ms = stage.fake.clock.now_ms() + 50_000
        return reply

    stage.fake.kernel.handle = late  # type: ignore[method-assign]  # stores late, as if at work
    found = await sent(stage, client, "demora", timeout_ms=1_000, on_unknown="resend")
    assert found.reconciled
    stage.fake.assert_sent_times(1, text="demora")


async def test_an_error_of_a_proxy_does_not_mean_that_the_server_is_done(stage: Stage) -> None:
    stage.open_instance()
    client = stage.client()
    await sent(stage, client, "antes")
    own = {"status": 500, "error": "Internal Server Error", "response": {"message": "boom"}}
    for number, (status, body, looks) in enumerate(
        [(504, "", True), (500, "", True), (499, "", True), (502, own, True), (500, own, False)]
    ):
        stage.fake.faults.add("message.send_text", "status", status=status, body=body, count=1)
        begun = stage.kit.time.now
        await unknown(stage, client, f"perdida {number}")
        assert (stage.kit.time.now - begun > 1) is looks


# Events


def event_of(stage: Stage, text: str) -> dict[str, Any]:
    """The event that the server emitted for a text."""
    return next(
        event
        for event in stage.fake.events
        if event["event"] == "send.message" and event["data"]["message"].get("conversation") == text
    )


async def test_an_event_is_evidence_where_nothing_is_stored(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    fake = stage.new_fake(store_messages=False)
    stage.open_instance()
    client = stage.client()
    fake.on_event(partial(client.feed, verified=True))
    fake.faults.add("message.send_text", "answer_then_drop", count=1)
    with caplog.at_level(logging.INFO, "evolution_sdk"):
        found = await sent(stage, client, "segredo")
    assert (found.reconciled, found.evidence, found.text) == (True, "event", "segredo")
    assert stage.kit.time.naps == []
    assert "evidence=event" in caplog.text
    assert "segredo" not in caplog.text
    assert client.retry.get_metrics().resolved_found == 1


async def test_an_event_and_its_record_in_the_store_are_one_message(stage: Stage) -> None:
    stage.open_instance()
    client = stage.client()
    stage.fake.on_event(partial(client.feed, verified=True))
    stage.fake.faults.add("message.send_text", "answer_then_drop", count=1)
    first = await sent(stage, client, "ping")
    assert first.evidence == "event"
    stage.fake.faults.add("message.send_text", "drop", count=1)
    await unknown(stage, client, "ping")
    stage.fake.assert_sent_times(1, text="ping")


async def test_an_event_of_an_answered_send_settles_no_other_one(stage: Stage) -> None:
    stage.open_instance()
    client = stage.client()
    stage.fake.on_event(partial(client.feed, verified=True))
    await sent(stage, client, "ping")
    stage.fake.faults.add("message.send_text", "drop", count=1)
    await unknown(stage, client, "ping")


async def test_an_event_of_another_instance_or_recipient_settles_nothing(stage: Stage) -> None:
    fake = stage.new_fake(store_messages=False)
    stage.open_instance()
    stage.open_instance(name="other")
    client = stage.client()
    fake.on_event(partial(client.feed, verified=True))
    await sent(stage, client.instance("other"), "ping")
    await sent(stage, client, "ping", "5521912345678")
    fake.faults.add("message.send_text", "answer_then_drop", count=1)
    found = await sent(stage, client, "ping")
    assert found.remote_jid == JID
    fake.faults.add("message.send_text", "drop", count=1)
    await unknown(stage, client, "ping")


async def test_an_event_wakes_a_waiting_look_up_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Really waiting: half a minute would fail the test's time limit."""
    kit = Kit("async")
    stage = Stage(kit)
    stage.new_fake(store_messages=False)
    stage.open_instance()
    config = EvolutionConfig(URL, KEY, retry={"reconcile_wait_ms": 600_000})
    client = stage.client(config=config, sleep=None)  # waits for signals are real
    resting = asyncio.Event()
    waiting = Signal.wait

    async def really(signal: Signal, seconds: float | None = None) -> None:
        resting.set()
        await waiting(signal, None if seconds is None else seconds * 1_000)

    monkeypatch.setattr(Signal, "wait", really)
    stage.fake.faults.add("message.send_text", "answer_then_drop", count=1)
    task = asyncio.create_task(client.messages.send_text(NUMBER, "oi"))
    async with asyncio.timeout(30):
        await resting.wait()
        told = partial(client.feed, event_of(stage, "oi"), verified=True)
        threading.Thread(target=told).start()
        assert (await task).evidence == "event"
    assert client._pipeline.parts.reconciler._waiting == {}


def test_an_event_wakes_a_waiting_thread_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    kit = Kit("sync")
    stage = Stage(kit)
    stage.new_fake(store_messages=False)
    stage.open_instance()
    client = stage.client(sleep=None)  # waits for signals are real
    resting = threading.Event()
    waiting = SyncSignal.wait

    def really(signal: SyncSignal, _seconds: float | None = None) -> None:
        resting.set()
        waiting(signal, 30)

    monkeypatch.setattr(SyncSignal, "wait", really)
    stage.fake.faults.add("message.send_text", "answer_then_drop", count=1)
    results: list[SentMessage] = []
    thread = threading.Thread(
        target=lambda: results.append(client.messages.send_text(NUMBER, "oi"))
    )
    thread.start()
    assert resting.wait(30)
    client.feed(event_of(stage, "oi"), verified=True)
    thread.join(20)
    assert [result.evidence for result in results] == ["event"]


class Hostile(dict[str, Any]):
    def get(self, *_: Any) -> Any:
        raise RuntimeError("hostile")


@pytest.mark.parametrize(
    "odd", [None, 1, b"x", [], {}, Hostile(event=1), {"event": "send.message"}]
)
def test_odd_events_never_raise(kit: Kit, odd: Any) -> None:
    client = kit.client()
    client.feed(odd, verified=True)
    assert len(client._pipeline.parts.reconciler._witnesses) == 0, "it proves nothing"


# When absence proves nothing


async def test_where_nothing_is_stored_nothing_is_sent_again(stage: Stage) -> None:
    fake = stage.new_fake(store_messages=False)
    stage.open_instance()
    client = stage.client()
    await sent(stage, client, "antes")
    for text, fault in (("um", "answer_then_drop"), ("dois", "drop")):
        fake.faults.add("message.send_text", fault, count=1)
        await unknown(stage, client, text, on_unknown="resend")
        fake.assert_sent_times(1 if text == "um" else 0, text=text)
    fake.faults.add("message.send_text", "drop", count=1)
    error = await unknown(stage, client, "três")
    assert "does not store" in error.checked
    assert "DATABASE_SAVE_DATA_NEW_MESSAGE" in error.checked


@pytest.mark.parametrize("channel", CHANNELS)
async def test_the_first_send_of_an_empty_instance(stage: Stage, channel: str) -> None:
    """Nothing tells a server that stores nothing from one that has nothing yet."""
    stage.open_instance(channel)
    client = stage.client()
    stage.fake.faults.add("message.send_text", "drop", count=1)
    await unknown(stage, client, "primeira")
    stage.fake.assert_nothing_sent()
    stage.fake.faults.add("message.send_text", "drop", count=1)
    await sent(stage, client, "primeira", on_unknown="resend")
    stage.fake.assert_sent_times(1, text="primeira")


async def test_the_first_send_of_an_empty_instance_is_found_when_it_was_sent(
    stage: Stage,
) -> None:
    stage.open_instance()
    stage.fake.faults.add("message.send_text", "answer_then_drop", count=1)
    found = await sent(stage, stage.client(), "primeira", on_unknown="resend")
    assert found.evidence == "store"
    stage.fake.assert_sent_times(1, text="primeira")


async def test_a_passing_failure_of_a_look_is_looked_over(stage: Stage) -> None:
    stage.open_instance()
    stage.fake.faults.add("message.send_text", "answer_then_drop", count=1)
    stage.fake.faults.add("chat.find_messages", "drop", count=3)
    assert (await sent(stage, stage.client(), "olá")).reconciled


@pytest.mark.parametrize("odd", [None, "text", 7, {"records": 5}, [None, 7, {"key": 5}]])
async def test_an_odd_answer_teaches_nothing_and_harms_nothing(kit: Kit, odd: Any) -> None:
    kit.stub.default = (200, odd)
    client = kit.client()
    await kit.run(client.chats.find_messages())
    for read in (client.chats.find, client.chats.find_contacts):
        try:
            await kit.run(read())
        except EvolutionError:  # refused by the parser for its own reasons
            continue


@pytest.mark.parametrize("odd", [{}, {"key": 5}, {"key": {"id": 5, "remoteJid": []}}, [], "sent"])
async def test_an_odd_answer_to_a_send_is_returned_all_the_same(kit: Kit, odd: Any) -> None:
    kit.stub.default = (201, odd)
    sent = await kit.run(kit.client().messages.send_text("5511987654321", "oi"))
    assert sent.raw == odd
