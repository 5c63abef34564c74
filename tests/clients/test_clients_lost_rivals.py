"""A message that may be of another send is taken for none: equal texts, look-alikes, no ids."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from evolution_sdk import Media, RetryPolicy, SendOutcomeUnknownError

from .conftest import until
from .fake_stage import EVOLUTION, NUMBER, Stage

ONCE = RetryPolicy(max_attempts=2, delay_ms=1, jitter="none")
PNG = b"\x89PNG\r\n\x1a\n"
BODIES = {
    "empty": b"",
    "cut": b'{"key": {"remoteJid": "5511987654321@s.whatsapp.net", "fro',
    "alien": b'{"ok": true}',
    "list": b"[]",
    "null": b"null",
    "no id": b'{"key": {"fromMe": true}, "message": {"conversation": "ping"}}',
}
nameless = pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())


def answer_once(stage: Stage, body: bytes) -> None:
    """The next answer to a send is another body, after the server has acted."""
    handle, left = stage.fake.kernel.handle, [body]

    def answered(method: str, target: str, *rest: Any) -> Any:
        reply = handle(method, target, *rest)
        return replace(reply, body=left.pop()) if left and "/message/" in target else reply

    stage.fake.kernel.handle = answered  # type: ignore[method-assign]  # a proxy that damages


async def sent(stage: Stage, client: Any, text: str = "ping", **options: Any) -> Any:
    return await stage.kit.run(client.messages.send_text(NUMBER, text, **options))


async def unknown(stage: Stage, client: Any, **options: Any) -> SendOutcomeUnknownError:
    with pytest.raises(SendOutcomeUnknownError) as caught:
        await sent(stage, client, **options)
    return caught.value


@nameless
@pytest.mark.parametrize("on_unknown", ["reconcile", "resend"])
@pytest.mark.parametrize("answered_before", [True, False])
async def test_the_message_of_an_answer_without_id_is_not_given_to_a_lost_one(
    stage: Stage, body: bytes, on_unknown: str, answered_before: bool
) -> None:
    stage.open_instance()
    client = stage.client()
    if answered_before:
        await sent(stage, client, "antes")
    answer_once(stage, body)
    assert (await sent(stage, client)).id == ""
    stage.fake.faults.add("message.send_text", "drop", count=1)
    error = await unknown(stage, client, on_unknown=on_unknown, retry=ONCE)
    assert "another send" in error.checked
    stage.fake.assert_sent_times(1, text="ping")


@nameless
async def test_with_both_in_the_store_the_lost_one_is_found(stage: Stage, body: bytes) -> None:
    stage.open_instance()
    client = stage.client()
    answer_once(stage, body)
    await sent(stage, client)
    stage.fake.faults.add("message.send_text", "answer_then_drop", count=1)
    found = await sent(stage, client, on_unknown="resend", retry=ONCE)
    assert (found.reconciled, found.id) == (True, stage.fake.sent[1].key_id)
    stage.fake.assert_sent_times(2, text="ping")
    # The first one's is not given to a third one either.
    stage.fake.faults.add("message.send_text", "drop", count=1)
    await unknown(stage, client, on_unknown="resend", retry=ONCE)
    stage.fake.assert_sent_times(2, text="ping")


async def test_time_tells_them_apart_where_it_can(stage: Stage) -> None:
    stage.open_instance()
    client = stage.client()
    await sent(stage, client, "antes")
    answer_once(stage, b"")
    await sent(stage, client)
    stage.kit.time.now += 10
    for fault in ("drop", "answer_then_drop"):
        stage.kit.time.now += 10
        stage.fake.faults.add("message.send_text", fault, count=1)
        done = await sent(stage, client, on_unknown="resend", retry=ONCE)
        assert done.reconciled is (fault == "answer_then_drop")
    stage.fake.assert_sent_times(3, text="ping")


async def test_an_answer_without_id_whose_send_was_never_stored_proves_nothing(
    stage: Stage,
) -> None:
    """A proxy's own 201: then the one message in the store may be the lost one's, or not."""
    stage.open_instance()
    client = stage.client()
    await sent(stage, client, "antes")
    stage.fake.faults.add("message.send_text", "status", status=201, body={"ok": True}, count=1)
    await sent(stage, client)
    stage.fake.assert_sent_times(0, text="ping")
    stage.fake.faults.add("message.send_text", "answer_then_drop", count=1)
    await unknown(stage, client, on_unknown="resend", retry=ONCE)
    stage.fake.assert_sent_times(1, text="ping")


# Files look alike where the store keeps no bytes


async def photo(stage: Stage, client: Any, number: int, **options: Any) -> Any:
    media = Media.from_bytes(PNG + bytes([number]), file_name="foto.png")
    return await stage.kit.run(
        client.messages.send_media(NUMBER, media, caption="Oferta", **options)
    )


@pytest.mark.parametrize("prefer", ["base64", "multipart"])
@pytest.mark.parametrize("channel", ["WHATSAPP-BAILEYS", EVOLUTION])
async def test_of_two_lost_photos_of_one_caption_neither_takes_the_others(
    stage: Stage, prefer: Any, channel: str
) -> None:
    stage.open_instance(channel)
    client = stage.client()
    await sent(stage, client, "antes")
    stage.fake.faults.add("message.send_media", "answer_then_drop", count=1)
    with pytest.raises(SendOutcomeUnknownError):
        await photo(stage, client, 1, on_unknown="raise", prefer=prefer)
    stage.fake.faults.add("message.send_media", "drop", count=1)
    with pytest.raises(SendOutcomeUnknownError) as caught:
        await photo(stage, client, 2, on_unknown="resend", retry=ONCE, prefer=prefer)
    assert "another send" in caught.value.checked
    assert len(stage.fake.sent) == 2
    # The same one again may take it: of equal sends any message serves.
    stage.fake.faults.add("message.send_media", "drop", count=1)
    with pytest.raises(SendOutcomeUnknownError):
        await photo(stage, client, 3, prefer=prefer)


async def test_a_photo_that_was_answered_leaves_no_doubt(stage: Stage) -> None:
    stage.open_instance()
    client = stage.client()
    await photo(stage, client, 1)
    stage.fake.faults.add("message.send_media", "answer_then_drop", count=1)
    found = await photo(stage, client, 2, on_unknown="resend", retry=ONCE)
    assert found.id == stage.fake.sent[1].key_id
    stage.fake.faults.add("message.send_media", "drop", count=1)
    assert not (await photo(stage, client, 3, on_unknown="resend", retry=ONCE)).reconciled
    assert len(stage.fake.sent) == 3


async def test_a_send_under_way_to_the_number_in_another_spelling_keeps_its_message(
    stage: Stage,
) -> None:
    """Its answer is not here yet: its message must not settle the lost one."""
    if stage.kit.colour == "sync":
        return  # one thread, one send at a time
    stage.open_instance()
    client = stage.client()
    await sent(stage, client, "antes")
    transport, here = client._pipeline.parts.transport, asyncio.Event()
    send = transport.send

    async def slow(request: Any) -> Any:
        response = await send(request)
        if b"@s.whatsapp.net" in (request.content or b"") and "sendText" in request.url:
            await here.wait()
        return response

    transport.send = slow
    under_way = asyncio.create_task(client.messages.send_text(f"{NUMBER}@s.whatsapp.net", "ping"))
    await until(lambda: len(stage.fake.sent) == 2)
    stage.fake.faults.add("message.send_text", "drop", count=1)
    error = await unknown(stage, client, on_unknown="resend", retry=ONCE)
    assert "another send" in error.checked
    here.set()
    assert (await under_way).id == stage.fake.sent[1].key_id
    stage.fake.assert_sent_times(1, text="ping")
