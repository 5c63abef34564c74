"""A process that sends under shared limits and tells of each message that went: run by a test."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from typing import Any

from clients.conftest import KEY, URL, Kit, record
from evolution_sdk import EvolutionConfig, SendLimitError


def tell(word: str) -> None:
    """Tell the parent."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


async def work(kit: Kit, client: Any, tries: int) -> None:
    """Send, over and over."""

    async def one(n: int) -> None:
        try:
            await kit.run(client.messages.send_text(f"55119{n:08}", "oi", retry=False))
        except SendLimitError:
            return
        tell("sent")

    if kit.colour == "sync":
        for n in range(tries):
            await one(n)
    else:
        for begin in range(0, tries, 10):
            await asyncio.gather(*(one(n) for n in range(begin, min(begin + 10, tries))))
    await kit.run(client.close())


def main(colour: str, limits: str, tries: str) -> None:
    """Begin when the parent says so."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    kit = Kit(colour)
    kit.stub.default = (201, record())
    client = kit.client(config=EvolutionConfig(URL, KEY, rate_limit=json.loads(limits)))
    tell("ready")
    sys.stdin.readline()
    asyncio.run(work(kit, client, int(tries)))


if __name__ == "__main__":
    main(*sys.argv[1:])
