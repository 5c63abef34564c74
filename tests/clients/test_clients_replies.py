"""Which messages are answers, and that none is missed between a send and its wait."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from evolution_sdk import WaitTimeoutError
from evolution_sdk.events import parse_event
from evolution_sdk.testing import no_retry_delays
from evolution_sdk.tracking.event_bus import Cursor

from .conftest import Kit, record
from .test_clients_following import ID, JID, heard_while_waiting, inbound, page, sent_by, update

LID = "123456789012345@lid"
AT = record()["messageTimestamp"]


def stored(event: Any, row: str) -> Any:
    return {**event.raw["data"], "id": row}


async def nobody_answers(kit: Kit, client: Any, sent: Any, **options: Any) -> WaitTimeoutError:
    with pytest.raises(WaitTimeoutError) as caught:
        await kit.run(client.messages.wait_for_reply(sent, timeout_ms=1_000, **options))
    return caught.value


async def test_what_is_answered_is_not_the_answer(kit: Kit) -> None:
    """The message that a bot reacts to has the very second of its question."""
    client = kit.client()
    sent = await sent_by(kit, client)
    before, after = inbound("before", at=AT), inbound("after", at=AT)
    own = {**record(), "id": "row2"}
    kit.stub.default = page(own, stored(before, "row1"))
    await nobody_answers(kit, client, sent)
    kit.stub.default = page(stored(before, "row1"))
    await nobody_answers(kit, client, sent)
    kit.stub.default = page(stored(after, "row3"), own, stored(before, "row1"))
    assert (await kit.run(sent.wait_for_reply())).text == "after"


async def test_the_rows_decide_where_the_servers_clock_is_behind(kit: Kit) -> None:
    client = kit.client()
    sent = await sent_by(kit, client)
    before = inbound("before", at=AT + 3)
    kit.stub.default = page(stored(before, "row1"), {**record(), "id": "row2"})
    await nobody_answers(kit, client, sent)


async def test_between_a_send_and_its_wait_no_event_is_missed(kit: Kit) -> None:
    """Also where the server stores nothing."""
    client = kit.client()
    client.feed(inbound("before", at=AT))
    sent = await sent_by(kit, client)
    kit.stub.default = page()
    client.feed(inbound("own", at=AT, key={"fromMe": True}))
    file = {"conversation": "answer", "base64": "QUJD" * 1_000}
    client.feed(inbound("answer", at=AT, message=file))
    asked = len(kit.stub.requests)
    reply = await kit.run(sent.wait_for_reply())
    assert (reply.text, reply.is_bound) == ("answer", True)
    assert "base64" not in reply.raw["data"]["message"], "files are not remembered"
    assert len(kit.stub.requests) == asked
    heard_while_waiting(kit, client)
    await nobody_answers(kit, client, pickle.loads(pickle.dumps(sent)))
    other = kit.client()
    await nobody_answers(kit, other, sent)


async def test_what_is_remembered_is_bounded(kit: Kit) -> None:
    client = kit.client()
    for number in range(2_000):
        client.feed(inbound(str(number)))
        client.feed(update("READ", str(number)))
    bus = client._pipeline.event_bus
    assert (len(bus._messages), len(bus._statuses)) == (500, 1_000)


@pytest.mark.parametrize("word", ["remoteJidAlt", "senderPn"])
async def test_an_answer_under_a_hidden_id_counts(kit: Kit, word: str) -> None:
    client = kit.client()
    sent = await sent_by(kit, client)
    client.feed(inbound("hidden", key={"remoteJid": LID, word: JID}))
    assert (await kit.run(sent.wait_for_reply())).text == "hidden"


async def test_an_answer_is_looked_for_under_the_hidden_id_that_was_learned(kit: Kit) -> None:
    client = kit.client()
    client.feed(inbound("earlier", at=AT - 60, key={"remoteJid": LID, "remoteJidAlt": JID}))
    sent = await sent_by(kit, client)
    hidden = inbound("hidden", key={"remoteJid": LID})
    kit.stub.answer(page(), page(stored(hidden, "row1")))
    assert (await kit.run(sent.wait_for_reply())).text == "hidden"
    assert kit.stub.last_json["where"]["key"] == {"remoteJid": LID, "remoteJidAlt": LID}


async def test_the_other_form_of_a_brazilian_line_is_the_same_chat(kit: Kit) -> None:
    client = kit.client()
    sent = await sent_by(kit, client)
    client.feed(inbound("short", key={"remoteJid": "551187654321@s.whatsapp.net"}))
    assert (await kit.run(sent.wait_for_reply())).text == "short"


async def test_edits_and_deletions_are_no_answers(kit: Kit) -> None:
    client = kit.client()
    sent = await sent_by(kit, client)
    revoke = {"protocolMessage": {"type": "REVOKE", "key": {"id": "x"}}}
    client.feed(inbound("gone", message=revoke, messageType="protocolMessage"))
    client.feed(inbound("yes"))
    assert (await kit.run(sent.wait_for_reply())).text == "yes"


async def test_a_late_status_is_known_to_the_error(kit: Kit) -> None:
    client = kit.client()
    sent = await sent_by(kit, client)
    kit.stub.default = (200, [{"keyId": ID, "status": "SERVER_ACK"}])
    with pytest.raises(WaitTimeoutError) as caught:
        await kit.run(sent.wait_until("READ", timeout_ms=1_000))
    assert caught.value.last_status == "SERVER_ACK"
    assert pickle.loads(pickle.dumps(caught.value)).last_status == "SERVER_ACK"
    kit.stub.default = page()
    assert (await nobody_answers(kit, client, sent)).last_status is None


async def test_without_waits_a_wait_still_ends(kit: Kit) -> None:
    client = kit.client(sleep=None)  # its own, which the switch leaves out
    sent = await sent_by(kit, client)
    kit.stub.default = (200, [])
    asked = len(kit.stub.requests)
    with no_retry_delays(), pytest.raises(WaitTimeoutError):
        await kit.run(sent.wait_until("READ", timeout_ms=60_000))
    assert kit.time.naps == []
    assert 5 < len(kit.stub.requests) - asked < 20


async def test_beside_events_the_store_is_asked_now_and_then(kit: Kit) -> None:
    client = kit.client()
    client.feed(update("SERVER_ACK", "another"))  # statuses of this one are not told
    sent = await sent_by(kit, client)
    kit.stub.answer((200, []), (200, []), (200, [{"keyId": ID, "status": "READ"}]))
    waits = heard_while_waiting(kit, client)
    assert str(await kit.run(sent.wait_until("READ", timeout_ms=60_000))) == "READ"
    assert waits == [15_000, 15_000]


async def test_events_of_every_shape_can_be_fed(kit: Kit) -> None:
    client = kit.client()
    for data in (None, [], [record()], "x", {"key": None}, {"key": {}, "message": 1}):
        client._pipeline.event_bus.feed(parse_event({"event": "messages.upsert", "data": data}))
    client._pipeline.event_bus.feed(object())
    assert client._pipeline.event_bus.since(Cursor(client._pipeline.event_bus, 0)) != ()
