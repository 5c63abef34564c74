"""Equal texts sent on purpose, through faults: all kept. The big drills are in tests/drills."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from evolution_sdk.testing import FakeEvolution

from .conftest import KEY, Kit, world_of


def faulty_server(seed: int = 11) -> FakeEvolution:
    fake = FakeEvolution(api_key=KEY, seed=seed)
    fake.create_instance("sales", integration="WHATSAPP-BAILEYS", state="open")
    fake.faults.add("message.send_text", "refuse", probability=0.10)
    fake.faults.add("message.send_text", "answer_then_drop", probability=0.10)
    fake.faults.add(
        "message.send_text",
        "status",
        probability=0.05,
        status=500,
        body={"status": 500, "error": "Internal Server Error", "response": {"message": "boom"}},
    )
    return fake


async def send_all(
    kit: Kit, fake: FakeEvolution, texts: list[str], numbers: list[str], **options: Any
) -> list[Any]:
    http = fake.async_http_client() if kit.colour == "async" else fake.http_client()
    retry = kit.retry_service(max_attempts=10, delay_ms=1)
    client = kit.client(stub=False, retry=retry, http_client=http)
    world_of(client).wall = lambda: fake.clock.now_ms() / 1_000
    if kit.colour == "async":
        gate = asyncio.Semaphore(50)

        async def one(number: str, text: str) -> Any:
            async with gate:
                return await client.messages.send_text(number, text, **options)

        return list(await asyncio.gather(*map(one, numbers, texts)))

    def send(number: str, text: str) -> Any:
        return client.messages.send_text(number, text, **options)

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(send, numbers, texts))


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
    world_of(client).wall = lambda: fake.clock.now_ms() / 1_000
    ids = set()
    for _ in range(equal):
        sent = await kit.run(
            client.messages.send_text("5511987654321", "ping", on_unknown="resend")
        )
        ids.add(sent.id)
    assert len(ids) == len(fake.sent) == equal


async def test_equal_texts_sent_at_once_are_all_kept(kit: Kit) -> None:
    """50 at a time to one chat: no message may stand for two sends."""
    fake = faulty_server(seed=5)
    results = await send_all(
        kit, fake, ["ping"] * 300, ["5511987654321"] * 300, on_unknown="resend"
    )
    assert len(fake.sent) == 300
    assert {result.id for result in results} == {sent.key_id for sent in fake.sent}
