"""Which events count as the same: the laws of the keys; and being frozen, picklable, discreet."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import event_corpus as corpus
import pytest

from evolution_sdk import events as ev

CLOSE = {"event": "connection.update", "instance": "a", "data": {"state": "close"}}


def key(body: Any, **more: Any) -> str:
    return ev.parse_event(body, **more).dedupe_key


def plain(value: Any) -> Any:
    """Bytes as index maps: what a webhook makes of an attachment."""
    if isinstance(value, bytes):
        return {str(place): byte for place, byte in enumerate(value)}
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list) else value


def turned(value: Any) -> Any:
    """The same JSON with the keys of every object the other way round."""
    if isinstance(value, dict):
        return {name: turned(inner) for name, inner in reversed(value.items())}
    return [turned(inner) for inner in value] if isinstance(value, list) else value


def told(row: corpus.Recorded) -> str:
    return json.dumps([row.body[n] for n in ("event", "instance")] + [plain(row.body["data"])])


ENVELOPES = [row for row in corpus.WEBHOOKS if "data" in row.body and "instance" in row.body]
PAIRS = [
    (hook, other)
    for hook in ENVELOPES
    for other in (*corpus.SOCKET, *corpus.QUEUE)
    if other.body["date_time"] == hook.body["date_time"]
    and other.body["event"] == hook.body["event"]
    and other.body["instance"] == hook.body["instance"]
]


def test_the_transports_agree() -> None:
    assert len(PAIRS) > 60
    for hook, other in PAIRS:
        one = ev.parse_event(hook.text, source="webhook")
        two = ev.parse_event(other.body, source="socket")
        assert one.dedupe_key == two.dedupe_key
        assert one.delivery_key == two.delivery_key


def test_copies_have_one_key_and_different_facts_have_different_ones() -> None:
    by_key: dict[str, set[str]] = {}
    for row in ENVELOPES:
        by_key.setdefault(key(row.text), set()).add(told(row))
    assert all(len(facts) == 1 for facts in by_key.values())
    assert len(by_key) == len({told(row) for row in ENVELOPES})


@pytest.mark.parametrize("row", corpus.EVERYTHING, ids=lambda row: f"{row.transport}{row.where}")
def test_what_the_way_changes_does_not_count(row: corpus.Recorded) -> None:
    if row.where in ("/direct-template", "/direct-template-status"):
        return
    other = {**row.body, "date_time": "x", "destination": "y", "apikey": "z", "server_url": "w"}
    assert key(row.body, source="webhook") == key(other, source="backfill")
    assert key(row.body) == key(turned(row.body))
    assert key(row.body) != key({**row.body, "instance": "another"})


def test_each_status_is_an_event_of_its_own() -> None:
    update = {"keyId": "A", "remoteJid": "1@s.whatsapp.net", "fromMe": True}
    words = ("SERVER_ACK", "DELIVERY_ACK", "READ", "PLAYED")
    bodies = [
        {"event": "messages.update", "instance": "a", "data": {**update, "status": word}}
        for word in words
    ]
    assert len({key(body) for body in bodies}) == len(words)
    # The database id is absent when the server stores nothing.
    stored = {**bodies[0]["data"], "messageId": "row", "instanceId": "uuid"}
    assert key({**bodies[0], "data": stored}) == key(bodies[0])
    by_member = [{**bodies[2]["data"], "participant": f"{n}@lid"} for n in (1, 2)]
    assert len({key({**bodies[2], "data": data}) for data in by_member}) == 2


def test_embedded_files_and_names_do_not_make_another_message() -> None:
    body = corpus.message_body("3A000000000000000003")
    again = copy.deepcopy(body)
    again["data"]["message"].pop("base64")
    again["data"]["pushName"] = "Ada Lovelace"
    assert key(body) == key(again)
    again["data"]["key"]["remoteJid"] = "5511900000000@s.whatsapp.net"
    assert key(body) != key(again)


def test_an_edit_counts_once_per_time_in_every_number_format() -> None:
    edit = {"key": {"id": "A", "remoteJid": "1@lid"}, "editedMessage": {"conversation": "x"}}
    forms = [("MESSAGE_EDIT", "1700000000000"), (14, 1_700_000_000_000)]
    bodies = [
        {
            "event": "messages.edited",
            "instance": "a",
            "data": {**edit, "type": t, "timestampMs": at},
        }
        for t, at in forms
    ]
    assert key(bodies[0]) == key(bodies[1])
    later = {**bodies[0]["data"], "timestampMs": "1700000000001"}
    assert key(bodies[0]) != key({**bodies[0], "data": later})
    assert key(bodies[0]) != key({**bodies[0], "data": {**edit, "type": "REVOKE"}})


def test_a_state_told_again_is_a_new_delivery_but_a_retry_is_not() -> None:
    first, retry, later = (
        ev.parse_event({**CLOSE, "date_time": stamp}) for stamp in ("t1", "t1", "t2")
    )
    assert first.dedupe_key == retry.dedupe_key == later.dedupe_key
    assert first.delivery_key == retry.delivery_key != later.delivery_key
    logouts = [ev.parse_event(row.body) for row in corpus.of_kind("logout.instance")]
    assert len({event.dedupe_key for event in logouts}) == 1
    assert len({event.delivery_key for event in logouts}) == 2, "two logouts were recorded"
    message = corpus.message_body("DUP")
    stamps = [ev.parse_event({**message, "date_time": stamp}) for stamp in ("t1", "t2")]
    assert len({event.delivery_key for event in stamps}) == 1


def test_events_survive_pickling_and_copying() -> None:
    bodies = [*(row.body for row in corpus.EVERYTHING), {"event": "new.one", "data": 1}]
    for body in bodies:
        event = ev.parse_event(body, source="queue")
        event.data  # noqa: B018 - what was read before must not be in the way
        for made in (pickle.loads(pickle.dumps(event)), copy.copy(event), copy.deepcopy(event)):
            assert type(made) is type(event)
            assert made == event
            assert hash(made) == hash(event)
            assert made.delivery_key == event.delivery_key
    broken = ev.parse_event(b"{", source="webhook")
    assert pickle.loads(pickle.dumps(broken)) == broken


def test_events_cannot_be_changed() -> None:
    event = ev.parse_event(CLOSE)
    for name in ("event", "instance", "source", "anything"):
        with pytest.raises(AttributeError, match="cannot be changed"):
            setattr(event, name, "x")
    with pytest.raises(AttributeError):
        del event.instance


SECRET = "s3cr3t-VALUE"


def poisoned(value: Any, name: str = "") -> Any:
    """The same shape with a secret in every text that people or keys could have written."""
    if isinstance(value, dict):
        return {key: poisoned(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [poisoned(inner, name) for inner in value]
    hidden = isinstance(value, str) and name not in _MAY_SHOW
    return SECRET if hidden else value


_MAY_SHOW = {
    "mimetype",
    "mime_type",
    "stanzaId",
    "message_template_name",
    "event",
    "instance",
    "id",
    "keyId",
    "remoteJid",
    "participant",
    "status",
    "type",
} | {
    *(
        "state",
        "action",
        "messageType",
        "chatId",
        "labelId",
        "jid",
        "instanceName",
        "addressingMode",
    )
}


@pytest.mark.parametrize("row", corpus.EVERYTHING, ids=lambda row: f"{row.transport}{row.where}")
def test_nothing_written_by_people_and_no_key_shows(row: corpus.Recorded) -> None:
    event = ev.parse_event({**poisoned(row.body), "apikey": SECRET, "api_key": SECRET})
    shown = [event] if isinstance(event, ev.ChatsDelete) else [event, event.data]
    if isinstance(event, ev.MessageEvent):
        parts = ("message", "media", "quoted", "reaction", "selected", "location", "contacts")
        shown += [getattr(event, part) for part in (*parts, "poll")]
    for thing in shown:
        for text in (repr(thing), str(thing), f"{thing}"):
            assert SECRET not in text
    assert SECRET not in event.delivery_key.partition("@")[0]


def test_a_qr_code_does_not_show() -> None:
    body = next(
        row.body for row in corpus.of_kind("qrcode.updated") if "qrcode" in row.body["data"]
    )
    event = ev.parse_event(body)
    assert isinstance(event, ev.QrcodeUpdated)
    assert event.qrcode is not None
    assert event.qrcode.code == body["data"]["qrcode"]["code"]
    for thing in (event, event.data, event.qrcode):
        assert event.qrcode.code not in repr(thing)
        assert "base64" not in repr(thing)
