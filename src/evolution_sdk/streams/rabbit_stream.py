"""Events from the server's queues (RabbitMQ)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterable
from typing import Any, ClassVar, Unpack

from pydantic import SecretStr

from evolution_sdk._base.forking import abandon
from evolution_sdk._common.arguments import checked
from evolution_sdk.config import EvolutionConfig
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.events import Event
from evolution_sdk.retry import RetryPolicy
from evolution_sdk.retry.waits import waits_ms

from ._broker import load_aio_pika, open_connection
from ._queue_names import (
    EXCHANGE,
    QUEUE_ARGUMENTS,
    QueueName,
    global_queue,
    instance_queue,
    wire_names,
)
from ._redelivery import FailureCounts, Redelivery, delivery_count
from ._stream import (
    ConnectionLostError,
    Stream,
    StreamOptions,
    StreamTarget,
    is_cancelled,
)

DEAD_LETTERS = "evolution_sdk.dead_letters"
"""Queue for events whose handler kept failing, unless another one is named."""

_AGAIN = RetryPolicy(max_attempts=1, delay_ms=1_000, max_delay_ms=30_000)


@checked()
class RabbitStream(Stream):
    """Takes events from the server's queues (extra ``rabbitmq``).

    An event leaves its queue after its handler returned: a consumer that dies leaves it to the
    others. Several streams, in several processes, share the work. The server loses the first event
    of each new queue, because it publishes before the queue exists. This stream therefore declares
    the queues exactly as the server does; start it before the instance.

    Args:
        to: A router, a function that takes an event, or another stream; see :class:`Stream`.
        uri: The broker, such as ``amqp://user:password@host:5672/vhost``.
        instances: Instances whose queues to take (the mode per instance). None: the server's global
            queues (``RABBITMQ_GLOBAL_ENABLED=true``).
        events: Events to take. Default: all that an instance can subscribe to.
        exchange: The global exchange, the server's ``RABBITMQ_EXCHANGE_NAME``.
        prefix: The server's ``RABBITMQ_PREFIX_KEY``.
        prefetch: Most events that this stream holds at once; those of one chat wait for each other.
            Default: 32.
        max_deliveries: Number of deliveries after which a failing event becomes a dead letter.
            Default: 5.
        dead_letter_queue: Queue for dead letters, with the reason in their headers. None: they are
            rejected, for a dead-letter policy of the broker; without one they are lost.
        redeliver: Waits before a failed event goes back into its queue.
        heartbeat_s: Interval of the protocol's heartbeats, in seconds. Default: 30.
        connect_timeout_ms: Longest wait for a connection, in milliseconds. Default: 10 s.
        **options: See :class:`StreamOptions`. ``on_failure`` is told of every failed delivery.

    Raises:
        ConfigurationError: A value is wrong.

    Attributes:
        queues: The queues that it takes events from.
        dead_letters: Number of events that became dead letters.
    """

    kind: ClassVar[str] = "queue"

    def __init__(
        self,
        to: StreamTarget,
        uri: str | SecretStr,
        *,
        instances: Iterable[str] | None = None,
        events: Iterable[str | type[Event[Any]]] | None = None,
        exchange: str = EXCHANGE,
        prefix: str = "",
        prefetch: int = 32,
        max_deliveries: int = 5,
        dead_letter_queue: str | None = DEAD_LETTERS,
        redeliver: RetryPolicy = _AGAIN,
        heartbeat_s: int = 30,
        connect_timeout_ms: float = 10_000,
        **options: Unpack[StreamOptions],
    ) -> None:
        names = wire_names(events)
        self.queues: tuple[QueueName, ...]
        if instances is None:
            self.queues = tuple(global_queue(each, exchange, prefix) for each in names)
        else:
            owners = (instances,) if isinstance(instances, str) else tuple(instances)
            self.queues = tuple(instance_queue(o, each) for o in owners for each in names)
        # An empty list of instances would take nothing, for ever and in silence.
        if not self.queues:
            raise ConfigurationError(
                "name at least one instance, or None for the global queues", variable="instances"
            )
        for label, value in (("prefetch", prefetch), ("max_deliveries", max_deliveries)):
            if value < 1:
                raise ConfigurationError(f"{label} must be 1 or more", variable=label)
        options["name"] = options.get("name") or "rabbitmq"
        super().__init__(to, **options)
        self._uri = uri if isinstance(uri, SecretStr) else SecretStr(uri)
        self._prefetch = prefetch
        self._dead_queue = dead_letter_queue
        self._again = redeliver
        self._heartbeat_s = heartbeat_s
        self._connect_timeout_s = connect_timeout_ms / 1_000
        self._max_deliveries = max_deliveries
        self._begin_empty()

    def _begin_empty(self) -> None:
        self._failures = FailureCounts(self._max_deliveries)
        self._busy: set[asyncio.Task[None]] = set()
        self.dead_letters: int = 0

    def _begin_anew(self) -> None:
        abandon(*self._busy)
        super()._begin_anew()
        self._begin_empty()

    @classmethod
    def from_config(
        cls,
        to: StreamTarget,
        config: EvolutionConfig,
        *,
        instances: Iterable[str] | None = None,
        **options: Any,
    ) -> RabbitStream:
        """Make a stream by a client's settings (``EVOLUTION_RABBITMQ_…``).

        Args:
            to: Takes the events; see :class:`Stream`.
            config: The settings.
            instances: Other instances than the configured one; with
                ``EVOLUTION_RABBITMQ_GLOBAL_ENABLED`` the global queues are taken instead.
            **options: As of the constructor.

        Returns:
            The stream.

        Raises:
            ConfigurationError: There is no broker, or neither an instance nor the global mode.
        """
        section = config.rabbitmq
        if section.uri is None:
            raise ConfigurationError(
                "RabbitMQ needs EVOLUTION_RABBITMQ_URI, such as amqp://user:password@host:5672/",
                variable="EVOLUTION_RABBITMQ_URI",
            )
        chosen = instances or ((config.instance,) if config.instance else None)
        if section.global_enabled:
            chosen = None
        elif chosen is None:
            raise ConfigurationError(
                "RabbitMQ needs an instance: set EVOLUTION_INSTANCE, or "
                "EVOLUTION_RABBITMQ_GLOBAL_ENABLED=true for the server's global queues.",
                variable="EVOLUTION_INSTANCE",
            )
        values: dict[str, Any] = {
            "instances": chosen,
            "exchange": section.exchange_name,
            "prefix": section.prefix_key or "",
            "prefetch": section.prefetch,
            **options,
        }
        return cls(to, section.uri, **values)

    async def _session(self) -> None:
        amqp = load_aio_pika()
        errors = (amqp.exceptions.AMQPError, ConnectionError, OSError, RuntimeError, ValueError)
        connection, ended, gone = await open_connection(
            amqp, self._uri, timeout_s=self._connect_timeout_s, heartbeat_s=self._heartbeat_s,
            name=f"evolution-sdk {self.name}",
        )  # fmt: skip
        try:
            # Confirmed publishing: a dead letter must be there before its event is given up.
            channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
            channel.close_callbacks.add(ended)
            # The broker ends a consumer whose queue is deleted; some versions of the library tell.
            inner = await channel.get_underlay_channel()
            cancelled: Any = getattr(inner, "on_consumer_cancel_callbacks", None)
            if cancelled is not None:
                cancelled.add(ended)
            # The broker sends no more than this before something is acknowledged.
            await channel.set_qos(prefetch_count=self._prefetch)
            consumers = await self._declare(amqp, channel)
            self._up()
            await self._until_over(gone)
            if self._stopping.is_set():
                await self._drain(consumers)
            else:
                raise ConnectionLostError("the connection to the broker ended")
        except errors as error:
            why = f"the broker refused or went away ({error!r:.200})"
            raise ConnectionLostError(why) from error
        except asyncio.CancelledError:
            # The library cancels those who wait for an answer when the connection breaks. That is
            # no order to stop, and handlers go on.
            if is_cancelled():
                for task in self._busy:
                    task.cancel()
            raise
        finally:
            # Handlers go on: an event that they finish is known when the broker delivers it again.
            with contextlib.suppress(Exception):
                await connection.close()

    async def _declare(self, amqp: Any, channel: Any) -> list[tuple[Any, str]]:
        """Declare exchanges and queues as the server does, and consume each queue."""
        await self._declare_dead(channel)
        exchanges: dict[str, Any] = {}
        consumers: list[tuple[Any, str]] = []
        for place in self.queues:
            exchange = exchanges.get(place.exchange)
            if exchange is None:
                exchange = exchanges[place.exchange] = await channel.declare_exchange(
                    place.exchange, amqp.ExchangeType.TOPIC, durable=True
                )
            # Refused by the broker if the arguments differ from those of the server.
            queue = await channel.declare_queue(
                place.queue, durable=True, arguments=dict(QUEUE_ARGUMENTS)
            )
            await queue.bind(exchange, place.key)

            async def arrived(message: Any, place: QueueName = place) -> None:
                self._alive()
                # A task per message: chats go on side by side, and a stop can wait for all.
                task = asyncio.create_task(self._deliver(amqp, channel, message, place))
                self._busy.add(task)
                task.add_done_callback(self._busy.discard)

            consumers.append((queue, await queue.consume(arrived)))
        return consumers

    async def _declare_dead(self, channel: Any) -> None:
        if self._dead_queue is not None:
            await channel.declare_queue(
                self._dead_queue, durable=True, arguments=dict(QUEUE_ARGUMENTS)
            )

    async def _drain(self, consumers: list[tuple[Any, str]]) -> None:
        """Take no more events, and finish those that were begun."""
        # First no new ones, or the list of busy ones would grow while it is waited for.
        for queue, tag in consumers:
            await queue.cancel(tag)
        await asyncio.gather(*self._busy, return_exceptions=True)

    async def _deliver(self, amqp: Any, channel: Any, message: Any, place: QueueName) -> None:
        """Handle one message and acknowledge it; without that, the broker keeps it."""
        event = self._consumer.read(
            message.body, source="queue", received_at=self._now(), event_hint=place.key
        )
        key = event.delivery_key
        # The connection may be gone when the handler returns. The broker then delivers the event
        # again, and it is known.
        with contextlib.suppress(amqp.exceptions.AMQPError, RuntimeError, ConnectionError):
            try:
                await self._consumer.handle(event)
            except Exception as error:  # noqa: BLE001  a handler may raise anything
                self._failed(event, error)
                decision = self._failures.count(key, delivery_count(message.headers))
                await self._give_back(amqp, channel, message, place, decision, error)
            else:
                self._failures.forget(key)
                await message.ack()

    async def _give_back(
        self, amqp: Any, channel: Any, message: Any, place: QueueName, decision: Redelivery,
        error: Exception,
    ) -> None:  # fmt: skip
        """Give a message back for another delivery, or make it a dead letter."""
        if not decision.give_up:
            # Held back here: a message that goes back is delivered again at once.
            await self._pause(self._wait_ms(decision.deliveries))
            await message.nack(requeue=True)
            return
        if self._dead_queue is None:
            await message.reject(requeue=False)
        else:
            letter = amqp.Message(
                message.body, delivery_mode=amqp.DeliveryMode.PERSISTENT,
                headers={
                    "x-queue": place.queue, "x-exchange": place.exchange,
                    "x-routing-key": place.key, "x-deliveries": decision.deliveries,
                    "x-error": type(error).__name__,
                },
            )  # fmt: skip
            try:
                # The queue may have been deleted meanwhile; then the letter would be lost.
                await self._declare_dead(channel)
                # The broker confirms the letter before the original is given up.
                await channel.default_exchange.publish(letter, routing_key=self._dead_queue)
            except amqp.exceptions.DeliveryError as refused:
                self._trouble.trouble(
                    "dead letter",
                    "%s: a dead letter was refused (%s); its event goes back into its queue",
                    self.name, type(refused).__name__, level=logging.ERROR,
                )  # fmt: skip
                await self._pause(self._wait_ms(decision.deliveries))
                await message.nack(requeue=True)
                return
            await message.ack()
        self.dead_letters += 1

    def _wait_ms(self, deliveries: int) -> float:
        # The curve gives its waits in order only; the wanted one is as far as the deliveries.
        waits = waits_ms(self._again, self._draw)
        for _ in range(deliveries - 1):
            next(waits)
        return next(waits)
