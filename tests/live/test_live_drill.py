"""300 sends through FaultProxy to the server: none lost, none doubled, counted on the server."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import pytest

from evolution_sdk import EvolutionConfig, RetryPolicy
from evolution_sdk.testing import FaultProxy, no_retry_delays

SENDS, CONCURRENT = 300, 8
EQUAL = 10  # of so many sends in a row, two are equal
SEND = "message.send_text"


@pytest.fixture
def proxy(config: EvolutionConfig) -> Iterator[FaultProxy]:
    with FaultProxy(config.base_url, seed=4) as made:
        made.faults.add(SEND, "answer_then_drop", probability=0.20)
        made.faults.add(SEND, "refuse", probability=0.0625)
        made.faults.add(SEND, "drop", probability=0.0667)
        made.faults.add(SEND, "status", probability=0.0714, status=500, body={"error": "boom"})
        yield made


def load() -> list[tuple[str, str]]:
    return [
        (f"55119876{i % 20:05}", f"Aviso {i // EQUAL}")
        if i % EQUAL == 0
        else (f"55119876{(i - 1) % 20:05}", f"Aviso {i // EQUAL}")
        if i % EQUAL == 1
        else (f"55119876{i % 20:05}", f"Mensagem {i}")
        for i in range(SENDS)
    ]


async def send_all(live: Any, send: Callable[[str, str], Any], todo: list[Any]) -> list[Any]:
    if live.colour == "async":
        gate = asyncio.Semaphore(CONCURRENT)

        async def one(number: str, text: str) -> Any:
            async with gate:
                return await send(number, text)

        return list(await asyncio.gather(*(one(*order) for order in todo)))
    contexts = [copy_context() for _ in todo]  # so that no_retry_delays holds in the threads
    with ThreadPoolExecutor(CONCURRENT) as pool:
        return list(pool.map(lambda context, order: context.run(send, *order), contexts, todo))


async def test_300_sends_through_faults_are_there_exactly_once(
    live: Any, sales: Any, proxy: FaultProxy
) -> None:
    through = live.open(live.config.replace(base_url=proxy.url)).instance(sales.name)
    policy = RetryPolicy(max_attempts=10, delay_ms=20)

    def send(number: str, text: str) -> Any:
        return through.messages.send_text(number, text, on_unknown="resend", retry=policy)

    todo = load()
    # An absent message must be judged absent by looks in a row, without the time in between.
    with no_retry_delays():
        sent = await send_all(live, send, todo)
    # Asked of the server itself, not through the proxy.
    stored = await live.collect(sales.chats.iter_messages(from_me=True))
    assert Counter(message.text for message in stored) == Counter(text for _, text in todo)
    assert {message.id: message.text for message in stored} == {
        message.id: text for message, (_, text) in zip(sent, todo, strict=True)
    }
    struck = Counter(request.fault for request in proxy.seen if request.operation == SEND)
    assert min(struck[kind] for kind in ("answer_then_drop", "refuse", "drop", "status")) > 3
    assert sum(message.reconciled for message in sent) >= struck["answer_then_drop"] * 0.9
