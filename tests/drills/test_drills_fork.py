"""Processes forked from one with a client in use, all calling at one instant: only own answers.

Four rounds in the everyday suite; ``make drill`` runs forty.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import drill
import pytest

from effort import DRILL
from evolution_sdk import AsyncEvolutionClient, EvolutionClient, EvolutionConfig
from evolution_sdk.testing import FakeEvolution
from forking.children import at_one_instant, quiet_forks

pytestmark = quiet_forks

PROCESSES = 4
ROUNDS = 40 if DRILL else 4
NUMBER = "5511987654321"


async def both(client: Any, text: str, name: str) -> int:
    """A send and a read; how many of the answers were somebody else's."""
    sent = client.messages.send_text(NUMBER, text)
    found = client.instances.fetch(name)
    if isinstance(client, AsyncEvolutionClient):
        sent, found = await asyncio.gather(sent, found)
    return (sent.text != text) + ([one.name for one in found] != [name])


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_no_process_is_given_the_answer_of_another(colour: str) -> None:
    fake = FakeEvolution(api_key=drill.KEY)
    for name in ("sales", *(f"inst{me}" for me in range(PROCESSES + 1))):
        fake.create_instance(name)
    with fake.serve(), asyncio.Runner() as runner:
        config = EvolutionConfig(fake.url, drill.KEY, instance="sales")
        make: Any = EvolutionClient if colour == "sync" else AsyncEvolutionClient
        client = make(config=config)

        def work(number: int, me: int, run: Callable[[Any], int] = asyncio.run) -> int:
            return run(both(client, f"{number}-{me}", f"inst{me}"))

        foreign = 0
        for number in range(ROUNDS):
            foreign += work(number, PROCESSES, runner.run)
            children = [lambda me=me, n=number: work(n, me) for me in range(PROCESSES)]
            foreign += sum(at_one_instant(children))
        assert foreign == 0
        every = [f"{number}-{me}" for number in range(ROUNDS) for me in range(PROCESSES + 1)]
        assert sorted(sent.text or "" for sent in fake.sent) == sorted(every)
        if colour == "async":
            runner.run(client.close())
        else:
            client.close()
