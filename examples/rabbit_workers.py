"""Several worker processes share the events of one instance; one is killed, and nothing is lost.

Run: python examples/rabbit_workers.py

Needs RabbitMQ: EVOLUTION_RABBITMQ_URI, else the one on this machine. The program itself plays the
server's part and publishes events; against a real server only `worker` is needed.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import uuid
from collections import Counter

import aio_pika

from evolution_sdk.events import MessagesUpsert
from evolution_sdk.streams import RabbitStream, instance_queue

URI = os.environ.get("EVOLUTION_RABBITMQ_URI", "amqp://guest:guest@127.0.0.1:5672/")
WORKERS, EVENTS = 3, 90


async def worker(instance: str) -> None:
    """One of several equal processes: handles what the broker gives it, until it is ended."""

    async def handle(event: MessagesUpsert) -> None:
        await asyncio.sleep(0.01)  # the work
        print(event.id, flush=True)

    await RabbitStream(handle, URI, instances=[instance], events=[MessagesUpsert], prefetch=5).run()


def message(instance: str, number: int) -> bytes:
    """What the server writes into the queue."""
    key = {"id": f"M{number}", "remoteJid": f"55119{number % 9:08}@s.whatsapp.net"}
    data = {"key": key, "message": {"conversation": "oi"}, "messageType": "conversation"}
    return json.dumps({"event": "messages.upsert", "instance": instance, "data": data}).encode()


async def start(instance: str) -> asyncio.subprocess.Process:
    """Start a worker process."""
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        sys.executable, __file__, "worker", instance, stdout=pipe
    )


class Done:
    """What the workers say they have done."""

    def __init__(self) -> None:
        self.events: Counter[str] = Counter()
        self._more = asyncio.Event()

    async def collect(self, process: asyncio.subprocess.Process) -> None:
        """Count what one worker says."""
        assert process.stdout is not None
        async for line in process.stdout:
            self.events[line.decode().strip()] += 1
            self._more.set()

    async def reach(self, count: int) -> None:
        """Wait until so many different events are done."""
        while len(self.events) < count:
            self._more.clear()
            await self._more.wait()


async def main() -> None:
    """Publish, let the workers work, kill one in between."""
    instance, done = f"demo-{uuid.uuid4().hex[:8]}", Done()
    place = instance_queue(instance, "messages.upsert")
    async with await aio_pika.connect(URI) as connection:
        channel = await connection.channel()
        processes = [await start(instance) for _ in range(WORKERS)]
        readers = [asyncio.create_task(done.collect(each)) for each in processes]
        try:
            exchange = await channel.declare_exchange(place.exchange, "topic", durable=True)
            queue = await channel.declare_queue(
                place.queue, durable=True, arguments={"x-queue-type": "quorum"}
            )
            await queue.bind(exchange, place.key)
            for number in range(EVENTS):
                await exchange.publish(aio_pika.Message(message(instance, number)), place.key)
            await done.reach(EVENTS // 3)
            processes[0].kill()
            print(f"killed     one of {WORKERS} workers after {len(done.events)} events")
            await done.reach(EVENTS)
        finally:
            for each in processes:
                if each.returncode is None:
                    each.kill()
            await asyncio.gather(*readers)
            await asyncio.gather(*(each.wait() for each in processes))
            await channel.queue_delete(place.queue)
            await channel.exchange_delete(place.exchange)
    count = len(done.events)
    print(f"handled    {count} of {EVENTS} events, lost {EVENTS - count}")


if __name__ == "__main__":
    asyncio.run(worker(sys.argv[2]) if sys.argv[1:2] == ["worker"] else main())
