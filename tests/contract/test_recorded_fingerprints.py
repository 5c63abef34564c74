"""Each recorded send is recognised by its own record, and by no other one.

Recorded: every 201 of a send on the three channels, what findMessages showed of them later, and
the `send.message` events that webhooks received.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from contract_recordings import VERSIONS, Exchange, exchanges

from evolution_sdk import OPERATIONS
from evolution_sdk.identity import LidMap
from evolution_sdk.operations.operation import sent_kind
from evolution_sdk.reconcile.fingerprint import Fingerprint, fingerprint
from facts import read


class Send(NamedTuple):
    """One recorded send: what was asked, what was answered."""

    id: str
    version: str
    channel: str
    operation: str
    body: dict[str, Any]
    record: dict[str, Any]

    @property
    def same_as(self) -> tuple[str, str]:
        return self.operation, json.dumps(self.body, sort_keys=True)


def _sent(exchange: Exchange) -> Send | None:
    request = exchange.request
    body = request.get("json") or (request.get("multipart") or {}).get("fields")
    keyed = isinstance(exchange.data, dict) and isinstance(exchange.data.get("key"), dict)
    if exchange.status != 201 or not exchange.operation.startswith("message.send") or not keyed:
        return None
    version = exchange.version
    return Send(exchange.id, version, exchange.channel, exchange.operation, body, exchange.data)


def _sends(version: str) -> Iterator[Send]:
    for exchange in exchanges("message", "baileys_exchanges", version=version):
        sent = _sent(exchange)
        if sent is not None:
            yield sent


def _stored(version: str) -> Iterator[tuple[str, Any]]:
    for exchange in exchanges("chat", "baileys_exchanges", version=version):
        if exchange.operation == "chat.find_messages" and exchange.status == 200:
            for record in exchange.data["messages"]["records"]:
                yield f"{version} {record['key']['id']}", record


SENDS = [sent for version in VERSIONS for sent in _sends(version)]
STORED = dict(pair for version in VERSIONS for pair in _stored(version))
# Read back after its text had been edited.
EDITED = {"2.3.7-sendText-simulated", "2.4-pre-sendText-simulated"}


def _row(send: Send) -> Any:
    return STORED.get(f"{send.version} {send.record['key']['id']}")


AGAIN = [send for send in SENDS if _row(send) is not None and send.id not in EDITED]


def _mark(send: Send) -> Fingerprint:
    """What the send would have left, where the client knows the person's other id."""
    book = LidMap()
    book.learn_number(send.body.get("number"), send.record["key"]["remoteJid"])
    return fingerprint(sent_kind(OPERATIONS[send.operation]), send.body).resolved(book)


# The store keeps nothing by which these could be told apart: not the bytes of a file, and on
# EVOLUTION not even caption or name. Chat, kind, caption and file name are the same.
LOOK_ALIKE = {
    # one picture by URL, one by base64, the same caption
    frozenset({"message.sendMedia.media_image_url-simulated",
               "message.sendMedia.media_image_base64-simulated"}),
    # two files of one name
    frozenset({"message.sendMedia.media_document_base64-simulated",
               "message.sendMedia.multipart_document-simulated"}),
    # two voice notes; two round videos
    frozenset({"message.sendWhatsAppAudio.audio_url-simulated",
               "message.sendWhatsAppAudio.multipart-simulated"}),
    frozenset({"message.sendPtv.ptv_base64-simulated", "message.sendPtv.multipart-simulated"}),
    # two uploaded files of one kind on EVOLUTION
    frozenset({"message.sendMedia.media_image_base64-evolution",
               "message.sendMedia.multipart_image-evolution"}),
    frozenset({"message.sendMedia.media_audio_base64-evolution",
               "message.sendWhatsAppAudio.multipart-evolution"}),
    # an uploaded voice note on Business: its body has no bytes to compare
    frozenset({"message.sendWhatsAppAudio.multipart-business",
               "message.sendWhatsAppAudio.audio_base64-business"}),
}  # fmt: skip


def _pair(one: str, other: str) -> frozenset[str]:
    """Two sends whatever the version."""
    return frozenset(
        re.sub(r"^2\.[\w.]+?(-pre)?-(?=message|send)", "", name) for name in (one, other)
    )


def test_enough_was_recorded() -> None:
    kinds = {send.operation.removeprefix("message.send_") for send in SENDS}
    assert kinds == {
        "text", "media", "ptv", "whatsapp_audio", "sticker", "location", "contact", "reaction",
        "poll", "list", "buttons", "carousel", "template", "status",
    }  # fmt: skip
    assert {send.channel for send in SENDS} == {"simulated", "business", "evolution"}
    assert len(SENDS) >= 220
    assert len(AGAIN) >= 120


@pytest.mark.parametrize("send", SENDS, ids=lambda send: send.id)
def test_a_send_is_recognised_by_its_own_record_only(send: Send) -> None:
    mark = _mark(send)
    assert mark.matches(send.record)
    place = (send.version, send.channel)
    others = [o for o in SENDS if (o.version, o.channel) == place and o.same_as != send.same_as]
    taken = {other.id for other in others if mark.matches(other.record)}
    assert all(_pair(send.id, other) in LOOK_ALIKE for other in taken), taken


@pytest.mark.parametrize("send", AGAIN, ids=lambda send: send.id)
def test_a_send_is_recognised_by_what_find_messages_shows_of_it(send: Send) -> None:
    """Bytes are written differently there, and the answer has no status."""
    assert _mark(send).matches(_row(send))


@pytest.mark.parametrize("send", AGAIN, ids=lambda send: send.id)
def test_what_find_messages_shows_of_another_send_is_not_taken_for_it(send: Send) -> None:
    """What a store keeps least of is where two sends could be taken for one another."""
    mark, place = _mark(send), (send.version, send.channel)
    for other in AGAIN:
        if (other.version, other.channel) == place and other.same_as != send.same_as:
            alike = _pair(send.id, other.id) in LOOK_ALIKE
            assert alike or not mark.matches(_row(other)), other.id


def test_each_look_alike_really_is_one() -> None:
    """A pair that can be told apart now must leave the list."""
    by_id = {send.id: send for send in SENDS}
    for pair in LOOK_ALIKE:
        one, other = (by_id[name] for name in pair)
        assert _mark(one).matches(other.record) or _mark(other).matches(one.record), pair


@pytest.mark.parametrize("channel", ["simulated", "business", "evolution"])
def test_the_same_text_to_somebody_else_is_another_message(channel: str) -> None:
    for send in (s for s in SENDS if s.channel == channel and "number" in s.body):
        body = {**send.body, "number": "5521912345678"}
        mark = fingerprint(sent_kind(OPERATIONS[send.operation]), body)
        assert not mark.matches(send.record), send.id


def test_events_are_recognised_by_the_request_that_caused_them() -> None:
    events = [e for e in read("webhooks.json") if e["json"].get("event") == "send.message"]
    texts = [e["json"]["data"] for e in events if "conversation" in e["json"]["data"]["message"]]
    assert len(texts) >= 10
    for data in texts:
        number = data["key"]["remoteJid"].partition("@")[0]
        mark = fingerprint("text", {"number": number, "text": data["message"]["conversation"]})
        assert mark.matches(data)
        assert sum(mark.matches(other) for other in texts) == sum(
            other["message"] == data["message"] for other in texts
        )
