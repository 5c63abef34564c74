"""The sends of the outbox are those of the client: same arguments, same checks, same message."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clients.conftest import Kit
from clients.request_cases import MESSAGE_CASES, NUMBER
from evolution_sdk import RequestValidationError
from evolution_sdk._client.composed import Composed
from evolution_sdk.outbox.options import OutboxComposeOptions, OutboxSendOptions, OwnOptions

ROOT = Path(__file__).parents[2]
COLOURS = ("sync", "async")
OPTIONS = {"ComposeOptions": OutboxComposeOptions, "SendOptions": OutboxSendOptions}
PDF = b"%PDF-1.4 x"
CALLS: dict[str, Callable[[Any], Any]] = {name: case[0] for name, case in MESSAGE_CASES.items()} | {
    "small media": lambda c: c.messages.send_media(NUMBER, PDF, file_name="a.pdf", caption="c"),
    "media in a form": lambda c: c.messages.send_media(
        NUMBER, PDF, file_name="a.pdf", prefer="multipart", delay_ms=700
    ),
    "voice note": lambda c: c.messages.send_whatsapp_audio(NUMBER, b"OggS1234", encoding=False),
    "round video": lambda c: c.messages.send_ptv(NUMBER, b"\x00\x00\x00\x18ftypmp42x"),
    "sticker": lambda c: c.messages.send_sticker(NUMBER, "https://x.example/a.webp"),
}


def classes(colour: str) -> tuple[Any, Any]:
    """The client's family and the outbox's, in one colour."""
    theirs = importlib.import_module(f"evolution_sdk._{colour}.resources.messages")
    ours = importlib.import_module(f"evolution_sdk.outbox._{colour}.messages")
    prefix = "Async" if colour == "async" else ""
    return getattr(theirs, f"{prefix}MessagesApi"), getattr(ours, f"{prefix}OutboxMessages")


class Outbox:
    """Takes what is handed over, and has it composed as the client does."""

    def __init__(self, kit: Kit, **config: Any) -> None:
        self.kit = kit
        self.client = kit.client(server_version="2.4.0", **config)
        self.taken: list[tuple[OwnOptions, Composed]] = []
        theirs, ours = classes(kit.colour)
        bind: Any = lambda event: event  # noqa: E731 - no event comes
        later = kit.colour == "async"
        self.inner = theirs(
            self.client._pipeline,
            self.client.messages._target,
            bind,
            bind,
            self.out_later if later else self.out,
        )
        self.messages = ours(self.take_later if later else self.take)
        self.own = OwnOptions()

    def take(self, own: OwnOptions, compose: Callable[[Any], Any]) -> Any:
        self.own = own
        return compose(self.inner)

    async def take_later(self, own: OwnOptions, compose: Callable[[Any], Any]) -> Any:
        return await self.take(own, compose)

    def out(self, composed: Composed) -> str:
        self.taken.append((self.own, composed))
        return "row"

    async def out_later(self, composed: Composed) -> str:
        return self.out(composed)


@pytest.fixture(params=COLOURS)
def outbox(request: pytest.FixtureRequest) -> Outbox:
    return Outbox(Kit(request.param))


@pytest.mark.parametrize("name", CALLS)
async def test_what_is_handed_over_is_what_the_client_would_send(outbox: Outbox, name: str) -> None:
    assert await outbox.kit.run(CALLS[name](outbox)) == "row"
    ((own, handed_over),) = outbox.taken
    assert own == OwnOptions()

    class Direct:
        messages = outbox.inner

    await outbox.kit.run(CALLS[name](Direct()))
    _, direct = outbox.taken[1]
    assert handed_over == direct
    assert outbox.kit.stub.requests == []


async def test_its_own_options_go_their_own_way(outbox: Outbox) -> None:
    sending = outbox.messages.send_text(NUMBER, "oi", key="k1", delay_ms=5, on_unknown="resend")
    await outbox.kit.run(sending)
    ((own, composed),) = outbox.taken
    assert own == OwnOptions(key="k1", on_unknown="resend")
    assert composed.options == {"delay_ms": 5}
    assert composed.body == {"number": NUMBER, "text": "oi", "delay": 5}


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda m: m.send_text(NUMBER, "x", delay=5), TypeError, "Did you mean 'delay_ms'"),
        (lambda m: m.send_text(NUMBER, "x", retry=False), TypeError, "the outbox decides"),
        (lambda m: m.send_text(NUMBER, "x", timeout_ms=5), TypeError, "the outbox goes by"),
        (lambda m: m.send_reaction(None, "👍", delay_ms=5), Exception, "message"),
        (lambda m: m.send_template(NUMBER, "t", language="pt_BR", delay_ms=5), TypeError, "no opt"),
        (lambda m: m.send_text(NUMBER, " "), RequestValidationError, "text"),
        (lambda m: m.send_text("abc", "x"), RequestValidationError, "number"),
        (lambda m: m.send_text(NUMBER, 5), RequestValidationError, "text"),
        (lambda m: m.send_text(NUMBER, "x", key=5), RequestValidationError, "key"),
        (lambda m: m.send_text(NUMBER, "x", priority="1"), RequestValidationError, "priority"),
        (lambda m: m.send_text(NUMBER, "x", not_before="now"), RequestValidationError, "not_befo"),
        (lambda m: m.send_text(NUMBER, "x", metadata=[1]), RequestValidationError, "metadata"),
        (lambda m: m.send_text(NUMBER, "x", on_unknown="raise"), Exception, "on_unknown"),
        (lambda m: m.send_text(NUMBER, "x", message_id="?"), RequestValidationError, "message_id"),
    ],
)
async def test_what_is_wrong_is_not_taken_over(
    outbox: Outbox, call: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        await outbox.kit.run(call(outbox.messages))
    assert outbox.taken == []


@pytest.mark.parametrize("colour", COLOURS)
def test_the_signatures_are_those_of_the_client_apart_from_the_options(colour: str) -> None:
    theirs, ours = classes(colour)
    names = {name for name in vars(theirs) if name.startswith("send_")}
    assert {name for name in vars(ours) if not name.startswith("_")} == names
    assert len(names) == 14
    for name in names:
        method, model = getattr(ours, name), getattr(theirs, name)
        mine, its = inspect.signature(method), inspect.signature(model)
        *arguments, options = mine.parameters.values()
        *expected, theirs_options = its.parameters.values()
        assert arguments == expected, name
        (theirs_name,) = (key for key in OPTIONS if theirs_options.annotation == f"Unpack[{key}]")
        assert options.annotation == f"Unpack[{OPTIONS[theirs_name].__name__}]"
        assert mine.return_annotation == "R_co"
        hints: Any = eval(options.annotation, inspect.unwrap(method).__globals__)
        assert typing.get_args(hints) == (OPTIONS[theirs_name],)


def test_the_file_is_what_is_generated() -> None:
    pytest.importorskip("ruff")
    check = [sys.executable, str(ROOT / "tools" / "outbox_messages.py"), "--check"]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
