"""Every recorded delivery becomes its class, and nothing of it is lost."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import event_corpus as corpus
import pytest

from evolution_sdk import events as ev
from evolution_sdk.events.parse import event_class
from evolution_sdk.models import EVENT_NAMES
from evolution_sdk.models.base import Model

# Bodies without an envelope: what the facts say they are, by path.
BARE = {"/direct-template": ev.MessagesUpdate, "/direct-template-status": ev.TemplateStatusUpdate}


def camel(wire: str) -> str:
    return "".join(part.capitalize() for part in re.split(r"[.-]", wire))


def expected_class(row: corpus.Recorded) -> type[ev.Event[Any]]:
    if row.where in BARE:
        return BARE[row.where]
    if row.where == "/errors":
        return ev.ServerErrorReport
    found: type[ev.Event[Any]] = getattr(ev, camel(row.body["event"]))
    return found


def test_the_corpus_is_all_there() -> None:
    assert (len(corpus.WEBHOOKS), len(corpus.SOCKET), len(corpus.QUEUE)) == (175, 130, 5)


def test_there_is_a_class_for_each_event_of_the_server() -> None:
    assert len(corpus.NAMES) == 33
    assert set(ev.EVENT_CLASSES) == {row["wire"] for row in corpus.NAMES}
    for row in corpus.NAMES:
        kind = ev.EVENT_CLASSES[row["wire"]]
        assert kind is getattr(ev, camel(row["wire"]))
        assert kind.subscription_name() == row["config_name"]
        later = row["wire"] == "messaging-history.set"  # offered from 2.4 on; the facts are 2.3.6's
        assert kind.subscribable() == (row["subscribable_per_instance"] or later)
        assert kind.everywhere() is not later
        assert kind.subscribable() == (row["config_name"] in EVENT_NAMES)
        for spelling in (row["wire"], row["config_name"], row["webhook_suffix"]):
            assert event_class(spelling) is kind


def test_what_no_instance_can_subscribe_to() -> None:
    unreachable = {name for name, kind in ev.EVENT_CLASSES.items() if not kind.subscribable()}
    assert unreachable == {"groups.update", "creds.update"}
    assert not ev.UnknownEvent.subscribable()


@pytest.mark.parametrize("row", corpus.EVERYTHING, ids=lambda row: f"{row.transport}{row.where}")
def test_a_recorded_delivery_parses_into_its_class(row: corpus.Recorded) -> None:
    event = ev.parse_event(row.body)
    assert type(event) is expected_class(row)
    assert event.raw == row.body
    if "data" in row.body:
        assert event.event == row.body["event"]
        assert event.instance == row.body.get("instance", "")
        assert event.date_time == row.body["date_time"]
        assert event.server_url == row.body["server_url"]
        assert event.destination == row.body.get("destination")
        assert event.account == row.body.get("sender")


@pytest.mark.parametrize("row", [*corpus.WEBHOOKS, *corpus.QUEUE], ids=lambda row: row.where)
def test_bytes_text_and_decoded_give_the_same_event(row: corpus.Recorded) -> None:
    made = [ev.parse_event(form) for form in (row.text, row.text.encode(), row.body)]
    made.append(ev.parse_event(bytearray(row.text.encode())))
    made.append(ev.parse_event("\ufeff" + row.text))
    assert all(event == made[0] for event in made)
    assert {event.dedupe_key for event in made} == {made[0].dedupe_key}


def models_of(event: ev.Event[Any]) -> list[tuple[Model, Any]]:
    """Each model of the data beside the JSON it was made of."""
    data = event.raw.get("data", event.raw)
    view = event.data
    if isinstance(view, tuple):
        return [(model, raw) for model, raw in zip(view, data, strict=True)]
    return [(view, data)]


@pytest.mark.parametrize("row", corpus.EVERYTHING, ids=lambda row: f"{row.transport}{row.where}")
def test_the_typed_view_keeps_every_field(row: corpus.Recorded) -> None:
    event = ev.parse_event(row.body)
    for model, raw in models_of(event):
        if raw is None or isinstance(raw, str):
            assert model == raw
            continue
        assert model.drift == (), "a recorded shape that the model does not know"
        if isinstance(event, ev.MessagesDelete) and "key" not in raw:
            model, raw = model.key, {**raw}
        dumped = model.model_dump(by_alias=True, exclude_unset=True)
        # Template statuses use Meta's own snake_case names.
        names = {name.replace("_", "").lower() for name in dumped}
        assert {name.replace("_", "").lower() for name in raw} <= names


def test_both_shapes_of_lists_and_objects() -> None:
    one = ev.parse_event(
        {"event": "contacts.upsert", "instance": "a", "data": {"remoteJid": "1@lid"}}
    )
    many = ev.parse_event(
        {"event": "contacts.upsert", "instance": "a", "data": [{"remoteJid": "1@lid"}]}
    )
    assert isinstance(one, ev.ContactsUpsert)
    assert isinstance(many, ev.ContactsUpsert)
    assert isinstance(one.data, ev.ContactChange)
    assert isinstance(many.data, tuple)
    assert one.contacts == many.contacts == (one.data,)
    assert ev.parse_event({"event": "chats.upsert", "instance": "a", "data": []}).data == ()


def test_both_forms_of_group_members() -> None:
    base = {"id": "120363000000000001@g.us", "action": "add"}
    texts = {**base, "participants": ["1@lid"]}
    objects = {**base, "participants": [{"id": "1@lid", "phoneNumber": "2@s.whatsapp.net"}]}
    for data in (texts, objects):
        event = ev.parse_event(
            {"event": "group-participants.update", "instance": "a", "data": data}
        )
        assert isinstance(event, ev.GroupParticipantsUpdate)
        assert [member.id for member in event.data.participants] == ["1@lid"]
        assert event.data.action is ev.ParticipantAction.ADD


def test_raw_nodes_of_calls_are_told_apart() -> None:
    data = {"event": "CB:call", "packet": {"tag": "call", "attrs": {}, "content": b"\x00"}}
    event = ev.parse_event({"event": "call", "instance": "a", "data": data})
    assert isinstance(event, ev.Call)
    assert event.is_raw_node
    assert event.data.packet == data["packet"]


@pytest.mark.parametrize("name", ["MESSAGES_UPSERT", "messages-upsert", "Messages.Upsert"])
def test_other_spellings_of_a_name(name: str) -> None:
    event = ev.parse_event({**corpus.message_body("DUP"), "event": name})
    assert type(event) is ev.MessagesUpsert
    assert event.event == "messages.upsert"


def test_the_hint_counts_only_where_the_body_names_no_event() -> None:
    body = {"instance": "a", "data": {"state": "open"}}
    assert type(ev.parse_event(body, event_hint="connection-update")) is ev.ConnectionUpdate
    assert type(ev.parse_event(body, event_hint="made-up")) is ev.UnknownEvent
    assert type(ev.parse_event(body)) is ev.MalformedEvent
    named = {**body, "event": "logout.instance", "data": None}
    assert type(ev.parse_event(named, event_hint="connection-update")) is ev.LogoutInstance


def test_v1_updates_and_timestamps() -> None:
    update = {"id": "A1", "remoteJid": "1@s.whatsapp.net", "fromMe": True, "status": "READ"}
    body = {"event": "messages.update", "instance": "a", "data": {**update, "owner": "a"}}
    event = ev.parse_event(body)
    assert isinstance(event, ev.MessagesUpdate)
    assert (event.id, event.status) == ("A1", "READ")
    for stamp in (1_700_000_000, "1700000000", {"low": 1_700_000_000, "high": 0, "unsigned": True}):
        made = corpus.message_body("DUP")
        made["data"]["messageTimestamp"] = stamp
        message = ev.parse_event(made)
        assert isinstance(message, ev.MessagesUpsert)
        assert message.timestamp.isoformat() == "2023-11-14T22:13:20+00:00"


def test_what_the_receiver_knows_is_kept() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    event = ev.parse_event(json.dumps({"event": "call"}), source="queue", received_at=at)
    assert (event.source, event.received_at) == ("queue", at)
