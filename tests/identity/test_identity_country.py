"""The client-wide country code: for numbers that have none, and for nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.conftest import KEY, URL, Kit
from clients.fake_stage import Stage
from evolution_sdk import EvolutionConfig, Jid, PhoneNumber
from evolution_sdk.errors import ConfigurationError, RequestValidationError
from evolution_sdk.identity._server import with_country_code

HOME = "5511987654321"
COLOURS = pytest.mark.parametrize("colour", ["sync", "async"])


@pytest.mark.parametrize(
    ("text", "code", "digits"),
    [
        ("11987654321", "55", HOME),
        ("(11) 98765-4321", "55", HOME),
        ("011 98765-4321", "55", HOME),
        ("1133334444", "55", "551133334444"),
        (HOME, "55", HOME),
        (f"+{HOME}", "55", HOME),
        ("+14155552671", "55", "14155552671"),
        ("0014155552671", "55", "14155552671"),
        ("5512345678", "52", "525512345678"),
        ("91123456789", "54", "5491123456789"),
        ("912345678", "351", "351912345678"),
        ("0151 12345678", "49", "4915112345678"),
    ],
)
def test_a_national_number_gets_the_code(text: str, code: str, digits: str) -> None:
    assert with_country_code(text, code) == PhoneNumber(digits)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("14155552671", "55"),  # of the United States: no Brazilian mobile has a 5 there
        ("4915112345678", "55"),
        ("447911123456", "55"),
        ("14155552671", "52"),
        ("14155552671", "54"),
        ("14155552671", "351"),  # longer than a number without its code
        ("351912345678", "351"),  # national, or complete already
        ("1234", "55"),
        ("", "55"),
        ("abc", "55"),
    ],
)
def test_a_number_that_may_be_another_countrys_is_refused(text: str, code: str) -> None:
    with pytest.raises(RequestValidationError) as caught:
        with_country_code(text, code, "numbers[3]")
    assert caught.value.field == "numbers[3]"


@pytest.mark.parametrize(
    "text", [f"{HOME}@s.whatsapp.net", "120363000000000001@g.us", "120363000000000001", "1@lid"]
)
def test_jids_and_groups_stay(text: str) -> None:
    assert with_country_code(text, "55") == text


@given(st.from_regex(r"\+[1-9][0-9]{9,13}", fullmatch=True), st.sampled_from(["55", "1", "351"]))
def test_what_has_its_country_code_stays(text: str, code: str) -> None:
    assert with_country_code(text, code) == PhoneNumber(text[1:])


@given(st.from_regex(r"[1-9][0-9]{7,14}", fullmatch=True), st.sampled_from(["55", "52", "54"]))
def test_completing_twice_changes_nothing(text: str, code: str) -> None:
    try:
        once = with_country_code(text, code)
    except RequestValidationError:
        return
    assert isinstance(once, PhoneNumber)
    assert once.digits.startswith(code)
    assert with_country_code(once.digits, code) == once


def _client(stage: Stage, code: str | None = "55") -> Any:
    return stage.client(config=EvolutionConfig(URL, KEY, default_country_code=code))


@COLOURS
async def test_every_method_completes_its_numbers(colour: str) -> None:
    kit = Kit(colour)
    client = kit.client(config=EvolutionConfig(URL, KEY, default_country_code="55"))
    await kit.run(client.messages.send_text("(11) 98765-4321", "oi", mentioned=["11912345678"]))
    assert kit.stub.last_json["number"] == HOME
    assert kit.stub.last_json["mentioned"] == ["5511912345678"]
    await kit.run(client.messages.send_text(number="11987654321", text="oi"))
    assert kit.stub.last_json["number"] == HOME
    kit.stub.default = (200, [])
    await kit.run(client.chats.check_whatsapp_numbers(["11987654321", "+14155552671"]))
    assert kit.stub.last_json["numbers"] == [HOME, "14155552671"]
    await kit.run(client.chats.resolve_number("11987654321"))
    assert kit.stub.last_json["numbers"][0] == f"{HOME}@s.whatsapp.net"


@COLOURS
@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (PhoneNumber("14155552671"), "14155552671"),
        (Jid.parse("120363000000000001@g.us"), "120363000000000001@g.us"),
        ("120363000000000001@g.us", "120363000000000001@g.us"),
        (PhoneNumber.parse("912345678", default_country_code="351"), "351912345678"),
    ],
)
async def test_what_is_complete_is_left_alone(colour: str, given: Any, sent: str) -> None:
    kit = Kit(colour)
    client = kit.client(config=EvolutionConfig(URL, KEY, default_country_code="55"))
    await kit.run(client.messages.send_text(given, "oi"))
    assert kit.stub.last_json["number"] == sent


@COLOURS
async def test_a_doubtful_number_is_refused_before_sending(colour: str) -> None:
    stage = Stage(Kit(colour))
    stage.open_instance()
    with pytest.raises(
        RequestValidationError, match=r"number: is not clearly a national number of \+55"
    ):
        await stage.kit.run(_client(stage).messages.send_text("14155552671", "oi"))
    assert stage.arrived == []


@COLOURS
async def test_without_the_setting_a_number_is_complete(colour: str) -> None:
    kit = Kit(colour)
    await kit.run(kit.client().messages.send_text("11987654321", "oi"))
    assert kit.stub.last_json["number"] == "11987654321"


@pytest.mark.parametrize("code", ["0", "5555", "BR", "+", "-1", 55, True])
def test_an_odd_code_is_refused(code: Any) -> None:
    with pytest.raises(ConfigurationError, match="EVOLUTION_DEFAULT_COUNTRY_CODE"):
        EvolutionConfig(URL, KEY, default_country_code=code)


def test_the_code_comes_from_the_environment() -> None:
    environ = {"EVOLUTION_DEFAULT_COUNTRY_CODE": "+55"}
    config = EvolutionConfig.from_env(None, environ=environ, base_url=URL, api_key=KEY)
    assert config.default_country_code == "55"
