"""Whatever a broker's port answers, the stream goes on; only cancelling and stopping end it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aio_pika
import pytest
from rabbit_stage import NOW, Watch, fresh_instance, require_broker, until

from evolution_sdk.streams import RabbitStream, StreamConnected, StreamDisconnected

PASSWORD = "the-secret-password"


def stream(port: int, watch: Watch, user: str = f"user:{PASSWORD}", **more: Any) -> RabbitStream:
    return RabbitStream(
        print, f"amqp://{user}@127.0.0.1:{port}/", instances=[fresh_instance()], on_state=watch,
        events=["messages.upsert"], reconnect=NOW, connect_timeout_ms=500, **more,
    )  # fmt: skip


@asynccontextmanager
async def port_that(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any],
) -> AsyncIterator[int]:
    serving: set[asyncio.Task[None]] = set()

    async def closed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await serve(reader, writer)
        writer.close()

    def begun(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(closed(reader, writer))
        serving.add(task)

    server = await asyncio.start_server(begun, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        async with asyncio.timeout(5):  # a stream that left its connection open fails here
            await asyncio.gather(*serving)


async def lives(consumer: RabbitStream, watch: Watch, times: int = 2) -> None:
    running = asyncio.ensure_future(consumer.run())
    try:
        await until(lambda: running.done() or watch.count(StreamDisconnected) >= times)
        assert not running.done(), running
    finally:
        consumer.stop()
        await running
    told = "".join(s.reason for s in watch.states if isinstance(s, StreamDisconnected))
    assert PASSWORD not in told


START = b"\x01\x00\x00\x00\x00\x00\x10\x00\x0a\x00\x0a\x00\x09"
ANSWERS = {
    "nothing": b"",
    "another version": b"AMQP\x00\x00\x09\x01",
    "a page": b"HTTP/1.1 400 Bad Request\r\n\r\n<html></html>",
    "zeros": bytes(64),
    "a start cut short": START,
    "a start of garbage": START + b"\xff" * 7,
    "a table of garbage": START + b"\xff\xff\xff\xce",
    "an unknown method": b"\x01\x00\x00\x00\x00\x00\x04\x00\xff\x00\xff\xce",
    "an unknown frame": b"\x63\x00\x00\x00\x00\x00\x04abcd\xce",
    "a heartbeat": b"\x08\x00\x00\x00\x00\x00\x00\xce",
    "an end too early": b"\x01\x00\x00\x00\x00\x00\x0c\x00\x0a\x00\x32" + bytes(8) + b"\xce",
    "a size without end": b"\x01\x00\x00\x7f\xff\xff\xff" + bytes(32),
}  # fmt: skip


@pytest.mark.parametrize("case", ANSWERS)
async def test_no_answer_of_a_broker_ends_the_stream(case: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(8)
        writer.write(ANSWERS[case])
        await writer.drain()

    watch = Watch()
    async with port_that(serve) as port:
        await lives(stream(port, watch), watch)
    assert watch.count(StreamConnected) == 0


@pytest.mark.parametrize("tail", [b"", b"\xff" * 16, bytes(16), ANSWERS["an unknown method"]])
async def test_a_broker_that_goes_astray_at_any_byte_is_connected_anew(tail: bytes) -> None:
    """A real broker behind a proxy that breaks off, or goes on with garbage, ever later."""
    require_broker()
    budgets = iter([4, 300, 511, 540, 545, 560, 580, 600, 640, 700])

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        left = next(budgets, 10**9)
        there, here = await asyncio.open_connection("127.0.0.1", 5672)

        async def up() -> None:
            while data := await reader.read(4_096):
                here.write(data)
            here.close()

        asking = asyncio.ensure_future(up())
        try:
            while left > 0 and (data := await there.read(min(left, 4_096))):
                writer.write(data)
                await writer.drain()
                left -= len(data)
            writer.write(tail)
            await writer.drain()
        finally:
            asking.cancel()
            here.close()

    watch = Watch()
    async with port_that(serve) as port:
        consumer = stream(port, watch, "guest:guest")
        async with consumer:
            await until(lambda: consumer.connected and next(budgets, None) is None)
    assert watch.count(StreamDisconnected) >= 9


@pytest.mark.parametrize(
    "error", [KeyError("x"), TypeError(PASSWORD), asyncio.CancelledError(), IndexError()]
)
async def test_whatever_the_library_raises_the_stream_goes_on(
    error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def connect(*_: Any, **__: Any) -> Any:
        await asyncio.sleep(0)
        raise error

    monkeypatch.setattr(aio_pika, "connect", connect)
    watch = Watch()
    await lives(stream(1, watch), watch)


async def test_cancelling_ends_it() -> None:
    async def serve(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with port_that(serve) as port:
        running = asyncio.ensure_future(stream(port, Watch()).run())
        await asyncio.sleep(0.05)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
