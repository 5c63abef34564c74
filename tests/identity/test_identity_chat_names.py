"""One chat or person under all its names, and nobody else under any."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from effort import examples
from evolution_sdk.identity import Jid, LidMap, PhoneNumber
from evolution_sdk.identity.chat_names import Whom, names_of, tells_of_own

ANA, BOB = "5511987654321@s.whatsapp.net", "5521912345678@s.whatsapp.net"
LID, OTHER_LID = "100000000000002@lid", "100000000000003@lid"
GROUP = "120363000000000000@g.us"

numbers = st.from_regex(r"(55[1-9]{2}9[6-9][0-9]{7}|52[0-9]{10}|1[2-9][0-9]{9})", fullmatch=True)
spelled = st.sampled_from(
    [
        "{}@s.whatsapp.net",
        "{}:12@s.whatsapp.net",
        "{}@c.us",
        "{}",
        "+{}",
        " {} ",
        "{}@S.WhatsApp.net",
    ]
)


@settings(max_examples=examples(100))
@given(numbers, spelled, spelled)
def test_every_spelling_of_a_number_is_one(number: str, one: str, other: str) -> None:
    for form in PhoneNumber(number).candidates():
        assert Whom([one.format(number)]).is_told_by(other.format(form.digits))


@settings(max_examples=examples(100))
@given(numbers, numbers, spelled, spelled)
def test_different_lines_are_never_one(first: str, second: str, one: str, other: str) -> None:
    same = {form.digits for form in PhoneNumber(first).candidates()} & {
        form.digits for form in PhoneNumber(second).candidates()
    }
    whom = Whom([one.format(first)])
    assert whom.is_told_by(other.format(second)) == bool(same)
    assert whom.may_be_told_by(other.format(second)) == bool(same)


@settings(max_examples=examples(200))
@given(st.text())
def test_anything_is_taken(text: str) -> None:
    assert isinstance(names_of(text), frozenset)
    assert Whom([text, None]).may_be_told_by(text, None)


def test_a_hidden_id_is_its_phone_once_that_is_known() -> None:
    book = LidMap()
    whom = Whom([ANA], book)
    assert not whom.is_told_by(LID)
    assert whom.may_be_told_by(LID)
    assert not Whom([LID], book).may_be_told_by(ANA), "a phone is nobody's secret"
    book.add(Jid.parse(OTHER_LID), Jid.parse(BOB))
    assert not whom.may_be_told_by(OTHER_LID)
    assert not whom.may_be_told_by("100000000000003")
    book.add(Jid.parse(LID), Jid.parse(ANA))
    assert whom.is_told_by(LID)
    assert whom.is_told_by("100000000000002")
    assert Whom([LID], book).is_told_by("551187654321")
    assert not whom.may_be_told_by("100000000000009@lid"), "there is a known one"


@pytest.mark.parametrize("chat", [GROUP, "status@broadcast", "", OTHER_LID])
def test_an_unknown_hidden_id_is_only_a_persons(chat: str) -> None:
    assert Whom([chat]).may_be_told_by(LID) == (chat == "")
    assert not Whom([ANA]).may_be_told_by(GROUP)


def test_short_digits_are_a_phones() -> None:
    assert not Whom([ANA]).may_be_told_by("5521912345678")
    assert Whom([GROUP]).is_told_by("120363000000000000")


def test_whose_a_status_is() -> None:
    direct, group = Whom([ANA]), Whom([GROUP])
    assert tells_of_own("3EB0", direct, True)
    assert tells_of_own("3EB0", direct, None)
    assert not tells_of_own("3EB0", direct, False)
    assert tells_of_own("3EB0", group, False)
    assert tells_of_own("wamid.ZmFrZQ==", direct, False)
