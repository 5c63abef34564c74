"""Jid and PhoneNumber: reading, kinds, candidates, lines."""

from __future__ import annotations

import contextlib
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolution_sdk.errors import RequestValidationError
from evolution_sdk.identity import Jid, JidKind, PhoneNumber
from evolution_sdk.identity._server import recipient, same_line

digits = st.from_regex(r"[1-9][0-9]{7,14}", fullmatch=True)
lines = st.one_of(
    digits,
    st.from_regex(r"55[1-9][1-9]9?[0-9]{8}", fullmatch=True),
    st.from_regex(r"521?[0-9]{10}", fullmatch=True),
    st.from_regex(r"549?[0-9]{10}", fullmatch=True),
)
jids = st.builds(
    Jid,
    st.from_regex(r"[A-Za-z0-9._-]{1,20}", fullmatch=True),
    st.sampled_from(["s.whatsapp.net", "c.us", "lid", "g.us", "newsletter", "broadcast", "hosted"]),
)


@pytest.mark.parametrize(
    ("text", "user", "server", "device", "kind"),
    [
        ("5511999999999@s.whatsapp.net", "5511999999999", "s.whatsapp.net", None, JidKind.PHONE),
        ("5511999999999:12@s.whatsapp.net", "5511999999999", "s.whatsapp.net", 12, JidKind.PHONE),
        ("5511999999999@c.us", "5511999999999", "s.whatsapp.net", None, JidKind.PHONE),
        ("5511999999999@S.WhatsApp.net", "5511999999999", "s.whatsapp.net", None, JidKind.PHONE),
        ("999888777666555@lid", "999888777666555", "lid", None, JidKind.LID),
        ("999888777666555:3@lid", "999888777666555", "lid", 3, JidKind.LID),
        ("120363000000000001@g.us", "120363000000000001", "g.us", None, JidKind.GROUP),
        ("5511999999999-1490000000@g.us", "5511999999999-1490000000", "g.us", None, JidKind.GROUP),
        ("120363000000000@newsletter", "120363000000000", "newsletter", None, JidKind.NEWSLETTER),
        ("1490000000@broadcast", "1490000000", "broadcast", None, JidKind.BROADCAST),
        ("status@broadcast", "status", "broadcast", None, JidKind.STATUS),
        ("13135550002@bot", "13135550002", "bot", None, JidKind.UNKNOWN),
        # The EVOLUTION channel reports the number of a send as it was written.
        ("5511987654321", "5511987654321", "s.whatsapp.net", None, JidKind.PHONE),
        ("+55 (11) 98765-4321", "5511987654321", "s.whatsapp.net", None, JidKind.PHONE),
        ("120363000000000001", "120363000000000001", "g.us", None, JidKind.GROUP),
        ("5511999999999-1490000000", "5511999999999-1490000000", "g.us", None, JidKind.GROUP),
    ],
)  # fmt: skip
def test_jid_parts(text: str, user: str, server: str, device: int | None, kind: JidKind) -> None:
    jid = Jid.parse(text)
    assert (jid.user, jid.server, jid.device, jid.kind) == (user, server, device, kind)
    assert str(jid) == f"{user}@{server}"
    flags = {
        JidKind.PHONE: jid.is_phone,
        JidKind.LID: jid.is_lid,
        JidKind.GROUP: jid.is_group,
        JidKind.NEWSLETTER: jid.is_newsletter,
        JidKind.BROADCAST: jid.is_broadcast,
        JidKind.STATUS: jid.is_status,
    }
    assert [k for k, on in flags.items() if on] == ([kind] if kind in flags else [])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "@s.whatsapp.net",
        "a@",
        "a@b@c",
        "a b@g.us",
        "1:x@lid",
        "1:@lid",
        "abc",
        "1:2:3@lid",
        "1:1234567890@lid",
        # Python itself refuses to read more than 4,300 digits, by a plain ValueError.
        f"5511987654321:{'1' * 5_000}@s.whatsapp.net",
    ],
)
def test_jid_refuses(text: str) -> None:
    with pytest.raises(RequestValidationError) as caught:
        Jid.parse(text)
    assert caught.value.field == "jid"


def test_the_longest_device_is_read() -> None:
    assert Jid.parse("1:123456789@lid").device == 123_456_789


def test_jid_refuses_a_negative_device() -> None:
    with pytest.raises(RequestValidationError):
        Jid("1", "lid", -1)


def test_jid_bare_drops_only_the_device() -> None:
    jid = Jid.parse("5511999999999:12@s.whatsapp.net")
    assert jid.bare == Jid.parse("5511999999999@s.whatsapp.net") != jid
    assert jid.bare.bare is jid.bare or jid.bare.bare == jid.bare


def test_phone_only_of_phone_ids() -> None:
    assert Jid.parse("5511999999999:12@s.whatsapp.net").phone == PhoneNumber("5511999999999")
    assert Jid.parse("999888777666555@lid").phone is None
    assert Jid.parse("120363000000000001@g.us").phone is None
    assert Jid.parse("0@s.whatsapp.net").phone is None


def test_values_are_frozen_hashable_and_pickle() -> None:
    for value in (Jid.parse("1:2@lid"), PhoneNumber.parse("+5511999999999")):
        assert pickle.loads(pickle.dumps(value)) == value
        assert len({value, pickle.loads(pickle.dumps(value))}) == 1
        assert not hasattr(value, "__dict__")
        with pytest.raises((AttributeError, TypeError)):
            value.digits = "x"  # type: ignore[misc,union-attr]


@given(jids)
def test_jid_text_reads_back(jid: Jid) -> None:
    assert Jid.parse(str(jid)) == jid


@given(digits)
def test_phone_text_reads_back(text: str) -> None:
    number = PhoneNumber.parse(text)
    assert PhoneNumber.parse(str(number)) == number
    assert number.jid.phone == number
    assert str(number) == number.e164 == f"+{number.digits}"


@given(st.text())
def test_parsing_any_text_raises_nothing_else(text: str) -> None:
    for parse in (Jid.parse, PhoneNumber.parse, lambda t: PhoneNumber.parse(t, "55")):
        with contextlib.suppress(RequestValidationError):
            parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "5511987654321", "+5511987654321", "+55 (11) 98765-4321", "0055 11 98765 4321",
        "(+55) 11.98765.4321", "  5511987654321\n", "\u202a+55\u00a011\u00a098765\u20114321\u202c",
    ],
)  # fmt: skip
def test_phone_written_as_people_do(text: str) -> None:
    assert PhoneNumber.parse(text).digits == "5511987654321"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("+", "empty"),
        (" ()- ", "empty"),
        ("abc", "letters"),
        ("55119999x9999", "letters"),
        ("5511987654321@s.whatsapp.net", "letters"),
        ("11+987654321", "digits"),
        ("5511/987654321", "digits"),
        ("\u0665\u0665\u0661\u0661\u0669\u0668\u0667\u0666", "digits"),
        ("1234567", "has 7"),
        ("1" * 16, "has 16"),
        ("011987654321", "country code"),
    ],
)
def test_phone_refuses(text: str, words: str) -> None:
    with pytest.raises(RequestValidationError) as caught:
        PhoneNumber.parse(text)
    assert caught.value.field == "number"
    assert words in caught.value.rule


def test_phone_refuses_what_is_not_text() -> None:
    with pytest.raises(RequestValidationError, match="must be text, not int"):
        PhoneNumber.parse(5511987654321)  # type: ignore[arg-type]


def test_phone_limits_are_inclusive() -> None:
    assert PhoneNumber.parse("12345678").digits == "12345678"
    assert PhoneNumber.parse("1" * 15).digits == "1" * 15


@pytest.mark.parametrize(
    ("text", "code", "expected"),
    [
        ("(11) 98765-4321", "55", "5511987654321"),
        ("(11) 3333-4444", "+55", "551133334444"),
        ("011 98765-4321", "55", "5511987654321"),
        ("5511987654321", "55", "5511987654321"),
        ("551133334444", "55", "551133334444"),
        ("98765-4321", "55", None),  # no area code
        ("55 99876-5432", "55", "5555998765432"),  # area code 55, not country code 55
        ("+351 912 345 678", "55", "351912345678"),
        ("00351912345678", "55", "351912345678"),
        ("55 1234 5678", "52", "525512345678"),  # Mexico City's area code is 55
        ("5215512345678", "52", "5215512345678"),
        ("9 11 1234 5678", "54", "5491112345678"),
        ("11 1234 5678", "54", "541112345678"),
        ("912345678", "351", "351912345678"),
        ("06 12345678", "39", "390612345678"),
        ("020 7946 0000", "44", "442079460000"),
    ],
)
def test_national_numbers_only_on_request(text: str, code: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(RequestValidationError, match="10 or 11 digits"):
            PhoneNumber.parse(text, code)
    else:
        assert PhoneNumber.parse(text, default_country_code=code).digits == expected


def test_national_number_that_may_be_international_is_not_guessed() -> None:
    with pytest.raises(RequestValidationError, match="leading \\+"):
        PhoneNumber.parse("351912345678", "351")


@pytest.mark.parametrize("code", ["", "0", "abc", "5555", "BR"])
def test_default_country_code_is_checked(code: str) -> None:
    with pytest.raises(RequestValidationError) as caught:
        PhoneNumber.parse("11987654321", code)
    assert caught.value.field == "default_country_code"


def test_country_code_when_knowable() -> None:
    found = {
        n: PhoneNumber(n).country_code for n in ("5511987654321", "5215512345678", "541112345678")
    }
    assert list(found.values()) == ["55", "52", "54"]
    assert PhoneNumber("351912345678").country_code is None


@pytest.mark.parametrize(
    ("number", "other"),
    [
        ("5511987654321", "551187654321"),
        ("551187654321", "5511987654321"),
        ("5531999998888", "553199998888"),
        ("5215512345678", "525512345678"),
        ("525512345678", "5215512345678"),
        ("5491112345678", "541112345678"),
        ("541112345678", "5491112345678"),
        ("551133334444", None),  # a land line has no ninth digit
        ("5511933334444", None),  # and this mobile is not that land line
        ("5511887654321", None),
        ("351912345678", None),
        ("14155552671", None),
    ],
)
def test_candidates(number: str, other: str | None) -> None:
    expected = (number,) if other is None else (number, other)
    assert tuple(c.digits for c in PhoneNumber(number).candidates()) == expected


@given(lines)
def test_candidates_hold_the_number_first_and_are_closed(text: str) -> None:
    number = PhoneNumber(text)
    candidates = number.candidates()
    assert candidates[0] == number
    assert len(set(candidates)) == len(candidates) <= 2
    for candidate in candidates:
        assert set(candidate.candidates()) == set(candidates)
        assert same_line(number, candidate)
        assert same_line(candidate, number)


def test_same_line() -> None:
    assert same_line("+55 11 98765-4321", "551187654321@s.whatsapp.net")
    assert same_line(Jid.parse("5511987654321:3@s.whatsapp.net"), PhoneNumber("551187654321"))
    assert same_line("120363000000000001@g.us", "120363000000000001")
    assert same_line("999888777666555:2@lid", "999888777666555@lid")
    assert not same_line("551133334444", "5511933334444")
    assert not same_line("5511987654321", "5511987654322")
    assert not same_line("5511987654321@s.whatsapp.net", "5511987654321@lid")
    with pytest.raises(RequestValidationError):
        same_line("nobody", "5511987654321")


@pytest.mark.parametrize("text", ["(11) 98765-4321", " (11) 3333-4444"])
def test_a_bracketed_area_code_is_not_taken_for_a_country(text: str) -> None:
    with pytest.raises(RequestValidationError, match="country code"):
        PhoneNumber.parse(text)
    assert PhoneNumber.parse(text, "55").digits.startswith("5511")
    with pytest.raises(RequestValidationError, match="country code"):
        recipient(text)
