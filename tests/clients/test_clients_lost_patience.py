"""A lost send is looked for no longer, and asks no more, than its patience allows."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from evolution_sdk import EvolutionConfig, RetryPolicy, SendOutcomeUnknownError

from .conftest import KEY, URL
from .fake_stage import JID, NUMBER, Stage
from .test_clients_lost_places import rewrite

CHECK, READ = "chat.check_whatsapp_numbers", "chat.find_messages"
LID = "99887766554433@lid"
RESEND: dict[str, Any] = {"on_unknown": "resend", "retry": RetryPolicy(max_attempts=2, delay_ms=1)}
FAILING: dict[str, dict[str, Any]] = {
    "refuses": {"kind": "status", "status": 500, "body": {}},
    "breaks off": {"kind": "drop"},
}


def fail(stage: Stage, operation: str, how: str, **more: Any) -> None:
    given = dict(FAILING[how])
    stage.fake.faults.add(operation, given.pop("kind"), **given, **more)


def asked(stage: Stage) -> Counter[str]:
    return Counter(seen.path.split("/")[2] for seen in stage.arrived)


async def clocked(stage: Stage) -> Any:
    """A client that has learned the server's clock, so that one window of time is enough."""
    client = stage.client()
    await stage.kit.run(client.messages.send_text(NUMBER, "antes"))
    return client


async def lose(stage: Stage, client: Any, number: str = NUMBER, **options: Any) -> str:
    """Lose a send for good; say why it is not known."""
    stage.arrived.clear()
    stage.fake.faults.add("message.send_text", "drop", count=1)
    with pytest.raises(SendOutcomeUnknownError) as caught:
        await stage.kit.run(client.messages.send_text(number, "olá", **options))
    return str(caught.value.checked)


@pytest.mark.parametrize("how", FAILING)
async def test_a_failing_number_check_is_asked_once(stage: Stage, how: str) -> None:
    stage.open_instance()
    client = await clocked(stage)
    fail(stage, CHECK, how)
    began = stage.kit.time.now
    await lose(stage, client)
    counts = asked(stage)
    assert counts["whatsappNumbers"] == 1
    # The first look asks for each form; the further ones read what was sent since, in one page.
    assert counts["findMessages"] <= 6 + 4
    assert stage.kit.time.now - began <= 3.0


@pytest.mark.parametrize("patience_ms", [0, 3_000, 20_000])
@pytest.mark.parametrize("how", FAILING)
async def test_a_failing_store_is_asked_once_a_look(
    stage: Stage, how: str, patience_ms: int
) -> None:
    stage.open_instance()
    fail(stage, READ, how)
    config = EvolutionConfig(URL, KEY, retry={"reconcile_wait_ms": patience_ms})
    began = stage.kit.time.now
    await lose(stage, stage.client(config=config))
    assert asked(stage)["findMessages"] == {0: 1, 3_000: 5, 20_000: 8}[patience_ms]
    assert stage.kit.time.now - began == pytest.approx(patience_ms / 1_000)


async def test_slow_looks_do_not_add_up(stage: Stage) -> None:
    stage.open_instance()
    client = await clocked(stage)
    fail(stage, CHECK, "refuses")

    def slowly(method: str, target: str) -> None:
        stage.kit.time.now += 0.7 if "/chat/" in target else 0.0

    stage.before = slowly  # type: ignore[method-assign]  # a hook of the stage
    began = stage.kit.time.now
    await lose(stage, client)
    # The first look outlasts the patience; only the last one is left then.
    first, last = (6 + 1) * 0.7, 0.7
    assert stage.kit.time.now - began == pytest.approx(first + last)


async def test_without_an_answer_to_the_check_absence_is_not_proven(stage: Stage) -> None:
    stage.open_instance()
    client = stage.client()
    fail(stage, CHECK, "breaks off")
    why = await lose(stage, client, **RESEND)
    assert "did not answer under which id" in why
    stage.fake.assert_sent_times(0, text="olá")


@pytest.mark.parametrize("how", FAILING)
async def test_the_check_is_asked_again_while_it_could_settle_something(
    stage: Stage, how: str
) -> None:
    stage.open_instance()
    rewrite(stage, remoteJid=JID)
    fail(stage, CHECK, how, count=1)
    handle = stage.fake.kernel.handle

    def told(method: str, target: str, *rest: Any) -> Any:
        reply = handle(method, target, *rest)
        if "/chat/whatsappNumbers/" in target:  # as recorded on 2.3.7
            check = {"jid": JID, "exists": True, "number": LID, "lid": "lid"}
            return replace(reply, status=200, body=json.dumps([check]).encode())
        return reply

    failing = iter([True])

    def at_first(method: str, target: str, *rest: Any) -> Any:
        if "/chat/whatsappNumbers/" in target and next(failing, False):
            return handle(method, target, *rest)
        return told(method, target, *rest)

    stage.fake.kernel.handle = at_first  # type: ignore[method-assign, assignment]  # a server that recovers
    client = stage.client()
    stage.fake.faults.add("message.send_text", "answer_then_drop", count=1)
    found = await stage.kit.run(client.messages.send_text(LID, "olá", **RESEND))
    assert (found.evidence, found.remote_jid) == ("store", JID)
    assert asked(stage)["whatsappNumbers"] == 2
    stage.fake.assert_sent_times(1, text="olá")


@pytest.mark.parametrize("how", FAILING)
async def test_even_then_it_is_asked_thrice_at_most(stage: Stage, how: str) -> None:
    stage.open_instance()
    rewrite(stage, remoteJid=JID)
    fail(stage, CHECK, how)
    stage.fake.faults.add("message.send_text", "answer_then_drop", count=1)
    with pytest.raises(SendOutcomeUnknownError) as caught:
        await stage.kit.run(stage.client().messages.send_text(LID, "olá", **RESEND))
    assert "unknown hidden id" in str(caught.value.checked)
    assert asked(stage)["whatsappNumbers"] == 3
    stage.fake.assert_sent_times(1, text="olá")
