"""Sends through FaultProxy to the server: none lost, none doubled, counted on the server."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from live_kinds import KINDS, ON_BUSINESS, ON_EVOLUTION, UPLOADED

from evolution_sdk import EvolutionConfig, RetryPolicy
from evolution_sdk.errors import SendOutcomeUnknownError
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


# Each kind on each channel: what happens to the sends, one after the other. Two in a row are
# equal (2 and 3), as when a person is reminded twice.
FAULTS = ("", "answer_then_drop", "drop", "answer_then_drop", "", "status", "answer_then_drop")
ASKED = (0, 1, 2, 2, 4, 5, 6)
LOST = FAULTS.count("answer_then_drop")


@dataclass
class Outcome:
    """What callers were told of the sends of one kind, and how the client looked for lost ones."""

    told: list[Any] = field(default_factory=list[Any])
    unknown: int = 0
    looks: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    @property
    def found(self) -> int:
        return sum(message.reconciled for message in self.told)


@contextmanager
def noting(live: Any, looks: list[dict[str, Any]]) -> Iterator[Any]:
    """An HTTP client that notes the keys by which messages are looked for."""

    def note(request: httpx.Request) -> None:
        if "/chat/findMessages/" in request.url.path:
            looks.append(json.loads(request.content)["where"]["key"])

    async def note_async(request: httpx.Request) -> None:
        note(request)

    if live.colour == "async":
        yield httpx.AsyncClient(event_hooks={"request": [note_async]})
    else:
        with httpx.Client(event_hooks={"request": [note]}) as made:
            yield made


async def drill(live: Any, server_url: str, name: str, kind: str) -> Outcome:
    """Send one kind through all faults, with a client that was not told the server's version."""
    outcome = Outcome()
    operation = f"message.send_{kind.partition(' ')[0]}"
    policy = RetryPolicy(max_attempts=6, delay_ms=20)
    with FaultProxy(server_url) as proxy, noting(live, outcome.looks) as http, no_retry_delays():
        client = live.open(live.config.replace(base_url=proxy.url), http_client=http)
        messages = client.instance(name).messages
        more = {"on_unknown": "resend", "retry": policy}
        for at, fault in zip(ASKED, FAULTS, strict=True):
            if fault:
                body = {"error": "boom"} if fault == "status" else None
                proxy.faults.add(operation, fault, count=1, status=500, body=body)
            try:
                outcome.told.append(await live.run(KINDS[kind](messages, at, more)))
            except SendOutcomeUnknownError:
                outcome.unknown += 1
        struck = [request.fault for request in proxy.seen if request.fault]
        assert struck == [fault for fault in FAULTS if fault]
        if live.colour == "async":
            await http.aclose()
    return outcome


async def stored_ids(live: Any, handle: Any) -> list[str]:
    return [message.id for message in await live.collect(handle.chats.iter_messages(from_me=True))]


@pytest.mark.parametrize("kind", ON_EVOLUTION)
async def test_each_kind_of_the_evolution_channel_is_there_once(
    live: Any, sales: Any, server: Any, kind: str
) -> None:
    outcome = await drill(live, live.config.base_url, sales.name, kind)
    stored = await stored_ids(live, sales)
    assert Counter(stored) == Counter(message.id for message in outcome.told)
    assert (len(stored), outcome.found, outcome.unknown) == (len(FAULTS), LOST, 0)
    by_our_id = [message.id.startswith("3EB0") for message in outcome.told]
    assert by_our_id == [server.has("message_ids")] * len(FAULTS)
    if server.has("message_ids"):
        # The first answer told that the server heeds our ids: from then on, nothing but the id.
        assert outcome.looks
        assert all(set(key) == {"id"} for key in outcome.looks)
    else:
        assert not any(key.get("id", "").startswith("3EB0") for key in outcome.looks)


@pytest.mark.parametrize("kind", ON_BUSINESS)
async def test_each_kind_of_the_business_channel_is_there_once(
    live: Any, business: Any, server: Any, kind: str
) -> None:
    if kind in UPLOADED:
        server.needs("business_uploads")
    outcome = await drill(live, live.config.base_url, business.handle.name, kind)
    stored = await stored_ids(live, business.handle)
    assert Counter(stored) == Counter(message.id for message in outcome.told)
    assert (len(stored), outcome.found, outcome.unknown) == (len(FAULTS), LOST, 0)
    assert business.delivered == len(FAULTS)
    assert all(message.id.startswith("wamid.") for message in outcome.told)
