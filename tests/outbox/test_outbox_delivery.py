"""What reaches the server is what the client itself would have sent."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from outbox_kit import ALICE, Desk

from clients.conftest import Kit
from clients.request_cases import MESSAGE_CASES
from evolution_sdk.errors import RequestValidationError

PDF = b"%PDF-1.4 " + bytes(range(256))
ALL: dict[str, Callable[[Any], Any]] = {name: case[0] for name, case in MESSAGE_CASES.items()} | {
    "media in base64": lambda c: c.messages.send_media(ALICE, PDF, file_name="a.pdf", caption="c"),
    "media in a form": lambda c: c.messages.send_media(
        ALICE, PDF, file_name="b.pdf", prefer="multipart"
    ),
    "media in a form, later": lambda c: c.messages.send_media(
        ALICE, PDF, file_name="b.pdf", prefer="multipart", delay_ms=700
    ),
    "media by a URL": lambda c: c.messages.send_media(
        ALICE, "https://x.example/a.png", mediatype="image"
    ),
    "voice note": lambda c: c.messages.send_whatsapp_audio(ALICE, b"OggS1234", encoding=False),
    "voice note, later": lambda c: c.messages.send_whatsapp_audio(ALICE, b"OggS12", delay_ms=500),
    "round video": lambda c: c.messages.send_ptv(ALICE, b"\x00\x00\x00\x18ftypmp42x"),
    "sticker": lambda c: c.messages.send_sticker(ALICE, b"RIFF\x00\x00\x00\x00WEBPVP8 "),
    "sticker by a URL": lambda c: c.messages.send_sticker(ALICE, "https://x.example/a.webp"),
    "an id of the caller's": lambda c: c.messages.send_text(ALICE, "oi", message_id="3EB0ABCDEF"),
    "a text of all planes": lambda c: c.messages.send_text(ALICE, "oi\x00 \u2028 👍🏽 \\u0000 'é"),
}
METHODS = {
    "send_text", "send_media", "send_whatsapp_audio", "send_ptv", "send_sticker", "send_status",
    "send_location", "send_contact", "send_reaction", "send_poll", "send_list", "send_buttons",
    "send_carousel", "send_template",
}  # fmt: skip


def test_every_method_is_among_the_cases() -> None:
    used: set[str] = set()

    class Recorder:
        def __getattr__(self, name: str) -> Any:
            used.add(name)
            return self

        def __call__(self, *_: Any, **__: Any) -> None: ...

    for call in ALL.values():
        call(Recorder())
    assert used - {"messages"} == METHODS


@pytest.fixture
def stubbed(desk: Desk) -> Desk:
    """A desk whose server takes whatever it is asked, so that any channel's messages go."""
    client = desk.kit.client(server_version="2.4.0")
    desk.kit.stub.default = (
        201,
        {"key": {"id": "3EB0A", "remoteJid": f"{ALICE}@s.whatsapp.net", "fromMe": True}},
    )
    desk.client = client
    desk.outbox = desk.open(client=client)
    return desk


def asked(kit: Kit) -> Any:
    """The latest request, without an id that was made for it alone."""
    request = kit.stub.last
    if request.file is not None:
        fields = {name: value for name, value in request.fields if name != "messageId"}
        return request.method, request.url, fields, request.file
    body = kit.stub.last_json
    if len(body.get("messageId", "")) > 12:  # not the caller's
        del body["messageId"]
    return request.method, request.url, body


@pytest.mark.parametrize("name", ALL)
async def test_the_request_is_the_clients_own(stubbed: Desk, name: str) -> None:
    desk = stubbed
    await desk.run(ALL[name](desk.client))
    direct = asked(desk.kit)
    naps = list(desk.kit.time.naps)

    message = await desk.run(ALL[name](desk.outbox))
    assert message.state == "queued"
    before = len(desk.kit.stub.requests)
    assert await desk.deliver(message) is None
    found = await desk.get(message.key)
    assert (found.state, found.attempts) == ("sent", 1), found
    assert len(desk.kit.stub.requests) == before + 1
    assert asked(desk.kit) == direct
    # What multipart cannot carry is waited for here, by both.
    assert desk.kit.time.naps[len(naps) :] == naps


async def test_a_sent_message_knows_its_id_chat_and_times(desk: Desk) -> None:
    message = await desk.sent("oi", key="k", metadata={"invoice": 4711})
    (sent,) = desk.fake.sent
    assert message.message_id == sent.key_id
    assert message.remote_jid == sent.jid
    assert message.sent_at is not None
    assert message.created_at <= message.begun_at <= message.sent_at
    assert message.metadata == {"invoice": 4711}
    assert (message.error, message.found) == (None, False)


async def test_files_of_all_sorts_are_taken_at_once(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(PDF)
    send = desk.outbox.messages.send_media
    by_path = await desk.run(send(ALICE, path))
    with path.open("rb") as file:
        opened = await desk.run(send(ALICE, file, file_name="a.pdf"))
    given = await desk.run(send(ALICE, PDF, file_name="a.pdf"))
    path.unlink()
    assert desk.count("evolution_outbox_file") == 1  # one content, one file
    for message in (by_path, opened, given):
        await desk.deliver(message)
    assert [await desk.state(one.key) for one in (by_path, opened, given)] == ["sent"] * 3
    for _, body in desk.bodies():
        sent = body["_file"][1] if "_file" in body else base64.b64decode(body["media"])
        assert sent == PDF


async def test_the_content_is_not_kept_twice(desk: Desk) -> None:
    await desk.run(desk.outbox.messages.send_media(ALICE, PDF, file_name="a.pdf"))
    ((payload,),) = desk.write("SELECT payload FROM evolution_outbox")
    assert base64.b64encode(PDF)[:20] not in bytes(payload)


async def test_a_file_that_is_too_large_is_refused_with_a_remedy(desk: Desk) -> None:
    small = desk.open(max_file_bytes=100)
    with pytest.raises(RequestValidationError) as caught:
        await desk.run(small.messages.send_media(ALICE, PDF, file_name="a.pdf"))
    assert caught.value.field == "media"
    assert "max_file_bytes" in caught.value.rule
    assert desk.count() == desk.count("evolution_outbox_file") == 0


async def test_a_file_that_is_not_there_is_refused_by_name(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(RequestValidationError) as caught:
        await desk.run(desk.outbox.messages.send_media(ALICE, tmp_path / "gone.pdf"))
    assert caught.value.field == "media"
    assert desk.count() == 0


async def test_a_message_whose_file_is_gone_is_never_sent_without_it(desk: Desk) -> None:
    message = await desk.run(desk.outbox.messages.send_media(ALICE, PDF, file_name="a.pdf"))
    desk.write("DELETE FROM evolution_outbox_file")
    await desk.deliver(message)
    found = await desk.get(message.key)
    assert found.state == "failed"
    assert "file" in found.reason
    assert desk.stage.sends() == []


async def test_other_files_and_names_under_a_key_are_a_conflict(desk: Desk) -> None:
    send = desk.outbox.messages.send_media
    await desk.run(send(ALICE, PDF, file_name="a.pdf", prefer="multipart", key="k"))
    again = await desk.run(send(ALICE, PDF, file_name="a.pdf", prefer="multipart", key="k"))
    assert again.key == "k"
    for content, name, part in ((PDF + b"x", "a.pdf", "file"), (PDF, "b.pdf", "filename")):
        with pytest.raises(Exception, match=part):
            await desk.run(send(ALICE, content, file_name=name, prefer="multipart", key="k"))
