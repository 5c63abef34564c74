"""Many sends at once, a few at a time, each with its own outcome.

Run: python examples/send_async.py [number]
"""

from __future__ import annotations

import asyncio
from collections import Counter
from importlib.util import find_spec
from typing import Literal

from _server import Place, server

from evolution_sdk import AsyncEvolutionClient, EvolutionError, SendOutcomeUnknownError

ON_FAKE, ON_REAL = 200, 3
AT_ONCE = 10


async def send_one(client: AsyncEvolutionClient, number: str, order: int) -> str:
    """Send one message; the outcome in a word, because one failure must not stop the rest."""
    try:
        # The order number makes the text unique, so that a lost answer can be settled exactly.
        sent = await client.messages.send_text(number, f"Olá! Order {order} has left.")
    except SendOutcomeUnknownError:
        return "unknown"  # may have been sent: a person looks, or the next run does
    except EvolutionError as error:
        return f"not sent ({type(error).__name__})"
    return "found in the store" if sent.reconciled else "sent"


async def run(place: Place) -> Counter[str]:
    """Send all orders through one client."""
    backend: Literal["aiohttp", "httpx"] = "aiohttp" if find_spec("aiohttp") else "httpx"
    outcomes: Counter[str] = Counter()
    slots = asyncio.Semaphore(AT_ONCE)

    async with AsyncEvolutionClient(config=place.config, http_backend=backend) as client:

        async def limited(order: int) -> None:
            async with slots:
                outcomes[await send_one(client, place.number, order)] += 1

        async with asyncio.TaskGroup() as tasks:
            for order in range(1, (ON_FAKE if place.fake else ON_REAL) + 1):
                tasks.create_task(limited(order))
        print(f"backend   {backend}, {AT_ONCE} at once")
        print(f"attempts  {client.retry.get_metrics('message.send_text').attempts}")
    return outcomes


def main() -> None:
    """Run it, on a fake server with some trouble."""
    with server() as place:
        if place.fake:  # the fake server can misbehave on demand
            place.fake.faults.add("message.send_text", "answer_then_drop", count=3)
            place.fake.faults.add("message.send_text", "status", status=429, count=2)
        for outcome, count in asyncio.run(run(place)).most_common():
            print(f"{outcome:<20}{count}")
        if place.fake:
            print(f"on the server       {len(place.fake.sent)}")


if __name__ == "__main__":
    main()
