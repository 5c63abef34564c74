"""What a send does when things go wrong, step by step, with a scripted transport."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from evolution_sdk import (
    ConnectionFailedError,
    EvolutionAPIError,
    EvolutionTimeoutError,
    InstanceNotConnectedError,
    MetaAPIError,
    Phase,
    RecipientNotFoundError,
    SendOutcomeUnknownError,
    ServerError,
)
from evolution_sdk._base.request import Request, Response

from .conftest import Kit, record, world_of

NUMBER = "5511987654321"
LOST = ConnectionFailedError("lost", phase=Phase.UNKNOWN)
REFUSED = ConnectionFailedError("refused", phase=Phase.NOT_SENT)
LATE = EvolutionTimeoutError("late", phase=Phase.UNKNOWN)
EMPTY = (200, {"messages": {"total": 0, "pages": 0, "currentPage": 1, "records": []}})


def page(*records: dict[str, Any]) -> tuple[int, Any]:
    return 200, {
        "messages": {
            "total": len(records),
            "pages": 1,
            "currentPage": 1,
            "records": list(records),
        }
    }


def envelope(status: int, message: Any) -> tuple[int, Any]:
    return status, {"status": status, "error": "x", "response": {"message": message}}


def paths(kit: Kit) -> list[str]:
    return [request.url.split("/")[4] for request in kit.stub.requests]


async def send(kit: Kit, text: str = "Hello", **options: Any) -> Any:
    return await kit.run(kit.client().messages.send_text(NUMBER, text, **options))


async def test_a_send_that_never_left_is_tried_again(kit: Kit) -> None:
    kit.stub.answer(REFUSED, REFUSED, (201, record()))
    sent = await send(kit)
    assert sent.id == "3868cd62"
    assert paths(kit) == ["sendText"] * 3
    assert kit.time.naps == [1.0, 2.0]


@pytest.mark.parametrize("text", ["Connection Closed", "Timed Out"])
async def test_a_failed_look_up_precedes_the_send_and_is_tried_again(kit: Kit, text: str) -> None:
    kit.stub.answer(envelope(500, text), (201, record()))
    assert (await send(kit)).id == "3868cd62"
    assert paths(kit) == ["sendText", "sendText"]


async def test_an_unknown_outcome_is_looked_up_and_found(kit: Kit) -> None:
    stored = record(id="cm1", key={**record()["key"], "id": "3EB0FOUND"})
    kit.stub.answer(LOST, page(stored))
    sent = await send(kit)
    assert (sent.id, sent.reconciled, sent.text) == ("3EB0FOUND", True, "Hello")
    assert paths(kit) == ["sendText", "findMessages"]
    where = kit.stub.last_json["where"]
    assert where["key"] == {"remoteJid": f"{NUMBER}@s.whatsapp.net", "fromMe": True}
    assert where["messageTimestamp"].keys() == {"gte", "lte"}


async def test_an_unknown_outcome_that_is_not_found_raises_and_sends_no_more(kit: Kit) -> None:
    kit.stub.default = EMPTY
    kit.stub.answer(LATE)
    with pytest.raises(SendOutcomeUnknownError) as caught:
        await send(kit)
    assert paths(kit).count("sendText") == 1
    assert caught.value.__cause__ is LATE
    assert caught.value.instance == "sales"
    assert "store" in caught.value.checked
    assert sum(kit.time.naps) == pytest.approx(3.0)


async def test_resend_looks_first_and_then_sends_again(kit: Kit) -> None:
    other = page(record(message={"conversation": "earlier"}))  # this server stores messages
    check = (200, [{"jid": f"{NUMBER}@s.whatsapp.net", "exists": True, "number": NUMBER}])
    kit.stub.script = [LOST, *[other] * 3, check, *[other] * 12, (201, record())]
    await send(kit, on_unknown="resend")
    assert paths(kit)[0] == paths(kit)[-1] == "sendText"
    assert set(paths(kit)[1:-1]) == {"findMessages", "whatsappNumbers"}


async def test_raise_does_not_even_look(kit: Kit) -> None:
    kit.stub.answer(LOST)
    with pytest.raises(SendOutcomeUnknownError):
        await send(kit, on_unknown="raise")
    assert paths(kit) == ["sendText"]


async def test_a_failing_look_up_never_leads_to_a_resend(kit: Kit) -> None:
    kit.stub.default = envelope(401, "Unauthorized")
    kit.stub.answer(LOST)
    with pytest.raises(SendOutcomeUnknownError):
        await send(kit, on_unknown="resend")
    assert paths(kit) == ["sendText", "findMessages"]


async def test_an_answered_failure_is_looked_up_only_once(kit: Kit) -> None:
    """The server is done when it answers; only after a lost connection may it still be acting."""
    kit.stub.default = EMPTY
    kit.stub.answer(envelope(500, "something new"))
    with pytest.raises(SendOutcomeUnknownError) as caught:
        await send(kit)
    assert isinstance(caught.value.__cause__, ServerError)
    assert kit.time.naps == []


async def test_looking_waits_as_long_as_the_server_holds_the_send(kit: Kit) -> None:
    kit.stub.default = EMPTY
    kit.stub.answer(LOST)
    with pytest.raises(SendOutcomeUnknownError):
        await send(kit, delay_ms=20_000)
    assert kit.time.naps[0] == 20.0


@pytest.mark.parametrize(
    ("number", "stored_as"),
    [
        ("5531999998888", "553199998888@s.whatsapp.net"),
        ("551187654321", "5511987654321@s.whatsapp.net"),
        ("5215512345678", "525512345678@s.whatsapp.net"),
        ("5491112345678", "541112345678@s.whatsapp.net"),
        ("+55 (11) 98765-4321", "5511987654321"),
        ("120363000000000001@g.us", "120363000000000001@g.us"),
        ("999888777666555@lid", "999888777666555@lid"),
    ],
)
async def test_the_store_is_searched_under_every_form_of_the_number(
    kit: Kit, number: str, stored_as: str
) -> None:
    stored = record(key={"fromMe": True, "id": "F", "remoteJid": stored_as})

    class Store:
        requests: list[Request] = kit.stub.requests

        def send(self, request: Request) -> Any:
            kit.stub.requests.append(request)
            if request.url.endswith("sendText/sales"):
                answer: Any = LOST
            else:
                wanted = json.loads(request.content or b"")["where"]["key"]["remoteJid"]
                answer = page(stored) if wanted == stored_as else EMPTY
            return kit.stub._later(answer) if kit.colour == "async" else kit.stub._now(answer)

    client = kit.client()
    world_of(client).transport = Store()
    sent = await kit.run(client.messages.send_text(number, "Hello"))
    assert sent.id == "F"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (envelope(400, [["instance requires property"]]), "BadRequestError"),
        (
            envelope(400, [{"jid": "x@s.whatsapp.net", "exists": False, "number": "x"}]),
            RecipientNotFoundError,
        ),
        ((201, {"message": "(#131030) no", "type": "O", "code": 131030}), MetaAPIError),
        (envelope(400, ["Method not available on Evolution Channel"]), "ChannelNotSupportedError"),
        (envelope(401, "Unauthorized"), "AuthenticationError"),
    ],
)
async def test_a_refusal_is_neither_repeated_nor_looked_up(
    kit: Kit, answer: Any, error: Any
) -> None:
    kit.stub.answer(answer)
    with pytest.raises(EvolutionAPIError) as caught:
        await send(kit)
    assert type(caught.value).__name__ == (error if isinstance(error, str) else error.__name__)
    assert len(kit.stub.requests) == 1


async def test_a_lost_session_is_tried_again_and_then_reported(kit: Kit) -> None:
    kit.stub.default = envelope(400, ["Error: Connection Closed"])
    with pytest.raises(InstanceNotConnectedError) as caught:
        await send(kit)
    assert (caught.value.attempts, caught.value.stopped_because) == (3, "exhausted")


@pytest.mark.parametrize(
    "body",
    [
        b'{"key":{"id":"3EB0","remoteJid":"x","fr',
        b"",
        b"OK",
        b"null",
        b"[]",
        b'{"unheard": "of"}',
        b'{"key": "not an object", "message": 7, "messageTimestamp": "soon"}',
    ],
)
async def test_nothing_after_a_completed_send_raises(
    kit: Kit, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    kit.stub.answer((201, body))
    with caplog.at_level(logging.WARNING, "evolution_sdk"):
        sent = await send(kit)
    assert len(kit.stub.requests) == 1
    assert sent.drift
    for reading in (sent.id, sent.remote_jid, sent.timestamp.isoformat(), repr(sent)):
        assert isinstance(reading, str)
    assert "shape" in caplog.text


async def test_the_same_message_is_never_found_for_two_sends(kit: Kit) -> None:
    stored = record()
    client = kit.client()
    kit.stub.script = [LOST, page(stored), LOST, *[page(stored)] * 12]
    first = await kit.run(client.messages.send_text(NUMBER, "Hello"))
    assert first.reconciled
    with pytest.raises(SendOutcomeUnknownError):
        await kit.run(client.messages.send_text(NUMBER, "Hello"))


async def test_a_look_up_waits_for_equal_sends_whose_answers_are_on_their_way() -> None:
    """Else the message of one would stand for two (async only: needs two calls at once)."""
    kit = Kit("async")
    arrived, release = asyncio.Event(), asyncio.Event()
    sends = 0

    async def transport(request: Request) -> Response:
        nonlocal sends
        if "findMessages" in request.url:
            return kit.stub._now(page(record()))
        sends += 1
        if sends == 1:  # acted, its answer is slow
            arrived.set()
            await release.wait()
            return kit.stub._now((201, record()))
        raise LOST  # the second never arrived

    client = kit.client()
    kit.stub.send = transport  # type: ignore[method-assign]
    slow = asyncio.create_task(client.messages.send_text(NUMBER, "Hello"))
    await arrived.wait()
    lost = asyncio.create_task(client.messages.send_text(NUMBER, "Hello"))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not lost.done()
    release.set()
    assert (await slow).id == "3868cd62"
    with pytest.raises(SendOutcomeUnknownError):
        await lost


async def test_an_equal_send_waits_while_one_is_looked_for() -> None:
    """Else its message could be the one that is found (async only: needs two calls at once)."""
    kit = Kit("async")
    looking, release = asyncio.Event(), asyncio.Event()
    sends = 0

    async def transport(request: Request) -> Response:
        nonlocal sends
        if "findMessages" in request.url:
            looking.set()
            await release.wait()
            return kit.stub._now(page(record()))
        sends += 1
        if sends == 1:  # acted, its answer is lost
            raise LOST
        key = {**record()["key"], "id": "3EB0FF"}
        return kit.stub._now((201, record(key=key)))

    client = kit.client()
    kit.stub.send = transport  # type: ignore[method-assign]
    lost = asyncio.create_task(client.messages.send_text(NUMBER, "Hello"))
    await looking.wait()
    equal = asyncio.create_task(client.messages.send_text(NUMBER, "Hello"))
    other = asyncio.create_task(client.messages.send_text(NUMBER, "Bye"))
    assert (await other).id == "3EB0FF"  # only equal ones wait
    assert sends == 2
    assert not equal.done()
    release.set()
    assert ((await lost).id, (await lost).reconciled) == ("3868cd62", True)
    assert (await equal).id == "3EB0FF"
    assert sends == 3


async def test_a_waiting_look_up_can_be_cancelled_and_leaves_nothing_behind() -> None:
    kit = Kit("async")
    never = asyncio.Event()
    sends = 0

    async def transport(_request: Request) -> Response:
        nonlocal sends
        sends += 1
        if sends == 1:
            await never.wait()
        raise LOST

    client = kit.client()
    kit.stub.send = transport  # type: ignore[method-assign]
    tasks = [asyncio.create_task(client.messages.send_text(NUMBER, "Hello")) for _ in range(3)]
    for _ in range(20):
        await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in results)
    assert client._pipeline.parts.send_lock._lines == {}


def stored_as(kind: str, content: dict[str, Any]) -> dict[str, Any]:
    return record(messageType=kind, message=content)


KINDS: dict[str, tuple[Callable[[Any], Any], dict[str, Any], dict[str, Any]]] = {
    "location": (
        lambda m: m.send_location(NUMBER, 1.0, 2.0, name="SP", address="Sé"),
        stored_as("locationMessage", {"locationMessage": {"name": "SP", "address": "Sé"}}),
        stored_as("locationMessage", {"locationMessage": {"name": "Rio", "address": "Sé"}}),
    ),
    "poll": (
        lambda m: m.send_poll(NUMBER, "Q?", ["A", "B"]),
        stored_as("pollCreationMessageV3", {"pollCreationMessageV3": {"name": "Q?"}}),
        stored_as("pollCreationMessageV3", {"pollCreationMessageV3": {"name": "Other?"}}),
    ),
    "image with caption": (
        lambda m: m.send_media(NUMBER, b"\x89PNG\r\n\x1a\n1234", caption="cap"),
        stored_as("imageMessage", {"imageMessage": {"caption": "cap"}}),
        stored_as("imageMessage", {"imageMessage": {"caption": "other"}}),
    ),
    "document": (
        lambda m: m.send_media(NUMBER, b"%PDF-1.4", file_name="a.pdf"),
        stored_as("documentMessage", {"documentMessage": {"fileName": "a.pdf"}}),
        stored_as("documentMessage", {"documentMessage": {"fileName": "b.pdf"}}),
    ),
    "file on the EVOLUTION channel": (
        lambda m: m.send_media(NUMBER, b"%PDF-1.4", file_name="a.pdf"),
        stored_as("documentMessage", {"mediaUrl": None}),
        stored_as("imageMessage", {"mediaUrl": None}),
    ),
    "list on Business": (
        lambda m: m.send_template(NUMBER, "hello_world", language="pt_BR"),
        stored_as("conversation", {"conversation": "▶️hello_world◀️"}),
        stored_as("conversation", {"conversation": "hello"}),
    ),
}


@pytest.mark.parametrize("case", KINDS.values(), ids=KINDS)
async def test_each_kind_is_recognised_by_its_content(kit: Kit, case: Any) -> None:
    call, same, other = case
    for stored, expected in ((same, True), (other, False)):
        client = kit.client()
        kit.stub.default = page(stored)
        kit.stub.answer(LOST)
        if expected:
            assert (await kit.run(call(client.messages))).reconciled
        else:
            with pytest.raises(SendOutcomeUnknownError):
                await kit.run(call(client.messages))
