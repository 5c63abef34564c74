"""A consumer process: writes what it handled, a line each, and is slow, so that it can be killed.

Arguments: instance, file, milliseconds per event.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

from evolution_sdk.events import MessagesUpsert
from evolution_sdk.streams import RabbitStream

URI = "amqp://guest:guest@127.0.0.1:5672/"


async def main(instance: str, path: str, pace_ms: float) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    async def handle(event: Any) -> None:
        assert isinstance(event, MessagesUpsert)
        os.write(file, f"begun {event.id}\n".encode())
        await asyncio.sleep(pace_ms / 1_000)
        os.write(file, f"done {event.id}\n".encode())

    events = [MessagesUpsert]
    await RabbitStream(handle, URI, instances=[instance], events=events, prefetch=10).run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
