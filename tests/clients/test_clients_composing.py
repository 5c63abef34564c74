"""Composing without sending: the whole message, checked, is handed over in place of the call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from evolution_sdk import Button, RequestValidationError
from evolution_sdk._client.composed import Composed
from evolution_sdk.media._plan import Base64, Multipart, Url

from .conftest import Kit, record
from .request_cases import KEY, MESSAGE_CASES, NUMBER

PNG = bytes.fromhex("89504e470d0a1a0a") + b"x" * 20
PDF = b"%PDF-1.4 x"
OGG = b"OggS1234"
MP4 = b"\x00\x00\x00\x18ftypmp42x"
BUTTON = Button(display_text="a", id="b")
IMAGE_URL = "https://files.example/a.png"


class OfMessages:
    """A client of which nothing but the messages is asked for."""

    def __init__(self, messages: Any) -> None:
        self.messages = messages


class Desk:
    """Takes what is composed, in either colour."""

    def __init__(self, kit: Kit, client: Any) -> None:
        self.kit = kit
        self.client = client
        self.taken: list[Composed] = []
        plain = client.messages
        out: Any = self.take if kit.colour == "sync" else self.take_later
        bind: Any = lambda event: event  # noqa: E731 - no event comes
        self.messages = type(plain)(client._pipeline, plain._target, bind, bind, out)

    def take(self, composed: Composed) -> str:
        self.taken.append(composed)
        return "taken"

    async def take_later(self, composed: Composed) -> str:
        return self.take(composed)

    async def composed(self, call: Callable[[Any], Any]) -> Composed:
        """Compose one message; nothing may leave, and nobody waits."""
        assert await self.kit.run(call(OfMessages(self.messages))) == "taken"
        assert self.kit.stub.requests == []
        assert self.kit.time.naps == []
        (composed,) = self.taken
        self.taken.clear()
        return composed

    async def send(self, composed: Composed) -> None:
        pipeline, target = self.client._pipeline, self.client.messages._target
        await self.kit.run(
            pipeline.call(
                composed.operation,
                target,
                composed.body,
                file=composed.file,
                hold_ms=composed.hold_ms,
                options=composed.options,
                known_options=composed.known_options,
            )
        )


FILES: dict[str, Callable[[Any], Any]] = {
    "small media": lambda c: c.messages.send_media(NUMBER, PDF, file_name="a.pdf", caption="c"),
    "media by url": lambda c: c.messages.send_media(NUMBER, IMAGE_URL),
    "media in a form": lambda c: c.messages.send_media(
        NUMBER, PDF, file_name="a.pdf", prefer="multipart", delay_ms=700, mentions_every_one=True
    ),
    "held media": lambda c: c.messages.send_media(NUMBER, PDF, file_name="a.pdf", delay_ms=700),
    "voice note": lambda c: c.messages.send_whatsapp_audio(NUMBER, OGG),
    "held voice note": lambda c: c.messages.send_whatsapp_audio(NUMBER, OGG, delay_ms=5),
    "round video": lambda c: c.messages.send_ptv(NUMBER, MP4, message_id="MEU-PTV-0001"),
    "sticker": lambda c: c.messages.send_sticker(NUMBER, PNG, not_convert_sticker=True),
    "image story": lambda c: c.messages.send_status(
        IMAGE_URL, type="image", all_contacts=True, caption="c"
    ),
    "voice story": lambda c: c.messages.send_status(OGG, type="audio", all_contacts=True),
    "buttons with an image": lambda c: c.messages.send_buttons(
        NUMBER, title="t", buttons=[BUTTON], thumbnail_url=PNG
    ),
}
CALLS: dict[str, Callable[[Any], Any]] = FILES | {
    name: case[0] for name, case in MESSAGE_CASES.items()
}


@pytest.fixture
def desk(kit: Kit) -> Desk:
    kit.stub.default = (201, record())
    client = kit.client(server_version="2.4.0")
    client._pipeline.parts.message_ids.make = lambda: "3EB0AAAA0001"
    return Desk(kit, client)


@pytest.mark.parametrize("name", CALLS)
async def test_what_is_composed_makes_the_request_of_the_client(desk: Desk, name: str) -> None:
    call, kit = CALLS[name], desk.kit
    composed = await desk.composed(call)
    await desk.send(composed)
    # The answer, which is always the same, has told that ids are ignored.
    desk.client._pipeline.parts.message_ids.forget()
    await kit.run(call(desk.client))
    later, plain = kit.stub.requests
    assert (later.method, later.url) == (plain.method, plain.url)
    assert (later.content, later.fields, later.file) == (plain.content, plain.fields, plain.file)
    assert later.timeouts == plain.timeouts


async def test_every_way_to_send_is_tried(desk: Desk) -> None:
    """Else a kind of message that goes to the server past the desk would not be noticed."""
    asked = set()
    for call in CALLS.values():
        composed = await desk.composed(call)
        asked.add(composed.operation.name.removeprefix("message."))
    methods = {name for name in dir(desk.messages) if name.startswith("send_")}
    assert {f"send_{name.removeprefix('send_')}" for name in asked} == methods


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("small media", Base64),
        ("media by url", Url),
        ("media in a form", Multipart),
        ("held media", Base64),
        ("voice note", Multipart),
        ("sticker", Base64),
        ("image story", Url),
        ("voice story", Base64),
        ("buttons with an image", Base64),
    ],
)
async def test_the_file_is_at_hand(desk: Desk, name: str, form: type) -> None:
    composed = await desk.composed(FILES[name])
    plan = composed.plan
    assert plan is not None
    assert isinstance(plan.content, form)
    if isinstance(plan.content, Base64):
        # Whoever keeps the file beside the body puts a reference in this place.
        assert composed.body[plan.field] == plan.content.text()
    elif isinstance(plan.content, Url):
        assert composed.body[plan.field] == plan.content.url
    else:
        assert composed.file == plan.content.part
        assert plan.field not in composed.body


async def test_times_are_told_and_not_waited_for(desk: Desk) -> None:
    form = await desk.composed(FILES["media in a form"])
    assert (form.client_delay_ms, form.hold_ms) == (700, 0)
    held = await desk.composed(FILES["held media"])
    assert (held.client_delay_ms, held.hold_ms) == (0, 700)
    text = await desk.composed(lambda c: c.messages.send_text(NUMBER, "oi", delay_ms=40))
    assert (text.client_delay_ms, text.hold_ms) == (0, 40)
    card = await desk.composed(lambda c: c.messages.send_reaction(KEY, "👍"))
    assert (card.client_delay_ms, card.hold_ms, card.plan) == (0, 0, None)


@pytest.mark.parametrize(
    ("call", "error", "word"),
    [
        (lambda c: c.messages.send_text(NUMBER, " "), RequestValidationError, "text"),
        (lambda c: c.messages.send_text("abc", "x"), RequestValidationError, "number"),
        (lambda c: c.messages.send_text(NUMBER, "x", delay=5), TypeError, "mean 'delay_ms'"),
        (lambda c: c.messages.send_contact(NUMBER, [], delay_ms=5), Exception, "contact"),
        (
            lambda c: c.messages.send_text(NUMBER, "x", message_id="?"),
            RequestValidationError,
            "message_id",
        ),
        (
            lambda c: c.messages.send_location(
                NUMBER, 1, 1, name="n", address="a", message_id="MEU-ID-0001"
            ),
            RequestValidationError,
            "message_id",
        ),
        (lambda c: c.messages.send_text(NUMBER, "x", timeout_ms=-1), Exception, "timeout_ms"),
    ],
)
async def test_what_the_client_refuses_is_not_handed_over(
    desk: Desk, call: Any, error: type[Exception], word: str
) -> None:
    with pytest.raises(error, match=word):
        await desk.kit.run(call(OfMessages(desk.messages)))
    with pytest.raises(error, match=word):
        await desk.kit.run(call(desk.client))
    assert desk.taken == []
    assert desk.kit.stub.requests == []


async def test_no_content_shows_in_a_repr(desk: Desk) -> None:
    secret = "meet me at nine"
    composed = await desk.composed(lambda c: c.messages.send_text(NUMBER, secret))
    assert secret not in repr(composed)
    assert NUMBER not in repr(composed)
    file = await desk.composed(FILES["media in a form"])
    assert "PDF" not in repr(file)
