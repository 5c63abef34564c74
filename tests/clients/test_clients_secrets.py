"""Answers of unknown shape are logged without content; no secret is ever logged or shown."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from evolution_sdk.errors import ServerError

from .conftest import KEY, Kit
from .fake_stage import NUMBER, Stage


async def test_an_unknown_shape_is_logged_without_content_and_raises_nothing(
    kit: Kit, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    odd = {"messages": {"total": "many", "records": [{"key": "segredo-da-ana", "id": 1}]}}
    kit.stub.answer((200, odd), (201, {"surprise": "segredo-da-ana"}), (201, b"segredo-da-ana"))
    client = kit.client()
    page = await kit.run(client.chats.find_messages())
    assert page.raw == odd
    assert page.drift
    sent = await kit.run(client.messages.send_text(NUMBER, "oi"))
    assert (sent.id, sent.raw) == ("", {"surprise": "segredo-da-ana"})
    await kit.run(client.messages.send_text(NUMBER, "oi"))
    warnings = [r.getMessage() for r in caplog.records if "does not know" in r.getMessage()]
    assert [text.split(" ")[0] for text in warnings] == [
        "chat.find_messages", "message.send_text", "message.send_text"
    ]  # fmt: skip
    assert "segredo-da-ana" not in caplog.text


async def test_a_shape_that_fits_is_not_reported(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.open_instance()
    client = stage.client()
    await stage.kit.run(client.messages.send_text(NUMBER, "oi"))
    await stage.kit.run(client.chats.find_messages())
    await stage.kit.run(client.instances.fetch())
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


SECRETS = ("segredo-no-texto", "segredo-na-legenda", "token-of-sales", KEY, "2@", "base64,iVBOR")


async def a_whole_session(kit: Kit, client: Any, fake: Any) -> list[str]:
    """Calls of all kinds, successes and failures; returns what their errors and results show."""
    shown: list[str] = []
    png = b"\x89PNG\r\n\x1a\n" + bytes(100)
    sales = client.instance("sales", token="token-of-sales")
    closed = client.instance("nobody")
    calls: list[Any] = [
        lambda: client.instances.create("sales", token="token-of-sales", qrcode=True),
        lambda: client.instances.wait_for_qr("sales"),
        lambda: client.instances.fetch(),
        lambda: sales.webhook.set("https://a.example", headers={"jwt_key": "token-of-sales--"}),
        lambda: sales.messages.send_text(NUMBER, "segredo-no-texto", retry=False),
        lambda: fake.scan_qr("sales"),
        lambda: sales.messages.send_text(NUMBER, "segredo-no-texto"),
        lambda: sales.messages.send_media(NUMBER, png, caption="segredo-na-legenda"),
        lambda: sales.messages.send_media(
            NUMBER, png, caption="segredo-na-legenda", prefer="multipart"
        ),
        lambda: kit.collect(sales.chats.iter_messages()),
        lambda: sales.chats.find(),
        lambda: closed.messages.send_text(NUMBER, "segredo-no-texto"),
        lambda: client.instance("sales", token="token-of-sales-x").webhook.find(),
        lambda: sales.messages.send_text(NUMBER, "segredo-no-texto", delay_ms="x"),
    ]
    kinds: list[dict[str, Any]] = [
        {"kind": "refuse"},
        {"kind": "drop"},
        {"kind": "answer_then_drop"},
        {"kind": "truncate"},
        {"kind": "status", "status": 500, "body": {"message": "segredo-no-texto " + KEY}},
        {"kind": "status", "status": 400,
         "body": {"status": 400, "response": {"message": ["Invalid prisma\n segredo-no-texto"]}}},
    ]  # fmt: skip
    for call in calls:
        shown.append(await outcome(kit, call))
    for fault in kinds:
        armed = fake.faults.add("message.send_text", **fault)
        shown.append(
            await outcome(kit, lambda: sales.messages.send_text(NUMBER, "segredo-no-texto"))
        )
        armed.remove()
    return shown


async def outcome(kit: Kit, call: Any) -> str:
    try:
        return repr(await kit.run(call()))
    except Exception as error:
        # A server's own words are shown to the caller; they only must not be logged.
        return repr(type(error)) if isinstance(error, ServerError) else f"{error!r} {error}"


@pytest.mark.parametrize("over_http", [False, True])
async def test_neither_logs_nor_reprs_ever_show_a_secret(
    stage: Stage, caplog: pytest.LogCaptureFixture, over_http: bool
) -> None:
    caplog.set_level(logging.DEBUG)
    if over_http:
        async with stage.served() as client:
            shown = await a_whole_session(stage.kit, client, stage.fake)
    else:
        client = stage.client()
        shown = await a_whole_session(stage.kit, client, stage.fake)
    assert any("evolution_sdk" in record.name for record in caplog.records)
    shown.append(repr(client))
    for secret in SECRETS:
        assert secret not in caplog.text
        assert not [text for text in shown if secret in text]
    assert len(stage.fake.sent) >= 3
