"""The odd encodings of bytes and of 64-bit integers, and the text of a message."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolution_sdk.models import MediaContent, Message, QrCode, decode_bytes, decode_long
from evolution_sdk.models.content import part, text_of


def signed(word: int) -> int:
    """As the server writes half of a number: negative from 2^31 on."""
    return word - (1 << 32) if word >= 1 << 31 else word


@given(st.integers(-(2**63), 2**63 - 1))
def test_signed_longs_in_every_form(number: int) -> None:
    bits = number & (2**64 - 1)
    low, high = signed(bits & 0xFFFFFFFF), signed(bits >> 32)
    assert decode_long({"low": low, "high": high, "unsigned": False}) == number
    assert decode_long(str(number)) == number
    assert decode_long(number) == number


@given(st.integers(0, 2**64 - 1))
def test_unsigned_longs(number: int) -> None:
    low, high = signed(number & 0xFFFFFFFF), signed(number >> 32)
    assert decode_long({"low": low, "high": high, "unsigned": True}) == number


@pytest.mark.parametrize(
    "value",
    [None, True, "", "--5", "1.5", "5 5", "٣", "9" * 5000, 1.5, float("nan"), float("inf"), [],
     {}, {"low": 1}, {"low": "1", "high": 0}, b"1"],
)  # fmt: skip
def test_what_is_no_long(value: Any) -> None:
    assert decode_long(value) is None


@given(st.binary())
def test_bytes_in_every_form(content: bytes) -> None:
    assert decode_bytes({str(i): byte for i, byte in enumerate(content)}) == content
    assert decode_bytes({"type": "Buffer", "data": list(content)}) == content
    assert decode_bytes(list(content)) == content
    assert decode_bytes(base64.b64encode(content).decode()) == content
    assert decode_bytes(content) == content


@pytest.mark.parametrize(
    "value",
    [None, 7, "not base64!", "é", [256], [-1], ["a"], [None], {"0": 1, "2": 2}, {"a": 1},
     {"type": "Buffer"}, {"type": "Buffer", "data": "x"}, {"0": 10**30}],
)  # fmt: skip
def test_what_is_no_bytes(value: Any) -> None:
    assert decode_bytes(value) is None


def test_media_content_from_either_field() -> None:
    assert MediaContent(base64="YWJj").content == b"abc"
    assert MediaContent(buffer={"type": "Buffer", "data": [97]}).content == b"a"
    assert MediaContent(base64="?").content == b""


@pytest.mark.parametrize(
    ("fields", "ready"),
    [({}, False), ({"count": 0}, False), ({"code": "2@x"}, True), ({"pairingCode": "AB"}, True)],
)
def test_a_qr_code_is_ready_once_there_is_something_to_use(
    fields: dict[str, Any], ready: bool
) -> None:
    assert QrCode.from_wire(fields).ready is ready


@pytest.mark.parametrize(
    ("kind", "message", "text"),
    [
        ("conversation", {"conversation": "hi"}, "hi"),
        ("conversation", {"extendedTextMessage": {"text": "hi"}}, "hi"),
        ("imageMessage", {"imageMessage": {"caption": "hi", "url": "x"}}, "hi"),
        ("imageMessage", {"imageMessage": {"url": "x"}}, None),
        ("documentMessage", {"documentMessage": {"caption": "hi", "title": "t"}}, "hi"),
        ("viewOnceMessage", {"viewOnceMessage": {"message": {"imageMessage": {"caption": "hi"}}}},
         "hi"),
        ("ephemeralMessage", {"ephemeralMessage": {"message": {"conversation": "hi"}}}, "hi"),
        ("contactMessage", {"contactMessage": {"displayName": "hi"}}, "hi"),
        ("pollCreationMessageV3", {"pollCreationMessageV3": {"name": "hi"}}, "hi"),
        ("reactionMessage", {"reactionMessage": {"text": "👍"}}, "👍"),
        ("buttonMessage", {"title": "hi"}, "hi"),
        ("audioMessage", {"audioMessage": {"seconds": 1}}, None),
        ("unknown", {}, None),
        ("imageMessage", {"imageMessage": "odd"}, None),
    ],
)  # fmt: skip
def test_the_text_of_a_message(kind: str, message: dict[str, Any], text: str | None) -> None:
    assert text_of(message, kind) == text
    assert Message.from_wire({"message": message, "messageType": kind}).text == text


def test_a_message_without_content_has_no_text() -> None:
    assert Message().text is None
    assert Message().timestamp.year == 1970


def test_the_content_of_a_wrapped_document() -> None:
    wrapped = {"documentMessage": {"fileName": "a.pdf"}}
    assert part(wrapped, "documentMessage")["fileName"] == "a.pdf"
    outer = {"documentWithCaptionMessage": {"message": wrapped}}
    assert part(outer, "documentMessage")["fileName"] == "a.pdf"
    assert part({"conversation": "x"}, "") == {}


def test_an_id_that_a_client_chose_as_a_number_is_text() -> None:
    """2.4 stores it as it came: recorded as ``message.sendText.messageId.number``."""
    message = Message.from_wire({"key": {"id": 7, "remoteJid": "1@x", "fromMe": True}})
    assert (message.id, message.drift) == ("7", ())
    assert Message.from_wire({"key": {"id": True}}).drift == ("key.id",)
