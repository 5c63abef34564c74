"""Thousands of sends through faults: none lost, none sent twice, by the fake server's store."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from evolution_sdk import EvolutionConfig, SendOutcomeUnknownError
from evolution_sdk.testing import FakeEvolution

from .conftest import KEY, URL, Kit

SENDS = int(os.environ.get("EVOLUTION_TEST_SENDS", "1000"))
"""10,000 take minutes: the fake's store has no index."""


def faulty_server(seed: int = 11) -> FakeEvolution:
    """The very first answer is lost too, when nothing else is in the store yet."""
    fake = FakeEvolution(api_key=KEY, seed=seed)
    fake.create_instance("sales", integration="WHATSAPP-BAILEYS", state="open")
    fake.faults.add("message.send_text", "answer_then_drop", count=1)
    fake.faults.add("message.send_text", "drop", probability=0.10)
    fake.faults.add("message.send_text", "answer_then_drop", probability=0.20)
    fake.faults.add(
        "message.send_text",
        "status",
        probability=0.05,
        status=500,
        body={"status": 500, "error": "Internal Server Error", "response": {"message": "boom"}},
    )
    return fake


@contextmanager
def told(keep: bool) -> Iterator[list[SendOutcomeUnknownError]]:
    """Catch an unknown outcome, if it is to be kept."""
    caught: list[SendOutcomeUnknownError] = []
    try:
        yield caught
    except SendOutcomeUnknownError as error:
        if not keep:
            raise
        caught.append(error)


async def send_all(
    kit: Kit,
    fake: FakeEvolution,
    texts: list[str],
    numbers: list[str],
    *,
    keep: bool = False,
    **options: Any,
) -> list[Any]:
    """Send them all, 8 at once; ``keep`` gives unknown outcomes back instead of raising."""
    http = fake.async_http_client() if kit.colour == "async" else fake.http_client()
    retry = kit.retry_service(max_attempts=10, delay_ms=1)
    config = EvolutionConfig(URL, KEY, retry={"reconcile_wait_ms": 200})
    client = kit.client(stub=False, retry=retry, http_client=http, config=config)
    client._caller.wall_clock = lambda: fake.clock.now_ms() / 1_000
    if kit.colour == "async":
        gate = asyncio.Semaphore(8)

        async def one(number: str, text: str) -> Any:
            async with gate:
                with told(keep) as outcome:
                    return await client.messages.send_text(number, text, **options)
                return outcome[0]

        return list(await asyncio.gather(*map(one, numbers, texts)))

    def send(number: str, text: str) -> Any:
        with told(keep) as outcome:
            return client.messages.send_text(number, text, **options)
        return outcome[0]

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(send, numbers, texts))


async def test_no_message_is_lost_and_none_is_sent_twice(kit: Kit) -> None:
    fake = faulty_server()
    # every second text is sent four times to its number, next to each other
    texts = [f"Mensagem {i if i % 8 < 4 else i - i % 4}" for i in range(SENDS)]
    numbers = [f"55119876{i // 8 % 50:05}" for i in range(SENDS)]
    results = await send_all(kit, fake, texts, numbers, on_unknown="resend")
    assert Counter(sent.text for sent in fake.sent) == Counter(texts)
    # every caller was given a message of its own, also where the answer had been lost
    written = {sent.key_id: sent.text for sent in fake.sent}
    assert [written[result.id] for result in results] == texts
    assert len({result.id for result in results}) == SENDS
    assert sum(result.reconciled for result in results) > SENDS * 0.15


@pytest.mark.parametrize("on_unknown", ["reconcile", "raise"])
async def test_none_is_sent_twice_and_each_unknown_one_is_told(kit: Kit, on_unknown: str) -> None:
    fake = faulty_server(seed=2)
    texts = [f"Mensagem {i}" for i in range(400)]
    numbers = [f"55119876{i % 50:05}" for i in range(400)]
    outcomes = await send_all(kit, fake, texts, numbers, on_unknown=on_unknown, keep=True)
    stored = Counter(sent.text for sent in fake.sent)
    assert set(stored.values()) == {1}
    for text, outcome in zip(texts, outcomes, strict=True):
        assert isinstance(outcome, SendOutcomeUnknownError) or stored[text] == 1
        if on_unknown == "reconcile":
            assert isinstance(outcome, SendOutcomeUnknownError) == (text not in stored)


@pytest.mark.parametrize("equal", [3, 20])
async def test_equal_texts_sent_on_purpose_are_all_kept(kit: Kit, equal: int) -> None:
    """One after the other; each lost answer is matched with its own message."""
    fake = FakeEvolution(api_key=KEY, seed=3)
    fake.create_instance("sales", integration="WHATSAPP-BAILEYS", state="open")
    fake.faults.add("message.send_text", "answer_then_drop", probability=0.5)
    fake.faults.add("message.send_text", "refuse", probability=0.2)
    http = fake.async_http_client() if kit.colour == "async" else fake.http_client()
    client = kit.client(
        stub=False, retry=kit.retry_service(max_attempts=20, delay_ms=1), http_client=http
    )
    client._caller.wall_clock = lambda: fake.clock.now_ms() / 1_000
    ids = set()
    for _ in range(equal):
        sent = await kit.run(
            client.messages.send_text("5511987654321", "ping", on_unknown="resend")
        )
        ids.add(sent.id)
    assert len(ids) == len(fake.sent) == equal


async def test_equal_texts_sent_at_once_are_all_kept(kit: Kit) -> None:
    """8 at a time to one chat: no message may stand for two sends."""
    fake = faulty_server(seed=5)
    results = await send_all(
        kit, fake, ["ping"] * 300, ["5511987654321"] * 300, on_unknown="resend"
    )
    assert len(fake.sent) == 300
    assert {result.id for result in results} == {sent.key_id for sent in fake.sent}
