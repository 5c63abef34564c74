"""Many sends through the hostile server, counted in the store of the server behind it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from evolution_sdk import AsyncEvolutionClient, EvolutionClient, EvolutionConfig
from evolution_sdk._base.effect import Phase
from evolution_sdk.errors import EvolutionError, SendOutcomeUnknownError
from evolution_sdk.retry import EvolutionRetryService, OnUnknown
from evolution_sdk.testing import FakeClock, FakeEvolution
from hostile.hostile_server import (
    AFTER,
    BEFORE,
    DATES,
    HARMLESS,
    NAMELESS,
    SLOW,
    HostileServer,
    Trick,
)

KEY = "hostile-key"
CONCURRENT = 16
ATTEMPTS = 12
SEND_TIMEOUT_MS = 400
MOST_BYTES = 500_000
NUMBERS = 40
# Shares of the tries; the rest is answered well.
SHARES: tuple[tuple[float, tuple[Trick, ...]], ...] = (
    (0.17, BEFORE),
    (0.17, AFTER),
    (0.02, SLOW),
    (0.08, NAMELESS),
    (0.06, HARMLESS),
)
FOREIGN_DATE = 0.3
READS_CUT = 0.03


def size(everyday: int) -> int:
    """How many sends: all under ``make drill``, fewer in the everyday suite."""
    return int(os.environ.get("EVOLUTION_HOSTILE_SENDS", everyday))


@dataclass(frozen=True, slots=True)
class Order:
    """One send that the program asks for."""

    number: str
    text: str


@dataclass(frozen=True, slots=True)
class Done:
    """What its caller was told: a message, with its id where that was told, or an error."""

    order: Order
    id: str = ""
    error: EvolutionError | None = field(default=None, repr=False)


def orders(count: int) -> list[Order]:
    """The load: in ten sends, three are equal."""
    return [
        Order(f"55119876{(i // 10) % NUMBERS:05}", f"Aviso {i // 10}")
        if i % 10 < 3
        else Order(f"55119876{i % NUMBERS:05}", f"Mensagem {i}")
        for i in range(count)
    ]


class Plan:
    """The script: by seed, text and number of the try, whatever the order of arrival."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._tries: defaultdict[str, int] = defaultdict(int)

    def __call__(self, method: str, target: str, body: bytes) -> tuple[Trick | None, float | str]:
        is_send = target.startswith("/message/")
        name = json.loads(body)["text"] if is_send else f"{method} {target}"
        self._tries[name] += 1
        dice = self._dice(f"{name}/{self._tries[name]}")
        date = 0.0 if next(dice) >= FOREIGN_DATE else DATES[int(next(dice) * len(DATES))]
        return (self._for_send(dice) if is_send else self._for_read(dice)), date

    def _for_send(self, dice: Iterator[float]) -> Trick | None:
        drawn = next(dice)
        for share, tricks in SHARES:
            if drawn < share:
                return tricks[int(drawn / share * len(tricks))]
            drawn -= share
        return None

    def _for_read(self, dice: Iterator[float]) -> Trick | None:
        drawn = next(dice)
        if drawn < READS_CUT:
            return AFTER[int(drawn / READS_CUT * 3)]  # dropped, or cut
        return HARMLESS[0] if drawn > 0.9 else None

    def _dice(self, name: str) -> Iterator[float]:
        digest = hashlib.sha256(f"{self._seed}/{name}".encode()).digest()
        return iter([int.from_bytes(digest[i : i + 4], "big") / 2**32 for i in range(0, 32, 4)])


async def run(
    colour: str, server: HostileServer, clock: FakeClock, todo: list[Order], on_unknown: OnUnknown
) -> list[Done]:
    """Send all, sixteen at a time; the waits between tries are the clock's."""
    retry = EvolutionRetryService(
        ATTEMPTS, 1, clock=clock, sleep=clock.sleep, async_sleep=clock.async_sleep
    )
    config = EvolutionConfig(
        server.url,
        KEY,
        instance="sales",
        http={
            "max_response_bytes": MOST_BYTES,
            "backend": colour if colour in ("aiohttp", "httpx2") else "httpx",
        },
        breaker={"enabled": False},  # so many faults would stop the sends
    )
    options: dict[str, Any] = {
        "config": config,
        "retry": retry,
        "clock": clock,
        "sleep": clock.sleep if colour == "sync" else clock.async_sleep,
    }
    if colour == "sync":
        with EvolutionClient(**options) as blocking, ThreadPoolExecutor(CONCURRENT) as pool:
            return list(pool.map(lambda order: _send(blocking, order, on_unknown), todo))
    async with AsyncEvolutionClient(**options) as client:
        return await _send_all(client, todo, on_unknown)


def _send(client: EvolutionClient, order: Order, on_unknown: OnUnknown) -> Done:
    try:
        sent = client.messages.send_text(
            order.number, order.text, on_unknown=on_unknown, timeout_ms=SEND_TIMEOUT_MS
        )
    except EvolutionError as error:
        return Done(order, error=error)
    return Done(order, sent.id)


async def _send_all(
    client: AsyncEvolutionClient, todo: list[Order], on_unknown: OnUnknown
) -> list[Done]:
    done: list[Done | None] = [None] * len(todo)
    left = iter(enumerate(todo))

    async def worker() -> None:
        for place, order in left:
            try:
                sent = await client.messages.send_text(
                    order.number, order.text, on_unknown=on_unknown, timeout_ms=SEND_TIMEOUT_MS
                )
            except EvolutionError as error:
                done[place] = Done(order, error=error)
            else:
                done[place] = Done(order, sent.id)

    await asyncio.gather(*(worker() for _ in range(CONCURRENT)))
    return [each for each in done if each is not None]


@dataclass(frozen=True)
class Tally:
    """What became of all sends, counted in the server's store.

    Attributes:
        doubled: Messages in the store beyond those that were asked for.
        absent: Sends reported as done whose message is not there.
        hidden: Messages there, whose caller was told that nothing was sent, or of a plain failure.
        mixed_up: Sends whose caller was given another's message, or one that two were given.
    """

    doubled: int
    absent: int
    hidden: int
    mixed_up: int

    @classmethod
    def of(cls, fake: FakeEvolution, done: list[Done]) -> Tally:
        """Hold what callers were told against what the server keeps."""
        stored = {sent.key_id: Order(sent.number, sent.text or "") for sent in fake.sent}
        asked, kept = Counter(each.order for each in done), Counter(stored.values())
        returned = [each for each in done if each.error is None]
        succeeded = Counter(each.order for each in returned)
        unknown = Counter(each.order for each in done if is_unknown(each.error))
        given = Counter(each.id for each in returned if each.id)
        return cls(
            doubled=sum(max(0, count - asked[order]) for order, count in kept.items()),
            absent=sum(max(0, count - kept[order]) for order, count in succeeded.items()),
            hidden=sum(
                max(0, min(kept[order], asked[order]) - succeeded[order] - unknown[order])
                for order in kept
            ),
            mixed_up=sum(
                stored.get(each.id) != each.order or given[each.id] > 1
                for each in returned
                if each.id
            ),
        )


NO_HARM = Tally(0, 0, 0, 0)


def is_unknown(error: EvolutionError | None) -> bool:
    """Whether the caller was told that nobody knows."""
    return isinstance(error, SendOutcomeUnknownError) or (
        error is not None and error.phase is Phase.UNKNOWN
    )


def culprits(fake: FakeEvolution, done: list[Done]) -> list[str]:
    """The orders that went wrong, for the message of a failed drill."""
    kept = Counter(Order(sent.number, sent.text or "") for sent in fake.sent)
    told: defaultdict[Order, list[str]] = defaultdict(list)
    for each in done:
        told[each.order].append(
            repr(each.error) if each.error is not None else f"sent {each.id or '(no id)'}"
        )
    lines = []
    for order, answers in told.items():
        good = sum(answer.startswith("sent") for answer in answers)
        if kept[order] > len(answers) or good > kept[order] or kept[order] > good:
            lines.append(f"{order.text}: {kept[order]} in the store; told: {answers}")
    return lines


def fake_server(clock: FakeClock, seed: int) -> FakeEvolution:
    """A fake with one connected instance, in the drill's own time."""
    fake = FakeEvolution(api_key=KEY, seed=seed, clock=clock)
    fake.create_instance("sales")
    return fake
