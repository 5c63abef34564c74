"""A receiver of a machine that shares its inbox; writes down when each handler begins and ends.

Usage: ``python drill_machine.py PORT URL LOG LEASE_MS``.
"""

from __future__ import annotations

import asyncio
import os
import sys

import uvicorn

from evolution_sdk.events import EventRouter, MessagesUpsert
from evolution_sdk.webhooks import PostgresInbox, WebhookReceiver

CONCURRENCY = 8


def main(port: int, url: str, log: str, lease_ms: float) -> None:
    file = os.open(log, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    router = EventRouter()
    pid = os.getpid()

    @router.on(MessagesUpsert)
    async def handler(event: MessagesUpsert) -> None:
        os.write(file, f"begin {event.id} {pid}\n".encode())
        await asyncio.sleep(0.005)  # so that a kill finds handlers at work
        os.write(file, f"end {event.id} {pid}\n".encode())

    receiver = WebhookReceiver(
        router,
        inbox=PostgresInbox(url, lease_ms=lease_ms, adopt_every_ms=50),
        concurrency=CONCURRENCY,
    )

    async def app(scope: dict[str, object], receive: object, send: object) -> None:
        if scope["type"] == "lifespan":
            await receiver.start_async()  # takes over what the dead have left
        await receiver.asgi(scope, receive, send)  # type: ignore[arg-type]  # as the server says

    uvicorn.run(app, host="127.0.0.1", port=port, log_level="critical", ws="none")  # type: ignore[arg-type]  # an ASGI application


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3], float(sys.argv[4]))
