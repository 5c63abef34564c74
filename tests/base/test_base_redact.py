"""Phone numbers are masked where they are shown, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from evolution_sdk._base.redact import mask_phone, show_phone_numbers
from evolution_sdk.errors import ConfigurationError


@pytest.fixture(autouse=True)
def _masked_again() -> Iterator[None]:
    yield
    show_phone_numbers(False)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("GET /x?number=%2B5511999991234&a=1", "GET /x?number=%2B5511*****1234&a=1"),
        ("5511999991234", "5511*****1234"),
        ("+5511999991234", "+5511*****1234"),
        ("+55 (11) 99999-1234", "+55 (11) *****-1234"),
        ("(11) 99999-1234", "(11) 9****-*234"),
        ("35412345", "35****45"),
        ("5511999991234@s.whatsapp.net", "5511*****1234@s.whatsapp.net"),
        ("5511999991234:12@c.us", "5511*****1234:12@c.us"),
        ("12345678901234@lid", "1234******1234@lid"),
        ("5511999991234-1612345678@g.us", "5511*****1234-161****678@g.us"),
        ("no 5511999991234, '5511999991235'", "no 5511*****1234, '5511*****1235'"),
        ("https://wa.me/5511999991234.", "https://wa.me/5511*****1234."),
    ],
)
def test_the_middle_digits_of_a_number_are_masked(text: str, masked: str) -> None:
    assert mask_phone(text) == masked
    assert mask_phone(masked) == masked


@pytest.mark.parametrize(
    "text",
    [
        "",
        "120363041234567890@g.us",
        "status@broadcast",
        "3EB0123456789012345678",
        "wamid.HBgNNTUxMTk5OTk5MTIzNBUCABEY",
        "a1b2c3d4-1234-1234-1234-123456789012",
        "2026-11-27 06:53:11",
        "127.0.0.1:8080",
        "1612345678.123",
        "the file has 136314880 bytes",
    ],
)
def test_what_is_no_number_stays(text: str) -> None:
    assert mask_phone(text) == text


def test_numbers_are_shown_whole_when_asked_for() -> None:
    show_phone_numbers()
    assert mask_phone("5511999991234") == "5511999991234"
    show_phone_numbers(False)
    assert mask_phone("5511999991234") == "5511*****1234"


def test_the_switch_takes_a_bool_only() -> None:
    with pytest.raises(ConfigurationError, match="shown: must be True or False"):
        show_phone_numbers("yes")  # type: ignore[arg-type]
