"""A real broker, and a publisher that does exactly what the server does."""

from __future__ import annotations

import contextlib
import json
import subprocess
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aio_pika

from evolution_sdk.retry import RetryPolicy
from evolution_sdk.streams import RabbitStream, StreamState, instance_queue
from services import require_service
from waiting import until_async

URI = "amqp://guest:guest@127.0.0.1:5672/"
NOW = RetryPolicy(max_attempts=1, delay_ms=5, max_delay_ms=20)
SOON = RetryPolicy(max_attempts=1, delay_ms=50, max_delay_ms=300)
PATIENCE_S = 30.0


def require_broker() -> None:
    """Skip, or fail where the environment demands it."""
    require_service("RabbitMQ", 5672)


def fresh_instance() -> str:
    """A name nobody used, so that its queues are new."""
    return f"sdk-{uuid.uuid4().hex[:12]}"


def envelope(instance: str, number: int, event: str = "messages.upsert", chat: int = 0) -> Any:
    """An event as the server writes it (recorded: `facts/rabbitmq.json`)."""
    return {
        "event": event,
        "instance": instance,
        "data": {
            "key": {
                "id": f"M{number}",
                "remoteJid": f"55119876543{chat:02}@s.whatsapp.net",
                "fromMe": False,
            },
            "pushName": "Ada",
            "message": {"conversation": f"text {number}"},
            "messageType": "conversation",
            "messageTimestamp": 1795448101 + number,
            "source": "unknown",
            "instanceId": "a97f048a-c65f-45a8-80f1-17050b160d3f",
        },
        "server_url": "http://127.0.0.1:8085",
        "date_time": "2026-11-23T12:35:00.986Z",
        "apikey": None,
    }


class Server:
    """Publishes like the server: no content type, not persistent; and can look into queues."""

    def __init__(self, connection: Any, channel: Any, instance: str) -> None:
        self.connection = connection
        self.channel = channel
        self.instance = instance

    async def publish(self, *envelopes: Any) -> None:
        """Publish, declaring exchange and queue as the server does before each event."""
        for body in envelopes:
            place = instance_queue(self.instance, body["event"])
            exchange = await self.channel.declare_exchange(
                place.exchange, aio_pika.ExchangeType.TOPIC, durable=True
            )
            queue = await self.channel.declare_queue(
                place.queue, durable=True, arguments={"x-queue-type": "quorum"}
            )
            await queue.bind(exchange, place.key)
            await exchange.publish(aio_pika.Message(json.dumps(body).encode()), place.key)

    async def left(self) -> list[str]:
        """Take what the queue still has to give: ids of messages.

        A quorum queue's own count is no witness: it lags behind by seconds.
        """
        queue = await self.channel.get_queue(
            instance_queue(self.instance, "messages.upsert").queue, ensure=False
        )
        found: list[str] = []
        while (message := await queue.get(fail=False)) is not None:
            await message.ack()
            found.append(json.loads(message.body)["data"]["key"]["id"])
        return found


@asynccontextmanager
async def server(instance: str, *extra_queues: str) -> AsyncIterator[Server]:
    """A publisher for one instance; its queues are deleted at the end."""
    connection = await aio_pika.connect_robust(URI)
    try:
        yield Server(connection, await connection.channel(), instance)
    finally:
        await connection.close()
        async with await aio_pika.connect(URI) as cleaner:
            channel = await cleaner.channel()
            for event in ("messages.upsert", "send.message", "messages.update"):
                await channel.queue_delete(instance_queue(instance, event).queue)
            for name in extra_queues:
                await channel.queue_delete(name)
            await channel.exchange_delete(instance)


class Watch:
    """Collects states, and lets a test wait for something without a fixed sleep."""

    def __init__(self) -> None:
        self.states: list[StreamState] = []

    def __call__(self, state: StreamState) -> None:
        self.states.append(state)

    def count(self, kind: type) -> int:
        return sum(isinstance(state, kind) for state in self.states)


async def until(condition: Callable[[], Any]) -> None:
    """Let others run until something is so."""
    await until_async(condition, PATIENCE_S)


def stream(to: Any, instance: str, watch: Watch | None = None, **options: Any) -> RabbitStream:
    """A consumer of one instance with short waits."""
    options.setdefault("events", ["messages.upsert"])
    options.setdefault("redeliver", NOW)
    options.setdefault("reconnect", SOON)
    return RabbitStream(to, URI, instances=[instance], on_state=watch, **options)


def control(*words: str) -> str:
    """Run the broker's own management command."""
    done = subprocess.run(
        ["rabbitmqctl", *words], capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout


def cut_connections(name: str) -> int:
    """Close the connections that carry a stream's name, as an administrator would.

    Returns:
        How many there were.
    """
    closed = 0
    for line in control("-q", "list_connections", "pid", "client_properties").splitlines():
        if name in line:
            with contextlib.suppress(subprocess.CalledProcessError):
                control("close_connection", line.split()[0], "test")
                closed += 1
    return closed
