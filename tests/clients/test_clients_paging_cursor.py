"""Going through the store, pointing at messages, and the options of a message."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolution_sdk._client.compose import compose_values
from evolution_sdk._client.paging import TimeCursor
from evolution_sdk._client.references import key_of, last_message_of, quoted_of
from evolution_sdk.errors import RequestValidationError
from evolution_sdk.identity.chat_forms import STATUS_CHAT
from evolution_sdk.models import MessageKey, StoredMessage
from evolution_sdk.reconcile.fingerprint import fingerprint

START = datetime(2026, 1, 1, tzinfo=UTC)


def message(number: int, second: int) -> StoredMessage:
    return StoredMessage.from_wire(
        {
            "id": f"row{number}",
            "key": {"id": f"W{number}", "remoteJid": "5511999999999@s.whatsapp.net"},
            "messageType": "conversation",
            "messageTimestamp": int(START.timestamp()) + second,
        }
    )


class Store:
    """Answers like the server: newest first, up to a time, in no order within one second."""

    def __init__(self, messages: list[StoredMessage]) -> None:
        self.messages = messages
        self.questions = 0

    def ask(self, cursor: TimeCursor) -> list[StoredMessage]:
        self.questions += 1
        found = [m for m in self.messages if m.timestamp <= cursor.until]
        if self.questions % 2:
            found.reverse()
        found.sort(key=lambda m: m.timestamp, reverse=True)
        return found[: cursor.page_size]


@given(st.lists(st.integers(0, 6), max_size=40), st.integers(1, 7), st.integers(0, 3))
def test_every_message_is_seen_exactly_once(seconds: list[int], size: int, arriving: int) -> None:
    store = Store([message(n, second) for n, second in enumerate(seconds)])
    cursor = TimeCursor(START + timedelta(seconds=6, microseconds=500), size)
    seen: list[str] = []
    while not cursor.done:
        seen += [m.id for m in cursor.accept(store.ask(cursor))]
        # New messages push the pages down meanwhile; they are newer than the question.
        store.messages += [message(1000 + store.questions * 10 + n, 60) for n in range(arriving)]
        assert store.questions <= 3 * len(seconds) + 3
    assert sorted(seen) == sorted(f"W{n}" for n in range(len(seconds)))


def test_a_message_and_its_key_point_alike() -> None:
    key = MessageKey(id="3EB0", remote_jid="1@s.whatsapp.net", from_me=True)
    expected = {"id": "3EB0", "remote_jid": "1@s.whatsapp.net", "from_me": True}
    assert key_of(key) == expected
    assert key_of(StoredMessage(key=key)) == expected
    group = MessageKey(id="1", remote_jid="1@g.us", participant="2@s.whatsapp.net")
    assert key_of(group)["participant"] == "2@s.whatsapp.net"


@pytest.mark.parametrize("key", [MessageKey(id="1"), MessageKey(remote_jid="1@g.us")])
def test_half_a_key_points_nowhere(key: MessageKey) -> None:
    with pytest.raises(RequestValidationError, match="message"):
        key_of(key)


def test_the_last_message_needs_its_time() -> None:
    assert last_message_of(message(1, 5))["message_timestamp"] == int(START.timestamp()) + 5
    with pytest.raises(RequestValidationError, match="timestamp"):
        last_message_of(StoredMessage(key=MessageKey(id="1", remote_jid="1@g.us")))


def test_quoting() -> None:
    assert quoted_of(None) is None
    assert quoted_of("3EB0") == {"key": {"id": "3EB0"}}
    wire = {"key": {"id": "1", "remoteJid": "1@g.us"}, "message": {"conversation": "x"}}
    quoted = StoredMessage.from_wire(wire)
    found = quoted_of(quoted)
    assert found is not None
    assert found["message"] == {"conversation": "x"}
    assert "message" not in (quoted_of(quoted.key) or {})


def test_options_become_body_values() -> None:
    assert set(compose_values({}).values()) == {None}
    assert compose_values({"mentions_every_one": False})["mentions_every_one"] is None
    found = compose_values(
        {"delay_ms": 5, "quoted": "3EB0", "mentioned": ["1"], "mentions_every_one": True}
    )
    assert found == {
        "delay": 5,
        "quoted": {"key": {"id": "3EB0"}},
        "mentioned": ("1",),
        "mentions_every_one": True,
    }


def stored(chat: str, content: object, kind: str = "conversation") -> dict[str, object]:
    return {"key": {"remoteJid": chat, "fromMe": True}, "messageType": kind, "message": content}


def test_a_brazilian_chat_is_found_under_either_form() -> None:
    mark = fingerprint("text", {"number": "5531987654321", "text": "oi"})
    for digits in ("5531987654321", "553187654321"):
        assert mark.matches(stored(f"{digits}@s.whatsapp.net", {"conversation": "oi"}))
    assert not mark.matches(stored("5531987654321@s.whatsapp.net", {"conversation": "oi!"}))


def test_a_lid_chat_is_found_by_its_phone() -> None:
    mark = fingerprint("text", {"number": "4915112345678", "text": "hi"})
    record = stored("99@lid", {"conversation": "hi"})
    assert not mark.matches(record)
    record["key"] = {**record["key"], "remoteJidAlt": "4915112345678@s.whatsapp.net"}  # type: ignore[dict-item]
    assert mark.matches(record)


def test_media_are_told_apart_by_kind_and_caption() -> None:
    body = {"number": "4915112345678", "mediatype": "image", "caption": "May", "media": "https://x"}
    mark = fingerprint("media", body)
    chat = "4915112345678@s.whatsapp.net"
    assert mark.matches(stored(chat, {"imageMessage": {"caption": "May"}}, "imageMessage"))
    assert not mark.matches(stored(chat, {"imageMessage": {"caption": "June"}}, "imageMessage"))
    assert not mark.matches(stored(chat, {"videoMessage": {"caption": "May"}}, "videoMessage"))
    assert not mark.matches(stored(chat, None, "imageMessage"))
    # EVOLUTION stores nothing of a file but its URL
    assert mark.matches(stored(chat, {"mediaUrl": "https://x"}, "imageMessage"))
    assert not mark.matches(stored(chat, {"mediaUrl": "https://y"}, "imageMessage"))
    assert not mark.matches(stored(chat, {"mediaUrl": None}, "imageMessage"))


def test_a_story_is_looked_for_where_stories_are() -> None:
    body = {"type": "text", "content": "hi", "allContacts": True}
    mark = fingerprint("status", body)
    assert mark.chats == (STATUS_CHAT,)
    assert mark.matches(stored(STATUS_CHAT, {"extendedTextMessage": {"text": "hi"}}))


@pytest.mark.parametrize("record", [{}, {"key": 1}, {"key": {"fromMe": True}}])
def test_an_odd_record_is_no_match(record: dict[str, object]) -> None:
    mark = fingerprint("text", {"number": "4915112345678", "text": "hi"})
    assert not mark.matches(record)
    assert not fingerprint("text", {"text": "hi"}).matches(record)


def test_a_pix_button_is_known_by_title_or_key() -> None:
    """Baileys stores only the key, Business only the title."""
    pix = {"type": "pix", "currency": "BRL", "name": "N", "keyType": "random", "key": "abc"}
    body = {"number": "4915112345678", "title": "Pay", "buttons": [pix]}
    mark = fingerprint("buttons", body)
    chat = "4915112345678@s.whatsapp.net"
    assert mark.matches(stored(chat, {"x": {"params": '{"key":"abc"}'}}, "viewOnceMessage"))
    assert mark.matches(stored(chat, {"conversation": "Pay\n▶️ undefined\n"}))
    assert not mark.matches(stored(chat, {"conversation": "Other"}))
    assert not mark.matches(stored(chat, None))
