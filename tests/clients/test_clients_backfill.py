"""backfill: every missed message once, oldest first, as the events that told of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from evolution_sdk import RequestValidationError
from evolution_sdk.events import MessagesUpdate, MessagesUpsert, SendMessage, parse_event
from evolution_sdk.tracking.backfill_plan import FEW, windows

from .conftest import Kit, record
from .fake_stage import NUMBER, Stage

T0 = datetime(2026, 11, 23, tzinfo=UTC)
HOUR = timedelta(hours=1)


def stored(number: int, **changes: Any) -> dict[str, Any]:
    key = {"id": f"M{number}", "remoteJid": f"{NUMBER}@s.whatsapp.net", "fromMe": False}
    key.update(changes.pop("key", {}))
    return {**record(key=key, messageTimestamp=1795447000 + number, **changes), "id": f"r{number}"}


def page(*records: Any) -> tuple[int, Any]:
    found = {"total": len(records), "pages": 1, "currentPage": 1, "records": list(records)}
    return 200, {"messages": found}


def since(kit: Kit, ago: timedelta = HOUR) -> datetime:
    return datetime.fromtimestamp(kit.time.now, tz=UTC) - ago


async def test_messages_come_oldest_first_marked_and_answerable(kit: Kit) -> None:
    client = kit.client()
    own = {"fromMe": True}
    kit.stub.default = page(
        stored(3, key=own, source="android"), stored(2, key=own, source="web"), stored(1)
    )
    events = await kit.collect(client.backfill(since=since(kit)))
    assert [(e.plain(), e.id) for e in events] == [
        (MessagesUpsert, "M1"), (SendMessage, "M2"), (MessagesUpsert, "M3"),
    ]  # fmt: skip
    assert {e.source for e in events} == {"backfill"}
    assert {e.instance for e in events} == {"sales"}
    assert all(e.is_bound and e.received_at is not None for e in events)
    kit.stub.answer((201, record()))
    await kit.run(events[0].reply_text("here I am again"))
    assert kit.stub.last_json["number"] == f"{NUMBER}@s.whatsapp.net"


async def test_what_was_seen_is_left_out_whatever_told_of_it(kit: Kit) -> None:
    client = kit.client()
    updates = [{"status": "READ"}, {"status": "DELIVERY_ACK"}]
    mine = stored(2, key={"fromMe": True}, MessageUpdate=updates)
    kit.stub.default = page(stored(4), mine, stored(1))
    live = [
        {"event": "messages.upsert", "data": stored(1)},
        {"event": "send.message", "data": mine},
        {"event": "messages.update", "data": {
            "keyId": "M2", "remoteJid": f"{NUMBER}@s.whatsapp.net", "fromMe": True,
            "status": "DELIVERY_ACK"}},
    ]  # fmt: skip
    known = {parse_event({**each, "instance": "sales"}).dedupe_key for each in live}
    events = await kit.collect(client.backfill(since=since(kit), seen=known.__contains__))
    assert [(e.plain(), e.id) for e in events] == [(MessagesUpdate, "M2"), (MessagesUpsert, "M4")]
    assert str(events[0].status) == "READ"


async def test_what_was_seen_under_the_phone_is_stored_under_the_hidden_id(kit: Kit) -> None:
    """2.3.7 and 2.4 (`facts/versions/baileys.md`, "Stored rows against events")."""
    phone, lid = f"{NUMBER}@s.whatsapp.net", "100000000000003@lid"
    hidden = {"remoteJid": lid, "remoteJidAlt": phone, "addressingMode": "lid"}
    client = kit.client()
    updates = [{"status": "READ"}]
    kit.stub.default = page(
        stored(2, key={**hidden, "fromMe": True}, MessageUpdate=updates), stored(1, key=hidden)
    )
    status = {"keyId": "M2", "remoteJid": phone, "fromMe": True, "status": "READ"}
    live = [
        {"event": "messages.upsert", "data": stored(1, key={"remoteJidAlt": phone})},
        {"event": "send.message", "data": stored(2, key={"fromMe": True})},
        {"event": "messages.update", "data": status},
    ]
    known = {parse_event({**each, "instance": "sales"}).dedupe_key for each in live}
    assert await kit.collect(client.backfill(since=since(kit), seen=known.__contains__)) == []
    events = await kit.collect(client.backfill(since=since(kit)))
    assert [each.chat.server for each in events if each.chat] == ["lid"] * 3, "as it is stored"


@pytest.mark.parametrize("verified", [True, False])
async def test_a_row_that_does_not_name_the_other_id_is_known_by_a_learned_one(
    kit: Kit, verified: bool
) -> None:
    """2.2.3 stores no other id, and writes the chat once more as the participant (recorded)."""
    phone, lid = f"{NUMBER}@s.whatsapp.net", "100000000000003@lid"
    client = kit.client()
    pair = {"key": {"remoteJid": lid, "remoteJidAlt": phone, "id": "P", "fromMe": False}}
    told = {"event": "messages.upsert", "instance": "sales", "data": pair}
    client.feed(told, verified=verified)
    key = {"remoteJid": lid, "fromMe": True}
    kit.stub.default = page(stored(2, key=key, MessageUpdate=[{"status": "READ"}]))
    status = {"keyId": "M2", "remoteJid": phone, "participant": phone, "status": "READ"}
    live = [
        {"event": "send.message", "data": stored(2, key={"fromMe": True})},
        {"event": "messages.update", "data": status},
    ]
    known = {parse_event({**each, "instance": "sales"}).dedupe_key for each in live}
    events = await kit.collect(client.backfill(since=since(kit), seen=known.__contains__))
    assert len(events) == (0 if verified else 2)


async def test_statuses_come_after_their_message_in_order_or_not_at_all(kit: Kit) -> None:
    marks = [{"status": s} for s in ("READ", "SERVER_ACK", "READ", "DELIVERY_ACK")]
    kit.stub.default = page(stored(1, key={"fromMe": True}, MessageUpdate=marks))
    events = await kit.collect(kit.client().backfill(since=since(kit)))
    told = [str(e.status) for e in events[1:]]
    assert told == ["SERVER_ACK", "DELIVERY_ACK", "READ"]
    plain = await kit.collect(kit.client().backfill(since=since(kit), statuses=False))
    assert [e.plain() for e in plain] == [SendMessage]


async def test_the_end_is_pinned_and_windows_follow_each_other(kit: Kit) -> None:
    kit.stub.default = page()
    client = kit.client()
    begin = since(kit, timedelta(days=3))
    await kit.collect(client.backfill(since=begin))
    asked = [
        (where["gte"], where["lte"])
        for where in (json.loads(r.content)["where"]["messageTimestamp"] for r in kit.stub.requests)
    ]
    ends = [tuple(map(datetime.fromisoformat, pair)) for pair in asked]
    assert ends[0][0] == begin.replace(microsecond=0)
    for (_, last), (first, _) in pairwise(ends):
        assert first - last == timedelta(seconds=1)
    assert ends[-1][1] >= datetime.fromtimestamp(kit.time.now, tz=UTC)
    assert len(asked) < 8, "empty stretches are taken in ever greater steps"


async def test_against_the_fake_server(kit: Kit, stage: Stage) -> None:
    """Real paging, more than one page, one second that holds several messages."""
    stage.open_instance()
    begin = since(kit, timedelta(seconds=1))
    for number in range(150):
        stage.fake.receive_text("sales", from_=NUMBER, text=f"t{number}")
        if number % 3 == 0:
            kit.time.now += 1
    client = stage.client()
    sent = await kit.run(client.messages.send_text(NUMBER, "own"))
    kit.time.now += 5
    events = await kit.collect(client.backfill(since=begin))
    told = [e for e in events if not isinstance(e, MessagesUpdate)]
    assert {e.text for e in told} == {*(f"t{n}" for n in range(150)), "own"}
    assert len(told) == 151
    times = [e.timestamp for e in told]
    assert times == sorted(times)
    assert [e.id for e in told if isinstance(e, SendMessage)] == [sent.id]
    await kit.run(client.close())


async def test_another_instance_and_a_missing_one(kit: Kit) -> None:
    kit.stub.default = page(stored(1))
    client = kit.client(instance=None)
    with pytest.raises(RequestValidationError, match="instance"):
        client.backfill(since=since(kit))
    (event,) = await kit.collect(client.backfill(since=since(kit), instance="other"))
    assert event.instance == "other"
    assert kit.stub.last.url.endswith("/chat/findMessages/other")


async def test_naive_times_are_refused(kit: Kit) -> None:
    with pytest.raises(RequestValidationError, match="since"):
        await kit.collect(kit.client().backfill(since=datetime(2026, 1, 1)))
    with pytest.raises(RequestValidationError, match="until"):
        await kit.collect(kit.client().backfill(since=T0, until=datetime(2027, 1, 1)))


def test_full_windows_get_shorter() -> None:
    plan = windows(T0, T0 + timedelta(days=9), 4 * HOUR, timedelta(days=4))
    lengths = []
    found = next(plan)
    for held in (0, 0, FEW, FEW):
        lengths.append(found[1] - found[0] + timedelta(seconds=1))
        found = plan.send(held)
    assert lengths == [4 * HOUR, 8 * HOUR, 16 * HOUR, 8 * HOUR]


def test_a_gap_of_a_moment_is_one_window() -> None:
    assert list(windows(T0, T0, HOUR, HOUR)) == [(T0, T0)]
    assert list(windows(T0 + HOUR, T0, HOUR, HOUR)) == []


async def test_within_a_second_the_rows_tell_the_order(kit: Kit) -> None:
    """Their ids begin with the time of their making; the server's own order is none."""
    rows = [{**stored(n), "messageTimestamp": 1795447000} for n in (2, 3, 1)]
    kit.stub.default = page(*rows)
    events = await kit.collect(kit.client().backfill(since=since(kit)))
    assert [event.id for event in events] == ["M1", "M2", "M3"]
