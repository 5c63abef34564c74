"""Workers on several machines share the events of RabbitMQ, and skip duplicates.

Run: python examples/cookbook/queue_workers.py, once for each core, with EVOLUTION_…,
EVOLUTION_RABBITMQ_URI and REDIS_URL in the environment.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import redis

from evolution_sdk import AsyncEvolutionClient, AsyncMessagesUpsert
from evolution_sdk.events import Event, EventRouter, filters
from evolution_sdk.streams import RabbitStream

MOST_HERE = 20_000
Work = Callable[[AsyncMessagesUpsert], Awaitable[object]]


class Handled:
    """Remembers in Redis, for all workers, which events have been handled."""

    def __init__(self, store: redis.Redis, *, keep_s: int = 24 * 3600) -> None:
        self._store, self._keep_s = store, keep_s
        self._here: dict[str, None] = {}  # for as long as Redis is away

    def seen(self, key: str) -> bool:
        """Tell whether a worker has handled the event."""
        with suppress(redis.RedisError):  # an error here would make the event a dead letter
            return key in self._here or bool(self._store.exists(f"handled:{key}"))
        return False

    def add(self, key: str) -> None:
        """Remember the event; called when its handler has returned."""
        self._here[key] = None
        if len(self._here) > MOST_HERE:
            del self._here[next(iter(self._here))]
        with suppress(redis.RedisError):  # an error here would handle the event again
            self._store.set(f"handled:{key}", 1, ex=self._keep_s)


def make_router(work: Work) -> EventRouter:
    """Do the work for each text that somebody else wrote."""
    router = EventRouter()

    @router.on(AsyncMessagesUpsert, filters.text & filters.private & ~filters.from_me)
    async def message(event: AsyncMessagesUpsert) -> None:
        await work(event)

    return router


def make_stream(
    client: AsyncEvolutionClient, router: EventRouter, uri: str, instance: str, store: redis.Redis
) -> RabbitStream:
    """Make the stream of one worker; what fails five times becomes a dead letter."""

    def failed(event: Event[Any], error: BaseException) -> None:
        print("failed", event.event, type(error).__name__)

    return RabbitStream(
        router,
        uri,
        instances=[instance],
        events=router.used_events(),
        prefetch=16,
        client=client,
        dedupe=Handled(store),
        on_failure=failed,
    )


async def main() -> None:
    """Work until Ctrl-C; then finish what has begun, and leave the rest to other workers."""

    async def answer(event: AsyncMessagesUpsert) -> None:
        await event.reply_text("We got your message.")

    uri = os.environ["EVOLUTION_RABBITMQ_URI"]
    instance = os.environ["EVOLUTION_INSTANCE"]
    with redis.Redis.from_url(
        os.environ["REDIS_URL"], socket_timeout=1, socket_connect_timeout=1
    ) as store:
        async with AsyncEvolutionClient() as client:
            stream = make_stream(client, make_router(answer), uri, instance, store)
            with suppress(NotImplementedError):  # Windows has no such handlers
                for one in (signal.SIGINT, signal.SIGTERM):
                    asyncio.get_running_loop().add_signal_handler(one, stream.stop)
            await stream.run()


if __name__ == "__main__":
    asyncio.run(main())
