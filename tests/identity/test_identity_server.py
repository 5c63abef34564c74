"""What the server makes of a number, what we send it, and how its answers are matched."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolution_sdk.errors import RequestValidationError
from evolution_sdk.identity import Jid, PhoneNumber
from evolution_sdk.identity._server import match_number, pick_existing, recipient, server_jid
from facts import read


@pytest.mark.parametrize(
    ("number", "jid"),
    [
        # device suffix
        ("5511987654321:12@s.whatsapp.net", "5511987654321@s.whatsapp.net"),
        # taken as is, even where a plain number would be rewritten
        ("5531999998888@s.whatsapp.net", "5531999998888@s.whatsapp.net"),
        ("120363000000000001@g.us", "120363000000000001@g.us"),
        ("999888777666555@lid", "999888777666555@lid"),
        ("status@broadcast", "status@broadcast"),
        # formatting
        ("+55 (11) 98765-4321", "5511987654321@s.whatsapp.net"),
        ("55.11.98765.4321", "5511987654321@s.whatsapp.net"),
        # groups without their suffix
        ("5511999999999-1490000000", "5511999999999-1490000000@g.us"),
        ("551199999999-149000000", "551199999999149000000@g.us"),
        ("120363000000000001", "120363000000000001@g.us"),
        ("12345678901234567", "12345678901234567@s.whatsapp.net"),
        # Mexico and Argentina: the third digit of exactly 13 goes
        ("5215512345678", "525512345678@s.whatsapp.net"),
        ("525512345678", "525512345678@s.whatsapp.net"),
        ("5295512345678", "525512345678@s.whatsapp.net"),
        ("5491112345678", "541112345678@s.whatsapp.net"),
        ("541112345678", "541112345678@s.whatsapp.net"),
        ("52155123456789", "52155123456789@s.whatsapp.net"),
        # Brazil: from area 31 and from 7 on
        ("5531999998888", "553199998888@s.whatsapp.net"),
        ("5531979998888", "553179998888@s.whatsapp.net"),
        ("5531969998888", "5531969998888@s.whatsapp.net"),
        ("5530999998888", "5530999998888@s.whatsapp.net"),
        ("5511999998888", "5511999998888@s.whatsapp.net"),
        ("553199998888", "553199998888@s.whatsapp.net"),
        # the other ways into a user
        ("5531999998888@c.us", "553199998888@s.whatsapp.net"),
        ("120363000000000001@newsletter", "120363000000000001@g.us"),
        ("1234@newsletter", "1234@s.whatsapp.net"),
        ("", "@s.whatsapp.net"),
        ("letters", "@s.whatsapp.net"),
    ],
)
def test_server_jid_follows_the_server(number: str, jid: str) -> None:
    assert server_jid(number) == jid


def _sends() -> list[tuple[str, str, str]]:
    """Number, channel and resulting remoteJid of every recorded send that was accepted."""
    found: list[tuple[str, str, str]] = []
    for exchange in read("exchanges/message.json"):
        body = exchange["request"].get("json")
        answer = exchange["response"].get("json")
        if exchange["response"]["status"] != 201 or not isinstance(body, dict):
            continue
        if isinstance(answer, dict) and isinstance(answer.get("key"), dict) and "number" in body:
            found.append((body["number"], exchange["channel"], answer["key"]["remoteJid"]))
    return found


def test_recorded_sends() -> None:
    seen = dict.fromkeys(("EVOLUTION", "WHATSAPP-BUSINESS"), 0)
    for number, channel, remote in _sends():
        if channel == "EVOLUTION":
            assert remote == number
        elif channel == "WHATSAPP-BUSINESS":
            assert remote == server_jid(number)
        else:
            continue
        seen[channel] += 1
        assert Jid.parse(remote)
        assert server_jid(recipient(number)) == server_jid(number)
    assert min(seen.values()) > 0


@given(st.text(alphabet=st.characters(exclude_characters=":", exclude_categories=["Cs"])))
def test_server_jid_is_stable_on_its_output(text: str) -> None:
    assert server_jid(server_jid(text)) == server_jid(text)


@given(st.text())
def test_server_jid_never_raises(text: str) -> None:
    assert "@" in server_jid(text)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("5511987654321", "5511987654321"),
        ("+55 (11) 98765-4321", "5511987654321"),
        ("551187654321", "551187654321"),  # no ninth digit is added
        ("5531999998888", "5531999998888"),  # and none is removed
        (PhoneNumber("5215512345678"), "5215512345678"),
        (Jid.parse("5511987654321:9@s.whatsapp.net"), "5511987654321@s.whatsapp.net"),
        ("5511987654321@s.whatsapp.net", "5511987654321@s.whatsapp.net"),
        ("5511987654321@c.us", "5511987654321@s.whatsapp.net"),
        ("999888777666555@lid", "999888777666555@lid"),
        ("120363000000000001@g.us", "120363000000000001@g.us"),
        ("120363000000000001", "120363000000000001@g.us"),
        ("5511999999999-1490000000@g.us", "5511999999999-1490000000@g.us"),
        ("5511999999999-1490000000", "5511999999999-1490000000@g.us"),
        ("status@broadcast", "status@broadcast"),
        ("1490000000@broadcast", "1490000000@broadcast"),
    ],
)
def test_recipient(value: str | PhoneNumber | Jid, expected: str) -> None:
    assert recipient(value) == expected


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("letters", "letters"),
        ("abc@newsletter", "digits before"),
        ("abc@s.whatsapp.net", "digits before"),
        ("status@s.whatsapp.net", "digits before"),
        ("@s.whatsapp.net", "user@server"),
        ("somebody@example.com", "@g.us"),
        ("1234567", "digits"),
        ("1" * 16, "digits"),
        ("1" * 20, "digits"),
        (5511987654321, "text"),
        (None, "text"),
    ],
)
def test_recipient_refuses(value: Any, words: str) -> None:
    with pytest.raises(RequestValidationError) as caught:
        recipient(value)
    assert caught.value.field == "number"
    assert words in caught.value.rule


WRITTEN = st.from_regex(
    r"\+?[0-9][0-9 ().-]{6,20}(:[0-9]{1,2})?(@(s\.whatsapp\.net|c\.us|g\.us|lid|broadcast))?",
    fullmatch=True,
)


@given(st.text() | WRITTEN)
def test_recipient_raises_nothing_else_and_is_stable(text: str) -> None:
    try:
        sent = recipient(text)
    except RequestValidationError:
        return
    assert recipient(sent) == sent


ANSWERS = [
    {"jid": "120363000000000001@g.us", "exists": True, "number": "120363000000000001@g.us"},
    {"jid": "5511987654321@s.whatsapp.net", "exists": True, "number": "551187654321"},
    {"jid": "553199998888@s.whatsapp.net", "exists": False, "number": "+55 31 99999-8888"},
]


def test_answers_are_matched_by_number_not_by_position() -> None:
    assert match_number("551187654321", ANSWERS) is ANSWERS[1]
    assert match_number(PhoneNumber("551187654321"), reversed(ANSWERS)) is ANSWERS[1]
    assert match_number("+55 31 99999-8888", ANSWERS) is ANSWERS[2]
    assert match_number("5531999998888", ANSWERS) is ANSWERS[2]
    assert match_number("120363000000000001", ANSWERS) is ANSWERS[0]
    # its jid is among the answers, but nobody asked for this number
    assert match_number("5511987654321", ANSWERS) is None
    assert match_number("5511987654321", [{"exists": True}, {"number": "nonsense"}]) is None


def test_an_exact_answer_wins_over_an_equal_one() -> None:
    answers = [{"number": "+5511987654321"}, {"number": "5511987654321"}]
    assert match_number("5511987654321", answers) is answers[1]


def test_pick_existing_prefers_the_given_form() -> None:
    both = [{"number": "551187654321", "exists": True}, {"number": "5511987654321", "exists": True}]
    assert pick_existing(PhoneNumber("5511987654321"), both) is both[1]
    assert pick_existing(PhoneNumber("551187654321"), both) is both[0]
    both[1]["exists"] = False
    assert pick_existing(PhoneNumber("5511987654321"), both) is both[0]
    both[0]["exists"] = False
    assert pick_existing(PhoneNumber("5511987654321"), both) is None
    assert pick_existing(PhoneNumber("351912345678"), both) is None
