"""Answers that were waited for and consumed: claimed once, given back where the wait fails."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from evolution_sdk import WaitTimeoutError
from evolution_sdk.tracking.consumption import Claims, Hold

from .conftest import Kit, until
from .test_clients_following import heard_while_waiting, inbound, page, sent_by, update
from .test_clients_votes import ONE, polled, recorded


async def test_only_the_answer_is_claimed(kit: Kit) -> None:
    client = kit.client()
    sent = await sent_by(kit, client)
    kit.stub.default = page()
    client.feed(update("SERVER_ACK"))
    other = inbound("other", key={"remoteJid": "5511000000000@s.whatsapp.net"})
    answer, later = inbound("yes"), inbound("more")
    heard_while_waiting(kit, client, other, answer, later)
    reply = await kit.run(sent.wait_for_reply(consume=True))
    client.feed(later)
    assert reply.text == "yes"
    claimed = client.claim_on(inbound("yes"))
    assert (claimed.is_settled, claimed.is_consumed, claimed.wait(0)) == (True, True, True)
    assert client.claim_on(other) is None
    assert client.claim_on(later) is None


async def test_without_consume_nothing_is_claimed(kit: Kit) -> None:
    client = kit.client()
    sent = await sent_by(kit, client)
    client.feed(inbound("yes"))
    await kit.run(sent.wait_for_reply())
    assert client.claim_on(inbound("yes")) is None


async def test_an_answer_of_the_store_is_kept_from_handlers_when_its_event_comes_late(
    kit: Kit,
) -> None:
    client = kit.client()
    sent = await sent_by(kit, client)
    answer = inbound("yes")
    kit.stub.answer(page({**answer.raw["data"], "id": "row1"}))
    await kit.run(sent.wait_for_reply(consume=True))
    assert client.claim_on(answer).is_consumed


async def test_a_vote_is_consumed(kit: Kit) -> None:
    client = kit.client()
    body = recorded("2.3.7", ONE)
    poll = await polled(kit, client, body)
    client.feed(body)
    told = await kit.run(poll.wait_for_vote(consume=True))
    assert client.claim_on(told).is_consumed


async def test_a_wait_that_is_too_late_consumes_nothing(kit: Kit) -> None:
    """The answer comes in the very moment in which the wait gives up."""
    client = kit.client()
    sent = await sent_by(kit, client)
    kit.stub.default = page()
    client.feed(update("SERVER_ACK"))
    with pytest.raises(WaitTimeoutError):
        await kit.run(sent.wait_for_reply(timeout_ms=1_000, consume=True))
    client.feed(inbound("late"))
    assert client.claim_on(inbound("late")) is None


async def test_a_cancelled_wait_gives_its_answer_back() -> None:
    kit = Kit("async")
    client = kit.client(sleep=None)
    sent = await sent_by(kit, client)
    kit.stub.default = page()
    client.feed(update("SERVER_ACK"))
    waiting = asyncio.create_task(sent.wait_for_reply(consume=True))
    await until(lambda: client._pipeline.event_bus.listening)
    for _ in range(20):
        await asyncio.sleep(0)
    client.feed(inbound("yes"))
    claimed = client.claim_on(inbound("yes"))
    assert not claimed.is_settled, "offered and taken, but not returned yet"
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (claimed.is_settled, claimed.is_consumed) == (True, False)


class Waited:
    """Waits for anything."""

    def __init__(self) -> None:
        self.got: list[Any] = []

    @property
    def done(self) -> bool:
        return bool(self.got)

    def take(self, event: Any) -> bool:
        if not self.got:
            self.got.append(event)
        return True


def test_two_waits_for_one_event() -> None:
    claims, event = Claims(), inbound("yes")
    first, second = Hold(Waited(), claims), Hold(Waited(), claims)
    assert first.take(event)
    assert second.take(event)
    first.give_up()
    claimed = claims.on(event)
    assert claimed is not None
    assert not claimed.is_settled
    assert claimed.wait(0), "still claimed when the time is over"
    second.keep(event)
    assert claimed.is_consumed
    assert claims.on(inbound("other")) is None


def test_after_a_wait_has_given_up_nothing_is_taken() -> None:
    """A thread that feeds may be in the middle of its round when the wait ends."""
    claims, waited = Claims(), Waited()
    hold = Hold(waited, claims)
    hold.give_up()
    hold.take(inbound("late"))
    assert waited.got == []
    assert claims.on(inbound("late")) is None


def test_whoever_dispatches_waits_until_it_is_certain() -> None:
    claims, event = Claims(), inbound("yes")
    hold = Hold(Waited(), claims)
    hold.take(event)
    claimed = claims.on(event)
    assert claimed is not None
    answers: list[bool] = []
    thread = threading.Thread(target=lambda: answers.append(claimed.wait(30)))
    thread.start()
    hold.give_up()
    thread.join(30)
    assert answers == [False]


def test_claims_are_bounded() -> None:
    claims = Claims()
    for number in range(3_000):
        claims.lay(inbound(str(number))).settle(kept=True)
    assert len(claims._events) == 2_000
