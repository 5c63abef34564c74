"""What a wrong argument is told: by its name, with the rule and the remedy."""

from __future__ import annotations

from typing import Any

import pytest

from clients.conftest import KEY, URL, Kit
from clients.fake_stage import NUMBER, Stage
from evolution_sdk import EvolutionConfig, Jid, PhoneNumber
from evolution_sdk.errors import ConfigurationError, RequestValidationError
from evolution_sdk.monitor import EvolutionMonitorService

COLOURS = pytest.mark.parametrize("colour", ["sync", "async"])
WORDS: dict[str, tuple[Any, str]] = {
    "number=None": (
        lambda c: c.messages.send_text(None, "x"),
        "number: must be a phone number or JID, not None",
    ),
    "number=''": (lambda c: c.messages.send_text("", "x"), "number: must not be empty"),
    "text=None": (lambda c: c.messages.send_text(NUMBER, None), "text: must be text, not None"),
    "half a character": (
        lambda c: c.messages.send_text(NUMBER, "a\ud800"),
        "text: holds half a character at 1",
    ),
    "half a character in a list": (
        lambda c: c.messages.send_poll(NUMBER, "?", ["a", "\udfff"]),
        r"values\[1\]: holds half a character at 0",
    ),
    "one text for a list": (
        lambda c: c.messages.send_text(NUMBER, "x", mentioned=NUMBER),
        r"mentioned: must be a list of a phone number or JID, not one text: put it into \[ \]",
    ),
    "one text for numbers": (
        lambda c: c.chats.check_whatsapp_numbers(NUMBER),
        r"numbers: must be a list .*, not one text: put it into \[ \]",
    ),
    "retry=True": (
        lambda c: c.messages.send_text(NUMBER, "x", retry=True),
        "retry: must be a RetryPolicy or False, not bool",
    ),
    "on_unknown": (
        lambda c: c.messages.send_text(NUMBER, "x", on_unknown=True),
        "on_unknown: must be one of 'raise', 'reconcile', 'resend', not bool",
    ),
    "a text for a message": (
        lambda c: c.messages.send_reaction("ABC", "ok"),
        "message: must be a message or its key, not str",
    ),
    "endless timeout": (
        lambda c: c.messages.send_text(NUMBER, "x", timeout_ms=float("inf")),
        "timeout_ms: must be a finite number",
    ),
    "timeout of a year": (
        lambda c: c.messages.send_text(NUMBER, "x", timeout_ms=3e10),
        "timeout_ms: must be at most 1,000,000,000 milliseconds",
    ),
    "not JSON": (
        lambda c: c.baileys.send_node({"a": object()}),
        "stanza: cannot be written as JSON",
    ),
    "poll_ms=0": (lambda c: c.instances.wait_until("open", poll_ms=0), "poll_ms: must be at least"),
}


@COLOURS
@pytest.mark.parametrize("call", WORDS.values(), ids=WORDS)
async def test_words(colour: str, call: tuple[Any, str]) -> None:
    stage = Stage(Kit(colour))
    stage.open_instance()
    with pytest.raises((RequestValidationError, ConfigurationError), match=call[1]):
        await stage.kit.run(call[0](stage.client()))
    assert stage.arrived == []


@COLOURS
async def test_an_id_is_enough_to_download_media(colour: str) -> None:
    kit = Kit(colour)
    await kit.run(kit.client().chats.get_base64_from_media_message("3EB0AA"))
    assert kit.stub.last_json == {"message": {"key": {"id": "3EB0AA"}}}


@pytest.mark.parametrize("interval", ["5000", float("nan"), True, -1])
def test_an_odd_interval_is_refused(interval: Any) -> None:
    kit = Kit("sync")
    monitor = EvolutionMonitorService(kit.client(), config=EvolutionConfig(URL, KEY))
    with pytest.raises(ConfigurationError, match="interval_ms"):
        monitor.start_monitoring(interval)


@pytest.mark.parametrize("device", ["1" * 5_000, "", "-1", "x", "1" * 10], ids=len)
def test_an_odd_device_is_refused(device: str) -> None:
    with pytest.raises(RequestValidationError, match="device"):
        Jid.parse(f"{NUMBER}:{device}@s.whatsapp.net")


@pytest.mark.parametrize("device", [-1, 10**5_000, True, "1", 1.0], ids=lambda d: type(d).__name__)
def test_an_odd_device_of_a_jid_is_refused(device: Any) -> None:
    with pytest.raises(RequestValidationError, match="device"):
        Jid(NUMBER, "s.whatsapp.net", device)


@pytest.mark.parametrize("make", [PhoneNumber, PhoneNumber.parse, Jid.parse])
@pytest.mark.parametrize("value", [None, 5511987654321, b"5511987654321", ["5511987654321"]])
def test_a_number_that_is_no_text_is_refused(make: Any, value: Any) -> None:
    with pytest.raises(RequestValidationError, match="must be text"):
        make(value)
