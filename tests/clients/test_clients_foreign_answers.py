"""A proxy's words are not the server's, and one dead file is not a dead session."""

from __future__ import annotations

from typing import Any

import pytest

from evolution_sdk import SendOutcomeUnknownError, errors
from evolution_sdk.errors import Phase
from evolution_sdk.models import MessageKey
from evolution_sdk.testing import FakeEvolution

from .conftest import KEY, Kit
from .test_clients_breaker import client_before

NUMBER = "5511987654321"
HYPER = "connection closed before message completed"
ELSEWHERE: list[tuple[int, Any, str]] = [
    (502, HYPER, HYPER),
    (502, {"message": HYPER}, HYPER),
    (501, "<html><title>501 Unsupported method</title></html>", "EVOLUTION_API_URL"),
    (504, "<html><h1>504 Gateway Time-out</h1></html>", "504 Gateway Time-out"),
    (499, "", "HTTP 499"),
    (460, "", "HTTP 460"),
    (408, "<html>slow</html>", "HTTP 408"),
    (500, {"message": "Connection Closed"}, "Connection Closed"),
    (200, {"ok": True}, "something else answered"),
    (200, "<html>login</html>", "web page"),
]


def stored(kind: str, status: int, body: Any) -> FakeEvolution:
    """A server whose answer to a send is replaced by a proxy, before or after it acted."""
    fake = FakeEvolution(api_key=KEY)
    fake.create_instance("sales", integration="WHATSAPP-BAILEYS", state="open")
    fake.faults.add("message.send_text", kind, status=status, body=body)
    return fake


@pytest.mark.parametrize(("status", "body", "shown"), ELSEWHERE)
@pytest.mark.parametrize("kind", ["status", "status_after"])
async def test_with_raise_it_is_tried_once_and_says_what_came(
    kit: Kit, kind: str, status: int, body: Any, shown: str
) -> None:
    fake = stored(kind, status, body)
    client = client_before(kit, fake, retry=kit.retry_service(max_attempts=3, delay_ms=1))
    with pytest.raises(SendOutcomeUnknownError) as caught:
        await kit.run(client.messages.send_text(NUMBER, "oi", on_unknown="raise"))
    assert len(fake.requests) == 1
    assert shown in str(caught.value)
    assert shown in caught.value.told


@pytest.mark.parametrize(("status", "body", "shown"), ELSEWHERE)
async def test_what_was_stored_is_found_and_sent_once(
    kit: Kit, status: int, body: Any, shown: str
) -> None:
    for mode in ("reconcile", "resend"):
        fake = stored("status_after", status, body)
        client = client_before(kit, fake, retry=kit.retry_service(max_attempts=3, delay_ms=1))
        sent = await kit.run(client.messages.send_text(NUMBER, "oi", on_unknown=mode))
        assert [one.key_id for one in fake.sent] == [sent.id]
        assert shown


async def test_thirty_dead_files_leave_the_sends_alone(kit: Kit) -> None:
    fake = FakeEvolution(api_key=KEY)
    fake.create_instance("sales", integration="WHATSAPP-BAILEYS", state="open")
    words = ["TypeError: Cannot read properties of undefined (reading 'ephemeralMessage')"]
    fake.faults.add(
        "chat.get_base64_from_media_message",
        "status",
        status=400,
        body={"status": 400, "error": "Bad Request", "response": {"message": words}},
    )
    client = client_before(kit, fake, retry=kit.retry_service(max_attempts=3, delay_ms=1))
    key = MessageKey(id="3EB0", remote_jid="5511987654321@s.whatsapp.net", from_me=False)
    for _ in range(30):
        with pytest.raises(errors.BadRequestError):
            await kit.run(client.chats.get_base64_from_media_message(key))
    assert len(fake.requests) == 30
    assert set(client.breakers()) <= {"server"}
    await kit.run(client.messages.send_text(NUMBER, "oi"))
    assert len(fake.sent) == 1


@pytest.mark.parametrize(
    ("operation", "status", "message"),
    [
        ("message.send_media", 500, ["AxiosError: Request failed with status code 404"]),
        ("group.find_group_info", 500, ["Error fetching group", "Error: bad-request"]),
        ("group.find_group_info", 404, ["Error fetching group", "TypeError: x is not iterable"]),
    ],
)
async def test_thirty_of_one_file_or_group_open_nothing(
    kit: Kit, operation: str, status: int, message: Any
) -> None:
    fake = FakeEvolution(api_key=KEY)
    fake.create_instance("sales", integration="WHATSAPP-BAILEYS", state="open")
    body = {"status": status, "error": "x", "response": {"message": message}}
    fake.faults.add(operation, "status", status=status, body=body)
    client = client_before(kit, fake, retry=kit.retry_service(max_attempts=1, delay_ms=1))

    def call() -> Any:
        if operation == "message.send_media":
            return client.messages.send_media(NUMBER, "https://a.example/b.png")
        return client.groups.find_info("120363000000000001@g.us")

    for _ in range(30):
        with pytest.raises(errors.EvolutionAPIError) as caught:
            await kit.run(call())
        assert caught.value.phase is not Phase.UNKNOWN or operation != "message.send_media"
    assert {name: each.state.value for name, each in client.breakers().items()} in (
        {},
        {"server": "closed"},
    )
    await kit.run(client.messages.send_text(NUMBER, "oi"))
    assert len(fake.sent) == 1


async def test_no_error_repeats_what_was_sent(kit: Kit) -> None:
    """Whoever answers may echo the request; its words are shown, ours in them are not."""
    text = "o segredo de Maria, que e longo demais para caber em uma linha so"
    echoes: list[tuple[int, Any]] = [
        (500, {"message": f"cannot forward {text[:60]} with {KEY}"}),
        (502, f"<html><title>bad {text} {KEY}</title></html>"),
        (400, {"status": 400, "error": "x", "response": {"message": [f"Error: {text}"]}}),
        (503, f"{KEY} {text}"),
    ]
    for status, body in echoes:
        fake = stored("status", status, body)
        client = client_before(kit, fake, retry=kit.retry_service(max_attempts=1))
        with pytest.raises(errors.EvolutionError) as caught:
            await kit.run(client.messages.send_text(NUMBER, text))
        for shown in (str(caught.value), repr(caught.value), str(caught.value.__cause__)):
            assert "segredo" not in shown
            assert KEY not in shown


async def test_an_error_still_names_what_it_is_about(kit: Kit) -> None:
    kit.stub.answer((403, {"status": 403, "response": {"message": ['"loja-centro" in use']}}))
    with pytest.raises(errors.EvolutionAPIError, match="loja-centro"):
        await kit.run(kit.client().instances.create("loja-centro"))
