"""Filters: what each says about recorded events, how they combine, what they may not do."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolution_sdk.errors import ConfigurationError
from evolution_sdk.events import Event, filters, parse_event
from evolution_sdk.events.filters import Filter
from facts import read

PHONE = "5511999998888@s.whatsapp.net"


def message(content: dict[str, Any] | None = None, **more: Any) -> Event[Any]:
    key = {"remoteJid": more.pop("chat", PHONE), "fromMe": more.pop("from_me", False), "id": "A1"}
    key.update(more.pop("key", {}))
    content = {"conversation": "oi"} if content is None else content
    data = {
        "key": key,
        "message": content,
        "messageType": next(iter(content)),
        "messageTimestamp": 1_700_000_000,
        **more.pop("data", {}),
    }
    raw = {"event": "messages.upsert", "instance": "sales", "data": data, **more}
    return parse_event(raw, source="webhook")


def update(status: str) -> Event[Any]:
    data = {"keyId": "A1", "remoteJid": PHONE, "fromMe": True, "status": status}
    return parse_event({"event": "messages.update", "instance": "sales", "data": data})


TEXT = message()


def LATER() -> float:  # noqa: N802 - used as a constant
    return 1_700_000_061


GROUP = message(chat="120363@g.us", key={"participant": "77@lid", "participantAlt": PHONE})
CALL = parse_event({"event": "call", "instance": "sales", "data": {"id": "1", "status": "offer"}})
WITH = {
    "image": message({"imageMessage": {"caption": "Olha"}}),
    "voice": message({"audioMessage": {"ptt": True}}),
    "audio": message({"audioMessage": {}}),
    "reaction": message({"reactionMessage": {"text": "👍", "key": {"id": "B"}}}),
    "choice": message(
        {"listResponseMessage": {"title": "Sim", "singleSelectReply": {"selectedRowId": "yes"}}}
    ),
    "place": message({"locationMessage": {"degreesLatitude": 1, "degreesLongitude": 2}}),
    "card": message({"contactMessage": {"displayName": "x", "vcard": ""}}),
    "poll": message({"pollCreationMessage": {"name": "?", "options": []}}),
    "answer": message(
        data={"contextInfo": {"stanzaId": "Q", "mentionedJid": [PHONE], "isForwarded": True}}
    ),
    "hello": message(data={"contextInfo": {"mentionedJid": [PHONE]}}, sender=PHONE),
    "young": message(data={"messageTimestamp": 1_700_000_050}),
    "story": message(chat="status@broadcast", key={"participant": PHONE}),
    "lid": message(chat="77@lid", key={"remoteJidAlt": PHONE}),
    "own": message(from_me=True),
    "command": message({"conversation": "/Start now  please"}),
    "list": message(chat="123@broadcast"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "yes", "no"),
    [
        (filters.text, TEXT, WITH["image"]),
        (filters.text("OI ", "x"), TEXT, WITH["command"]),
        (filters.startswith("OL"), WITH["image"], TEXT),
        (filters.contains("lh"), WITH["image"], TEXT),
        (filters.regex("^o"), TEXT, WITH["image"]),
        (filters.command("start"), WITH["command"], TEXT),
        (filters.command(), WITH["command"], TEXT),
        (filters.from_me, WITH["own"], TEXT),
        (filters.group, GROUP, TEXT),
        (filters.private, TEXT, GROUP),
        (filters.private, WITH["lid"], WITH["story"]),
        (filters.broadcast, WITH["list"], TEXT),
        (filters.broadcast, WITH["story"], TEXT),
        (filters.story, WITH["story"], WITH["list"]),
        (filters.lid, GROUP, TEXT),
        (filters.lid, WITH["lid"], TEXT),
        (filters.instance("sales"), TEXT, parse_event({"event": "call", "data": {}})),
        (filters.chat("120363@g.us"), GROUP, TEXT),
        (filters.chat("+55 11 99999-8888"), WITH["lid"], GROUP),
        (filters.sender("5511999998888"), GROUP, WITH["own"]),
        (filters.media, WITH["voice"], TEXT),
        (filters.media.image, WITH["image"], WITH["voice"]),
        (filters.media.audio, WITH["voice"], WITH["image"]),
        (filters.media.voice, WITH["voice"], WITH["audio"]),
        (filters.quoted, WITH["answer"], TEXT),
        (filters.forwarded, WITH["answer"], TEXT),
        (filters.mentions, WITH["answer"], TEXT),
        (filters.mentions("5511999998888"), WITH["answer"], TEXT),
        (filters.mentions_me, WITH["hello"], WITH["answer"]),
        (filters.reaction, WITH["reaction"], TEXT),
        (filters.reaction("👍"), WITH["reaction"], TEXT),
        (filters.selected, WITH["choice"], TEXT),
        (filters.selected("yes"), WITH["choice"], TEXT),
        (filters.selected("Sim"), WITH["choice"], TEXT),
        (filters.location, WITH["place"], TEXT),
        (filters.contact, WITH["card"], TEXT),
        (filters.poll, WITH["poll"], TEXT),
        (filters.kind("poll", "sticker"), WITH["poll"], TEXT),
        (filters.status("READ"), update("READ"), update("DELIVERY_ACK")),
        (filters.source("webhook"), TEXT, parse_event(TEXT.raw, source="socket")),
        (filters.backfill, parse_event(TEXT.raw, source="backfill"), TEXT),
        (filters.older_than_s(60, clock=LATER), TEXT, WITH["young"]),
        (filters.newer_than_s(60, clock=LATER), WITH["young"], TEXT),
    ],
    ids=repr,
)  # fmt: skip
def test_each_says_yes_and_no(asked: Filter[Any], yes: Event[Any], no: Event[Any]) -> None:
    assert asked.check(yes)
    assert not asked.check(no)
    assert not (~asked).check(yes)


def test_an_unknown_time_is_neither_old_nor_new() -> None:
    unknown = message(data={"messageTimestamp": None})
    assert unknown.timestamp == datetime(1970, 1, 1, tzinfo=UTC)
    assert not filters.older_than_s(1).check(unknown)
    assert not filters.newer_than_s(1).check(unknown)


ALL = [
    getattr(filters, name) for name in filters.__all__ if isinstance(getattr(filters, name), Filter)
]


def test_none_raises_about_any_recorded_event() -> None:
    for recording in read("webhooks.json"):
        event = parse_event(recording["json"])
        assert all(isinstance(one.check(event), bool) for one in ALL)
        assert all(one.check(CALL) is False for one in ALL)


def test_they_read_like_the_expression_that_made_them() -> None:
    made = filters.text & ~filters.from_me | filters.chat("123@g.us") & filters.command("a", "b")
    assert repr(made) == "((text & ~from_me) | (chat('123@g.us') & command('a', 'b')))"
    assert repr(filters.new(lambda event: True, name="mine")) == "mine"


def test_what_was_found_goes_to_the_handler() -> None:
    both = filters.command("start") & filters.regex("(n)ow")
    found = both.find(WITH["command"])
    assert found is not None
    assert found["command"] == ("start", ("now", "please"), "now  please")
    assert found["match"][1] == "n"


@given(st.recursive(st.booleans(), lambda inner: st.tuples(st.sampled_from("&|~"), inner, inner)))
async def test_the_algebra_is_that_of_bool_in_both_colours(tree: Any) -> None:
    asked: list[int] = []

    def build(node: Any, colour: str) -> tuple[Filter[Any], bool]:
        if isinstance(node, bool):

            async def later(event: Any) -> bool:
                return node

            is_async = colour == "async"
            return filters.new(later if is_async else lambda event: node, name=str(node)), node
        sign, a, b = node
        (left, x), (right, y) = build(a, colour), build(b, colour)
        if sign == "~":
            return ~left, not x
        return (left & right, x and y) if sign == "&" else (left | right, x or y)

    sync_filter, truth = build(tree, "sync")
    async_filter, _ = build(tree, "async")
    assert sync_filter.check(TEXT) is truth
    assert await sync_filter.check_async(TEXT) is truth
    assert await async_filter.check_async(TEXT) is truth
    assert async_filter.is_async
    assert not sync_filter.is_async
    assert not asked


def test_the_second_is_asked_only_when_it_matters() -> None:
    asked: list[str] = []
    second = filters.new(lambda event: bool(asked.append("x")))
    assert not (filters.from_me & second).check(TEXT)
    assert (filters.text | second).check(TEXT)
    assert not asked


def test_an_async_one_is_refused_without_await() -> None:
    @filters.new
    async def slow(event: Event[Any]) -> bool:
        return True

    with pytest.raises(ConfigurationError, match="slow"):
        (filters.text & slow).check(TEXT)


def test_python_words_are_no_operators_here() -> None:
    with pytest.raises(TypeError, match="Combine filters"):
        _ = filters.text and filters.from_me
    with pytest.raises(TypeError):
        _ = filters.text & True  # type: ignore[operator]  # the mistake under test
    for word in (filters.startswith, filters.contains, filters.kind, filters.text):
        with pytest.raises(ConfigurationError, match="at least one"):
            word()


@pytest.mark.parametrize("content", [
    {"imageMessage": {"caption": "oi"}},
    {"contactMessage": {"displayName": "oi", "vcard": ""}},
    {"editedMessage": {"message": {"conversation": "oi"}}},
    {"pollCreationMessage": {"name": "oi", "options": []}},
])  # fmt: skip
def test_a_text_with_values_is_a_plain_text_too(content: dict[str, Any]) -> None:
    """What ``filters.text("oi")`` takes, ``filters.text`` takes (fields of the protobuf)."""
    record = {"key": {"id": "A", "remoteJid": "5511900000002@s.whatsapp.net"}, "message": content}
    event = parse_event({"event": "messages.upsert", "instance": "a", "data": record})
    assert filters.startswith("oi").check(event)
    assert not filters.text("oi").check(event)
