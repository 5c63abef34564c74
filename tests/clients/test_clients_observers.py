"""What observers of a client hear: one fact per attempt, one per call; never a harm to it."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from evolution_sdk import AttemptFinished, CallFinished, Effect
from evolution_sdk.errors import BadRequestError, ConnectionFailedError, Phase
from evolution_sdk.models import SentMessage

from .conftest import Kit, record

REFUSED = ConnectionFailedError("refused", phase=Phase.NOT_SENT)


async def test_each_attempt_and_the_call_are_told(kit: Kit) -> None:
    client = kit.client()
    heard: list[Any] = []
    client.observe(heard.append)
    kit.stub.answer(REFUSED, (201, record()))
    sent = await kit.run(client.messages.send_text("5511987654321", "Hello"))
    first, second, call = heard
    assert (first.operation, first.effect, first.instance) == (
        "message.send_text",
        Effect.SEND,
        "sales",
    )
    assert isinstance(first, AttemptFinished)
    assert isinstance(first.error, ConnectionFailedError)
    assert isinstance(second, AttemptFinished)
    assert second.error is None
    # the wait between them belongs to the call, not to an attempt
    assert second.started_at - first.started_at == pytest.approx(1.0)
    assert (first.response_ms, second.response_ms) == (0, 0)
    assert isinstance(call, CallFinished)
    assert (call.attempts, call.error, call.result) == (2, None, SentMessage.from_wire(sent.raw))
    assert call.elapsed_ms == pytest.approx(1_000)


async def test_a_failed_call_tells_its_error(kit: Kit) -> None:
    client = kit.client()
    heard: list[Any] = []
    client.observe(heard.append)
    kit.stub.answer((400, {"status": 400, "error": "Bad Request", "response": {"message": ["no"]}}))
    with pytest.raises(BadRequestError) as caught:
        await kit.run(client.messages.send_text("5511987654321", "Hello"))
    assert [fact.error for fact in heard] == [caught.value, caught.value]
    assert heard[-1].result is None
    assert "Hello" not in repr(heard)
    assert "no" not in repr(heard[-1]).replace("None", "")


async def test_an_observer_that_raises_harms_nothing(
    kit: Kit, caplog: pytest.LogCaptureFixture
) -> None:
    client = kit.client()
    heard: list[Any] = []

    def bad(_: object) -> None:
        raise RuntimeError("secret")

    client.observe(bad)
    client.observe(heard.append)
    kit.stub.answer((201, record()))
    with caplog.at_level(logging.ERROR, "evolution_sdk"):
        await kit.run(client.messages.send_text("5511987654321", "Hello"))
    assert len(heard) == 2
    assert "RuntimeError" in caplog.text
    assert "secret" not in caplog.text


async def test_observing_can_be_ended(kit: Kit) -> None:
    client = kit.client()
    heard: list[Any] = []
    stop, _ = client.observe(heard.append), client.observe(heard.append)
    kit.stub.answer((201, record()), (201, record()))
    await kit.run(client.messages.send_text("5511987654321", "Hello"))
    assert len(heard) == 4
    stop()
    stop()
    await kit.run(client.messages.send_text("5511987654321", "Hello"))
    assert len(heard) == 6
