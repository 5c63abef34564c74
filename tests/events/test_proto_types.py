"""Every message type of WhatsApp's protobuf is known, and works inside every wrapper.

`tests/data/proto_message_types.json` holds the names, with the public copies they were read from.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from evolution_sdk.events import MessageKind, MessagesUpsert, parse_event
from evolution_sdk.models.message_types import MESSAGE_TYPES, WITHOUT_CONTENT, WRAPPERS
from facts import ROOT

_FILE = json.loads((ROOT / "tests/data/proto_message_types.json").read_text("utf-8"))
NAMES: dict[str, dict[str, Any]] = _FILE["names"]
ALWAYS_WRAPPERS = sorted(name for name, told in NAMES.items() if told["wrapper"] is True)
FILES = sorted(name for name, row in MESSAGE_TYPES.items() if row.file)


def upsert(content: dict[str, Any]) -> MessagesUpsert:
    key = {"remoteJid": "5511900000002@s.whatsapp.net", "fromMe": False, "id": "A1"}
    data = {"key": key, "message": content, "messageType": next(iter(content))}
    event = parse_event({"event": "messages.upsert", "instance": "loja", "data": data})
    assert isinstance(event, MessagesUpsert)
    return event


def test_the_names_come_from_copies_of_several_ages() -> None:
    assert len(NAMES) >= 112
    for told in NAMES.values():
        assert set(told["in"]) <= set(_FILE["sources"])


def test_each_name_has_a_row() -> None:
    missing = [
        name
        for name in NAMES
        if name not in MESSAGE_TYPES and name not in WRAPPERS and name not in WITHOUT_CONTENT
    ]
    assert not missing


def test_each_wrapper_is_looked_through() -> None:
    assert not [name for name in ALWAYS_WRAPPERS if name not in WRAPPERS]


def test_the_tables_do_not_contradict_each_other() -> None:
    assert not set(WITHOUT_CONTENT) & set(MESSAGE_TYPES)
    assert not WRAPPERS & (set(MESSAGE_TYPES) | set(WITHOUT_CONTENT))
    assert all(row.name == name for name, row in MESSAGE_TYPES.items())


@pytest.mark.parametrize("wrapper", ALWAYS_WRAPPERS)
def test_a_photo_in_a_wrapper_is_a_photo(wrapper: str) -> None:
    photo = {"imageMessage": {"mimetype": "image/jpeg", "caption": "foto", "fileLength": "4"}}
    event = upsert({wrapper: {"message": photo}})
    edited = wrapper == "editedMessage"
    assert event.kind is (MessageKind.EDITED if edited else MessageKind.IMAGE)
    assert event.text == "foto"
    assert event.media is not None
    assert (event.media.mimetype, event.media.size_bytes) == ("image/jpeg", 4)


@pytest.mark.parametrize("wrapper", ALWAYS_WRAPPERS)
def test_a_wrapper_in_a_wrapper_and_the_context_inside(wrapper: str) -> None:
    context = {"stanzaId": "3A00QUOTED", "mentionedJid": ["5511900000001@s.whatsapp.net"]}
    text = {"extendedTextMessage": {"text": "oi", "contextInfo": context}}
    event = upsert({"ephemeralMessage": {"message": {wrapper: {"message": text}}}})
    assert event.text == "oi"
    assert event.quoted is not None
    assert event.quoted.id == "3A00QUOTED"
    assert [str(jid) for jid in event.mentions] == ["5511900000001@s.whatsapp.net"]


# What an encrypted change is about, an edit or a vote, is told inside.
TOLD_INSIDE = {"secretEncryptedMessage"}


@pytest.mark.parametrize("name", sorted(set(MESSAGE_TYPES) - TOLD_INSIDE))
def test_each_row_tells_a_kind(name: str) -> None:
    event = upsert({name: "oi" if name == "conversation" else {}})
    assert event.kind is not MessageKind.UNKNOWN
    assert event.kind is MESSAGE_TYPES[name].kind


@pytest.mark.parametrize("name", FILES)
def test_each_file_is_media(name: str) -> None:
    event = upsert({name: {"mimetype": "image/jpeg", "fileLength": "4", "directPath": "/v/x"}})
    assert event.media is not None
    assert event.media.mimetype == "image/jpeg"


def test_a_name_nobody_knows_keeps_its_word() -> None:
    event = upsert({"brandNewMessage": {"text": "x"}})
    assert event.kind is MessageKind.UNKNOWN
    assert event.message.content_type == "brandNewMessage"
    assert event.message.content == {"brandNewMessage": {"text": "x"}}
