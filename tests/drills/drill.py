"""One drill: many sends through faults, then every send held against the server's store."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx

from evolution_sdk import AsyncEvolutionClient, EvolutionClient, EvolutionConfig
from evolution_sdk.errors import EvolutionError, SendOutcomeUnknownError
from evolution_sdk.retry import EvolutionRetryService, OnUnknown
from evolution_sdk.testing import FakeClock, FakeEvolution

KEY = "drill-key"
SEND = "message.send_text"
CONCURRENT = 8
EQUAL = 10  # of so many sends in a row, two are equal: the same text to the same number
NUMBERS = 200
ATTEMPTS = 12  # with a third of the tries failing, 12 in a row fail once in 10**5


def size(everyday: int) -> int:
    """How many sends: all 10,000 under ``make drill``, fewer in the everyday suite."""
    return int(os.environ.get("EVOLUTION_DRILL_SENDS", everyday))


@dataclass(frozen=True, slots=True)
class Order:
    """One send that the program asks for."""

    number: str
    text: str


@dataclass(frozen=True, slots=True)
class Done:
    """What its caller was told: the message, or an error."""

    order: Order
    id: str | None
    reconciled: bool = False
    error: EvolutionError | None = field(default=None, repr=False)


def orders(count: int) -> list[Order]:
    """The load: each ten sends hold an equal pair, and so do texts to different numbers."""
    return [
        Order(f"55119876{(i // EQUAL) % NUMBERS:05}", f"Aviso {i // EQUAL}")
        if i % EQUAL < 2
        else Order(f"55119876{i % NUMBERS:05}", f"Mensagem {i}")
        for i in range(count)
    ]


def server(clock: FakeClock, seed: int = 11) -> FakeEvolution:
    """A fake with one connected instance, in the drill's own time."""
    fake = FakeEvolution(api_key=KEY, seed=seed, clock=clock)
    fake.create_instance("sales")
    return fake


def lossy(fake: FakeEvolution) -> None:
    """20 % of the answers are lost after acting, 10 % of the requests before, 5 % are a 500."""
    fake.faults.add(SEND, "answer_then_drop", probability=0.20)
    _before_acting(fake)


def late(fake: FakeEvolution) -> None:
    """The same, with the 20 % answered, but later than the client waits."""
    fake.faults.add(SEND, "delay", probability=0.20, delay_ms=10 * 60_000)
    _before_acting(fake)


def _before_acting(fake: FakeEvolution) -> None:
    # Of those left: 0.125 of 80 % are 10 %, half of them refused; 0.0714 of 70 % are 5 %.
    fake.faults.add(SEND, "refuse", probability=0.0625)
    fake.faults.add(SEND, "drop", probability=0.0667)
    body = {"status": 500, "error": "Internal Server Error", "response": {"message": "boom"}}
    fake.faults.add(SEND, "status", probability=0.0714, status=500, body=body)


class Unhurried(httpx.AsyncBaseTransport):
    """Lets other tasks run between acting and answering, as a network does."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner
        self._chance = random.Random(7)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return await self._inner.handle_async_request(request)
        finally:
            for _ in range(self._chance.randrange(12)):
                await asyncio.sleep(0)


async def run(
    colour: str, fake: FakeEvolution, clock: FakeClock, todo: list[Order], on_unknown: OnUnknown
) -> list[Done]:
    """Send all, eight at a time; nobody waits for real."""
    retry = EvolutionRetryService(
        ATTEMPTS, 1, clock=clock, sleep=clock.sleep, async_sleep=clock.async_sleep
    )
    options: dict[str, Any] = {
        "config": EvolutionConfig(fake.url, KEY), "instance": "sales", "retry": retry,
        "clock": clock, "sleep": clock.async_sleep if colour == "async" else clock.sleep,
    }  # fmt: skip
    if colour == "async":
        async with (
            fake.async_http_client() as async_http,
            AsyncEvolutionClient(http_client=async_http, **options) as client,
        ):
            async_http._transport = Unhurried(async_http._transport)
            return await _send_async(client, todo, on_unknown)
    with (
        fake.http_client() as http,
        EvolutionClient(http_client=http, **options) as blocking,
        ThreadPoolExecutor(CONCURRENT) as pool,
    ):
        return list(pool.map(lambda order: _send(blocking, order, on_unknown), todo))


def _send(client: EvolutionClient, order: Order, on_unknown: OnUnknown) -> Done:
    try:
        sent = client.messages.send_text(order.number, order.text, on_unknown=on_unknown)
    except EvolutionError as error:
        return Done(order, None, error=error)
    return Done(order, sent.id, sent.reconciled)


async def _send_async(
    client: AsyncEvolutionClient, todo: list[Order], on_unknown: OnUnknown
) -> list[Done]:
    done: list[Done | None] = [None] * len(todo)
    left: Iterator[tuple[int, Order]] = iter(enumerate(todo))

    async def worker() -> None:
        for place, order in left:
            try:
                sent = await client.messages.send_text(
                    order.number, order.text, on_unknown=on_unknown
                )
            except EvolutionError as error:
                done[place] = Done(order, None, error=error)
            else:
                done[place] = Done(order, sent.id, sent.reconciled)

    await asyncio.gather(*(worker() for _ in range(CONCURRENT)))
    return [each for each in done if each is not None]


@dataclass(frozen=True)
class Tally:
    """What became of all sends, counted in the server's store.

    Attributes:
        lost: Sends reported as done whose message is not there.
        doubled: Messages in the store beyond those that were asked for.
        mixed_up: Sends whose caller was given another's message, or one that two were given.
        hidden: Messages there, whose caller was told of a failure that is not "unknown".
        unknown: Sends reported as unknown.
        failed: Sends reported as failed for another reason.
        reconciled: Sends found in the store.
    """

    lost: int
    doubled: int
    mixed_up: int
    hidden: int
    unknown: int
    failed: int
    reconciled: int


def tally(fake: FakeEvolution, done: list[Done]) -> Tally:
    """Hold what callers were told against what the server keeps."""
    stored = {sent.key_id: Order(sent.number, sent.text or "") for sent in fake.sent}
    asked, kept = Counter(each.order for each in done), Counter(stored.values())
    returned = [each for each in done if each.error is None]
    given = Counter(each.id for each in returned)
    errors = [each.error for each in done if each.error is not None]
    unknown = Counter(
        each.order for each in done if isinstance(each.error, SendOutcomeUnknownError)
    )
    succeeded = Counter(each.order for each in returned)
    # Whatever is there beyond what succeeded must belong to a send whose caller is in doubt.
    hidden = sum(
        max(0, min(kept[order], asked[order]) - succeeded[order] - unknown[order]) for order in kept
    )
    return Tally(
        lost=sum(max(0, count - kept[order]) for order, count in succeeded.items()),
        doubled=sum(max(0, count - asked[order]) for order, count in kept.items()),
        mixed_up=sum(
            stored.get(each.id or "") != each.order or given[each.id] > 1 for each in returned
        ),
        hidden=hidden,
        unknown=unknown.total(),
        failed=len(errors) - unknown.total(),
        reconciled=sum(each.reconciled for each in returned),
    )


def explained(done: list[Done]) -> bool:
    """Whether every error says why it was the last, and how often it was tried."""
    errors = [each.error for each in done if each.error is not None]
    notes = itertools.chain.from_iterable(getattr(e, "__notes__", ()) for e in errors)
    return all(e.attempts and e.stopped_because for e in errors) and len(list(notes)) >= len(errors)
