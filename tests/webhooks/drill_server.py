"""A receiver as a process of its own: writes down each event when its handler begins and ends.

Usage: ``python drill_server.py PORT INBOX LOG``.
"""

from __future__ import annotations

import asyncio
import os
import sys

import uvicorn

from evolution_sdk.events import EventRouter, MessagesUpsert
from evolution_sdk.webhooks import Delivery, WebhookReceiver

CONCURRENCY = 16


def main(port: int, inbox: str, log: str) -> None:
    file = os.open(log, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    router = EventRouter()

    @router.on(MessagesUpsert)
    async def handler(event: MessagesUpsert, delivery: Delivery) -> None:
        how = "again" if delivery.recovered else "first"
        os.write(file, f"begin {event.id} {how}\n".encode())
        await asyncio.sleep(0.002)  # so that a kill finds handlers at work
        os.write(file, f"end {event.id}\n".encode())

    receiver = WebhookReceiver(
        router, inbox=inbox, jwt_key="the key of a drill", concurrency=CONCURRENCY
    )
    uvicorn.run(receiver.asgi, host="127.0.0.1", port=port, log_level="critical", ws="none")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
