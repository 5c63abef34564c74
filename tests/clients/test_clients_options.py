"""Options: each has an effect or is refused, and a refusal speaks the caller's language."""

from __future__ import annotations

from typing import Any

import pytest

from evolution_sdk import ConfigurationError, EvolutionError, RequestValidationError
from evolution_sdk.errors import ConnectionFailedError, Phase

from .conftest import Kit, record

NUMBER = "5511987654321"


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda c: c.messages.send_text(NUMBER, "x", delay=5), "Did you mean 'delay_ms'"),
        (lambda c: c.messages.send_text(NUMBER, "x", quotde="1"), "Did you mean 'quoted'"),
        (lambda c: c.messages.send_contact(NUMBER, [], delay_ms=5), "contact"),
        (lambda c: c.chats.find(on_unknown="raise"), "takes no option 'on_unknown'"),
        (lambda c: c.instances.create("x", delay_ms=1), "takes no option 'delay_ms'"),
    ],
)
async def test_an_option_without_effect_is_refused(kit: Kit, call: Any, word: str) -> None:
    with pytest.raises((TypeError, RequestValidationError), match=word):
        await kit.run(call(kit.client()))
    assert kit.stub.requests == []


@pytest.mark.parametrize("value", [0, -5, "10", True, None])
async def test_a_timeout_is_a_positive_number(kit: Kit, value: Any) -> None:
    with pytest.raises(RequestValidationError, match="timeout_ms"):
        await kit.run(kit.client().chats.find(timeout_ms=value))
    assert kit.stub.requests == []


async def test_a_clients_timeout_is_checked_at_once(kit: Kit) -> None:
    with pytest.raises(RequestValidationError, match="timeout_ms"):
        kit.client(timeout_ms=0)


async def test_a_ready_made_client_is_the_back_end(kit: Kit) -> None:
    with pytest.raises(ConfigurationError, match="not both"):
        kit.client(http_backend="httpx", http_client=object())


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda c: c.messages.send_text(NUMBER, "x", delay_ms=-1), "delay_ms"),
        (lambda c: c.chats.find_messages(page_size=0), "page_size"),
        (lambda c: c.instances.create(""), "name"),
        (lambda c: c.webhook.set("ftp://x"), "url"),
        (lambda c: c.webhook.set("http://x", events=["NOPE"]), "events[0]"),
        (lambda c: c.chats.send_presence(NUMBER, delay_ms=-1), "delay_ms"),
    ],
)
async def test_a_refusal_names_the_argument_as_it_was_written(
    kit: Kit, call: Any, field: str
) -> None:
    with pytest.raises(RequestValidationError) as caught:
        await kit.run(call(kit.client()))
    assert caught.value.field == field


async def test_every_error_of_a_call_says_which_call_it_was(kit: Kit) -> None:
    kit.stub.default = ConnectionFailedError("lost", phase=Phase.UNKNOWN)
    with pytest.raises(EvolutionError) as caught:
        await kit.run(kit.client().chats.find(retry=False))
    assert (caught.value.operation, caught.value.instance) == ("chat.find_chats", "sales")


async def test_voice_notes_go_as_multipart_unless_the_server_has_to_wait(kit: Kit) -> None:
    kit.stub.default = (201, record(messageType="audioMessage"))
    messages = kit.client().messages
    await kit.run(messages.send_whatsapp_audio(NUMBER, b"OggS1234"))
    assert kit.stub.last.file is not None
    await kit.run(messages.send_whatsapp_audio(NUMBER, b"OggS1234", delay_ms=5))
    assert kit.stub.last_json["delay"] == 5
