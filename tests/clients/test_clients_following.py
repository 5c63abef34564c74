"""wait_until and wait_for_reply: by events, by asking, and when neither tells."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from evolution_sdk import (
    ConfigurationError,
    DeliveryFailedError,
    MessageStatus,
    RequestValidationError,
    ServerError,
    WaitTimeoutError,
)
from evolution_sdk.events import parse_event

from .conftest import Kit, record, world_of

ID = record()["key"]["id"]
JID = "5511987654321@s.whatsapp.net"


def update(status: str, message_id: str = ID, instance: str = "sales") -> Any:
    data = {"keyId": message_id, "remoteJid": JID, "fromMe": True, "status": status}
    return parse_event({"event": "messages.update", "instance": instance, "data": data})


def inbound(text: str, at: int = 1795447890, **more: Any) -> Any:
    key = {"id": f"IN-{text}", "remoteJid": JID, "fromMe": False, **more.pop("key", {})}
    data = {**record(key=key, message={"conversation": text}, messageTimestamp=at), **more}
    return parse_event({"event": "messages.upsert", "instance": "sales", "data": data})


def page(*records: Any) -> tuple[int, Any]:
    found = {"total": len(records), "pages": 1, "currentPage": 1, "records": list(records)}
    return 200, {"messages": found}


async def sent_by(kit: Kit, client: Any, **changes: Any) -> Any:
    kit.stub.answer((201, record(status="PENDING", **changes)))
    return await kit.run(client.messages.send_text("5511987654321", "Hello"))


def heard_while_waiting(kit: Kit, client: Any, *events: Any) -> list[float]:
    """Whoever waits by events is told these, one per wait; its waits take no time."""
    told, waits = list(events), []

    def now(seconds: float) -> None:
        waits.append(seconds * 1_000)
        if told:
            client.feed(told.pop(0))
        else:
            kit.time.now += seconds

    async def later(seconds: float) -> None:
        now(seconds)

    world_of(client).sleeping = later if kit.colour == "async" else now
    return waits


async def test_without_events_the_store_is_asked_in_growing_intervals(kit: Kit) -> None:
    client = kit.client()
    sent = await sent_by(kit, client)
    change = {"keyId": ID, "remoteJid": JID, "fromMe": True}
    kit.stub.answer(
        (200, []),
        (200, [{**change, "status": "SERVER_ACK"}]),
        (200, []),
        (200, [{**change, "status": "READ"}, {**change, "status": "DELIVERY_ACK"}]),
    )
    status = await kit.run(client.messages.wait_until(sent, "DELIVERY_ACK", timeout_ms=60_000))
    assert status is MessageStatus.READ
    assert kit.time.naps == [0.5, 0.75, 1.125]
    assert kit.stub.last.url.endswith("/chat/findStatusMessage/sales")
    assert kit.stub.last_json["where"] == {"id": ID}


async def test_intervals_do_not_grow_for_ever_nor_beyond_the_end(kit: Kit) -> None:
    client = kit.client()
    sent = await sent_by(kit, client)
    kit.stub.default = (200, [])
    with pytest.raises(WaitTimeoutError, match="the last status is PENDING"):
        await kit.run(sent.wait_until("READ", timeout_ms=60_000))
    assert max(kit.time.naps) == 10
    assert sum(kit.time.naps) == pytest.approx(60)


async def test_with_events_the_store_is_asked_once_and_events_settle_it(kit: Kit) -> None:
    client = kit.client()
    client.feed(update("SERVER_ACK", "another"))  # from now on events are known to come
    sent = await sent_by(kit, client)
    kit.stub.default = (200, [])
    waits = heard_while_waiting(
        kit, client,
        update("DELIVERY_ACK", "another"), update("DELIVERY_ACK", instance="other"),
        update("SERVER_ACK"), update("READ"), update("PLAYED"),
    )  # fmt: skip
    asked = len(kit.stub.requests)
    assert await kit.run(sent.wait_until(timeout_ms=5_000)) is MessageStatus.READ
    assert len(kit.stub.requests) == asked + 1
    assert len(waits) == 4
    assert kit.time.naps == []


async def test_a_status_that_came_before_anybody_waited_counts(kit: Kit) -> None:
    client = kit.client()
    sent = await sent_by(kit, client)
    client.feed(update("DELIVERED"))
    asked = len(kit.stub.requests)
    assert await kit.run(sent.wait_until("DELIVERY_ACK")) is MessageStatus.DELIVERED
    assert len(kit.stub.requests) == asked, "what is known need not be asked"


async def test_when_no_event_comes_the_store_has_the_last_word(kit: Kit) -> None:
    client = kit.client(retry=kit.retry_service(max_attempts=1))
    client.feed(update("SERVER_ACK"))
    sent = await sent_by(kit, client)
    kit.stub.answer((500, {}), (200, [{"keyId": ID, "status": "DELIVERY_ACK"}]))
    heard_while_waiting(kit, client)
    assert await kit.run(sent.wait_until(timeout_ms=5_000)) is MessageStatus.DELIVERY_ACK


async def test_without_events_the_stores_trouble_is_told(kit: Kit) -> None:
    client = kit.client(retry=kit.retry_service(max_attempts=1))
    sent = await sent_by(kit, client)
    kit.stub.default = (500, {})
    with pytest.raises(ServerError):
        await kit.run(sent.wait_until())


@pytest.mark.parametrize("word", ["ERROR", "FAILED"])
async def test_a_failure_is_an_error(kit: Kit, word: str) -> None:
    client = kit.client()
    sent = await sent_by(kit, client)
    client.feed(update(word))
    with pytest.raises(DeliveryFailedError, match=ID) as caught:
        await kit.run(sent.wait_until("READ"))
    assert not caught.value.retryable


@pytest.mark.parametrize("status", ["DELETED", "EDITED", "ERROR", "NO_SUCH"])
async def test_only_progress_can_be_waited_for(kit: Kit, status: str) -> None:
    client = kit.client()
    sent = await sent_by(kit, client)
    with pytest.raises(RequestValidationError, match="status"):
        await kit.run(sent.wait_until(status))


async def test_a_reply_by_events_can_be_answered(kit: Kit) -> None:
    client = kit.client()
    sent = await sent_by(kit, client)
    client.feed(update("SERVER_ACK"))
    kit.stub.answer(page())
    own = inbound("own", key={"fromMe": True})
    other = inbound("other", key={"remoteJid": "5511000000000@s.whatsapp.net"})
    heard_while_waiting(kit, client, own, other, inbound("old", at=1795447000), inbound("yes"))
    reply = await kit.run(sent.wait_for_reply(timeout_ms=5_000))
    assert reply.text == "yes"
    kit.stub.answer((201, record()))
    await kit.run(reply.reply_text("thanks"))
    assert kit.stub.last_json["number"] == JID


async def test_a_reply_is_found_in_the_store(kit: Kit) -> None:
    client = kit.client()
    sent = await sent_by(kit, client)
    first = {**inbound("first").raw["data"], "id": "row1"}
    second = {**inbound("second", at=1795447891).raw["data"], "id": "row2"}
    kit.stub.answer(page(), page(second, first, {**record(), "id": "row0"}))
    reply = await kit.run(client.messages.wait_for_reply(sent, timeout_ms=5_000))
    assert reply.text == "first"
    assert reply.source == "backfill"
    assert kit.stub.last_json["where"]["key"] == {"remoteJid": JID, "remoteJidAlt": JID}
    assert kit.time.naps == [0.5]


@pytest.mark.parametrize(
    ("options", "texts"),
    [
        ({"sender": "5511222222222@s.whatsapp.net"}, "Bob"),
        ({"quoted": True}, "quoting"),
        ({"where": lambda event: event.text == "chosen"}, "chosen"),
    ],
)
async def test_which_replies_count(kit: Kit, options: dict[str, Any], texts: str) -> None:
    group = {"remoteJid": "120363000000000000@g.us"}
    client = kit.client()
    sent = await sent_by(kit, client, key={**group, "id": ID, "fromMe": True})
    client.feed(update("SERVER_ACK"))
    kit.stub.answer(page())
    ann = {**group, "participant": "5511111111111@s.whatsapp.net"}
    bob = {**group, "participant": "5511222222222@s.whatsapp.net"}
    quote = {"stanzaId": ID, "quotedMessage": {"conversation": "Hello"}}
    heard_while_waiting(
        kit, client, inbound("Ann", key=ann), inbound("Bob", key=bob),
        inbound("quoting", key=ann, contextInfo=quote), inbound("chosen", key=ann),
    )  # fmt: skip
    reply = await kit.run(sent.wait_for_reply(timeout_ms=5_000, **options))
    assert reply.text == texts


async def test_no_reply_is_a_timeout(kit: Kit) -> None:
    client = kit.client()
    sent = await sent_by(kit, client)
    kit.stub.default = page()
    with pytest.raises(WaitTimeoutError, match=f"an answer to message {ID}"):
        await kit.run(sent.wait_for_reply(timeout_ms=1_000))


async def test_of_the_evolution_channel_answers_come_from_a_jid(kit: Kit) -> None:
    client = kit.client()
    sent = await sent_by(kit, client, key={"fromMe": True, "id": ID, "remoteJid": "5511987654321"})
    kit.stub.answer(page({**inbound("hi").raw["data"], "id": "row1"}))
    assert (await kit.run(sent.wait_for_reply())).text == "hi"
    assert kit.stub.last_json["where"]["key"] == {"remoteJid": JID, "remoteJidAlt": JID}


async def test_a_listener_is_gone_afterwards(kit: Kit) -> None:
    client = kit.client()
    sent = await sent_by(kit, client)
    client.feed(update("READ"))
    await kit.run(sent.wait_until("READ"))
    assert client._pipeline.event_bus.listening == 0


async def test_a_message_without_its_client_says_so(kit: Kit) -> None:
    sent = await sent_by(kit, kit.client())
    copy = pickle.loads(pickle.dumps(sent))
    assert copy == sent
    with pytest.raises(ConfigurationError, match=r"client\.messages\.wait_until"):
        await kit.run(copy.wait_until("READ"))
    with pytest.raises(ConfigurationError):
        await kit.run(copy.wait_for_reply())


async def test_a_real_wait_is_woken_from_another_thread(kit: Kit) -> None:
    import asyncio
    import threading

    client = kit.client(sleep=None)
    client.feed(update("SERVER_ACK", "another"))
    sent = await sent_by(kit, client)
    kit.stub.default = (200, [])
    listening = client._pipeline.event_bus.listen

    def listen(listener: Any, **options: Any) -> Any:
        end = listening(listener, **options)
        threading.Thread(target=client.feed, args=(update("READ"),)).start()
        return end

    client._pipeline.event_bus.listen = listen
    if kit.colour == "async":
        assert await asyncio.wait_for(sent.wait_until("READ"), 10) is MessageStatus.READ
    else:
        found = await asyncio.to_thread(sent.wait_until, "READ", timeout_ms=10_000)
        assert found is MessageStatus.READ
