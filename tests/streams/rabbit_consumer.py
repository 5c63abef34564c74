"""A consumer process: writes what it handled, a line each, until it is killed.

Arguments: instance, file, most events to finish: it goes on for ever with those that follow.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

from evolution_sdk.events import MessagesUpsert
from evolution_sdk.streams import RabbitStream

URI = "amqp://guest:guest@127.0.0.1:5672/"


async def main(instance: str, path: str, most: int) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    left = most

    async def handle(event: Any) -> None:
        assert isinstance(event, MessagesUpsert)
        nonlocal left
        os.write(file, f"begun {event.id}\n".encode())
        await asyncio.sleep(0)
        left -= 1
        if left < 0:
            await asyncio.Event().wait()
        os.write(file, f"done {event.id}\n".encode())

    events = [MessagesUpsert]
    await RabbitStream(handle, URI, instances=[instance], events=events, prefetch=10).run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
