"""Copies of the events in RabbitMQ, for looking on: nobody's queue loses anything."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any, ClassVar, Unpack

from pydantic import SecretStr

from evolution_sdk.streams import Stream, StreamOptions
from evolution_sdk.streams._broker import load_aio_pika, open_connection
from evolution_sdk.streams._consumer import EventConsumer
from evolution_sdk.streams._stream import ConnectionLostError, is_cancelled

__all__ = ["QueueCopies"]

_CONNECT_S = 10.0
_HEARTBEAT_S = 30


class QueueCopies(Stream):
    """Takes a copy of every event of some exchanges, through a queue that ends with it.

    A :class:`~evolution_sdk.streams.RabbitStream` takes events out of the server's own queues, so
    that whoever looks on with one would take them away from the program that handles them.

    Args:
        to: Takes the events.
        uri: Address of the broker.
        exchanges: The exchanges: names of instances, or the server's global one.
        **options: See :class:`~evolution_sdk.streams.StreamOptions`.
    """

    kind: ClassVar[str] = "copies"

    def __init__(
        self,
        to: EventConsumer,
        uri: SecretStr,
        exchanges: Sequence[str],
        **options: Unpack[StreamOptions],
    ) -> None:
        super().__init__(to, **options)
        self._uri = uri
        self._exchanges = tuple(exchanges)

    async def _session(self) -> None:
        amqp = load_aio_pika()
        connection, ended, gone = await open_connection(
            amqp, self._uri, timeout_s=_CONNECT_S, heartbeat_s=_HEARTBEAT_S, name="evolution tail"
        )
        try:
            channel = await connection.channel()
            channel.close_callbacks.add(ended)
            queue = await channel.declare_queue(exclusive=True, auto_delete=True)
            for name in self._exchanges:
                # As the server declares it, which it does with its first event only.
                exchange = await channel.declare_exchange(
                    name, amqp.ExchangeType.TOPIC, durable=True
                )
                await queue.bind(exchange, "#")
            await queue.consume(self._arrived, no_ack=True)
            self._up()
            await self._until_over(gone)
            if not self._stopping.is_set():
                raise ConnectionLostError("the connection to the broker ended")
        except (amqp.exceptions.AMQPError, OSError, RuntimeError, ValueError) as error:
            raise ConnectionLostError(
                f"the broker refused or went away ({type(error).__name__})"
            ) from error
        except asyncio.CancelledError:
            if is_cancelled():
                raise
            raise ConnectionLostError("the connection to the broker broke off") from None
        finally:
            with contextlib.suppress(Exception):
                await connection.close()

    async def _arrived(self, message: Any) -> None:
        self._alive()
        event = self._consumer.read(
            message.body, source="queue", received_at=self._now(), event_hint=message.routing_key
        )
        try:
            await self._consumer.handle(event)
        except Exception as error:  # noqa: BLE001  a handler may raise anything
            self._failed(event, error)
