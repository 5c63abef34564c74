"""Events from the server's queues (RabbitMQ)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterable
from importlib import import_module
from typing import Any, ClassVar
from urllib.parse import urlsplit

from pydantic import SecretStr

from evolution_sdk._base.forking import abandon
from evolution_sdk._base.network import check_host
from evolution_sdk._common.arguments import checked
from evolution_sdk.config import EvolutionConfig
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.events import Event
from evolution_sdk.retry import RetryPolicy
from evolution_sdk.retry.waits import waits_ms

from ._redelivery import FailureCounts, Redelivery, delivery_count
from ._consumer import EventDispatcher, EventConsumer, OnEvent
from ._queue_names import (
    EXCHANGE,
    QUEUE_ARGUMENTS,
    QueueName,
    global_queue,
    instance_queue,
    wire_names,
)
from ._stream import (
    RECONNECT,
    ConnectionLostError,
    OnFailure,
    OnState,
    Stream,
    Timing,
    is_cancelled,
    missing_extra,
)

DEAD_LETTERS = "evolution_sdk.dead_letters"
"""The queue for events whose handler kept failing, unless another one is named."""

_AGAIN = RetryPolicy(max_attempts=1, delay_ms=1_000, max_delay_ms=30_000)


@checked()
class RabbitStream(Stream):
    """Takes events from the server's queues (extra ``rabbitmq``).

    An event is taken off its queue after its handler returned: a consumer that dies leaves it to
    the others. Several streams, in several processes, share the work. The server itself loses the
    first event of each new queue, because it publishes before the queue is there; this stream
    therefore declares the queues exactly as the server does. Start it before the instance.

    Args:
        to: A router, a function that takes an event, or an :class:`EventConsumer` shared with others.
        uri: The broker, such as ``amqp://user:password@host:5672/vhost``.
        instances: Whose queues to take (the mode per instance). None: the server's global queues
            (``RABBITMQ_GLOBAL_ENABLED=true``).
        events: Which events; default: all that an instance can subscribe to.
        exchange: The global exchange, the server's ``RABBITMQ_EXCHANGE_NAME``.
        prefix: The server's ``RABBITMQ_PREFIX_KEY``.
        prefetch: Most events that this stream holds at once; those of one chat wait for each other.
        max_deliveries: How often an event is tried before it becomes a dead letter.
        dead_letter_queue: Where dead letters go, with the reason in their headers. None: they are
            rejected, for a dead-letter policy of the broker's; without one they are gone.
        redeliver: Waits before a failed event goes back into its queue.
        heartbeat_s: Interval of the protocol's heartbeats, in seconds.
        connect_timeout_ms: Longest wait for a connection, in milliseconds.
        name: What it is called in states and logs.
        on_state: Told of every :data:`StreamState`.
        on_failure: Told of every event whose handler raised, each time.
        reconnect: Waits between attempts to connect; there is no last attempt.
        timing: Time, sleep and chance.

    Raises:
        ConfigurationError: A value is wrong.
    """

    kind: ClassVar[str] = "queue"

    def __init__(
        self,
        to: EventDispatcher | OnEvent | EventConsumer,
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
        name: str | None = None,
        on_state: OnState | None = None,
        on_failure: OnFailure | None = None,
        reconnect: RetryPolicy = RECONNECT,
        timing: Timing | None = None,
    ) -> None:
        names = wire_names(events)
        self.queues: tuple[QueueName, ...]
        if instances is None:
            self.queues = tuple(global_queue(each, exchange, prefix) for each in names)
        else:
            owners = (instances,) if isinstance(instances, str) else tuple(instances)
            self.queues = tuple(instance_queue(o, each) for o in owners for each in names)
        if not self.queues:
            raise ConfigurationError(
                "name at least one instance, or None for the global queues", variable="instances"
            )
        for label, value in (("prefetch", prefetch), ("max_deliveries", max_deliveries)):
            if value < 1:
                raise ConfigurationError(f"{label} must be 1 or more", variable=label)
        super().__init__(
            to, name=name or "rabbitmq", on_state=on_state, on_failure=on_failure,
            reconnect=reconnect, timing=timing,
        )  # fmt: skip
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
        to: EventDispatcher | OnEvent | EventConsumer,
        config: EvolutionConfig,
        *,
        instances: Iterable[str] | None = None,
        **options: Any,
    ) -> RabbitStream:
        """By a client's settings (``EVOLUTION_RABBITMQ_…``).

        Args:
            to: Where the events go.
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
        amqp = _aio_pika()
        check_host(urlsplit(self._uri.get_secret_value()).hostname or "")
        errors = (amqp.exceptions.AMQPError, ConnectionError, OSError, RuntimeError, ValueError)
        try:
            connection = await amqp.connect(
                self._uri.get_secret_value(), timeout=self._connect_timeout_s,
                heartbeat=self._heartbeat_s,
                client_properties={"connection_name": f"evolution-sdk {self.name}"},
            )  # fmt: skip
        except Exception as error:  # noqa: BLE001  odd answers make the library raise anything
            # Not its own text, which may hold the address with its password.
            raise ConnectionLostError(f"no connection to the broker ({type(error).__name__})") from None
        gone = asyncio.Event()

        def ended(*_: Any) -> None:
            gone.set()

        connection.close_callbacks.add(ended)
        try:
            channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
            channel.close_callbacks.add(ended)
            # Told where the library can: the broker ends a consumer whose queue is deleted.
            inner = await channel.get_underlay_channel()
            cancelled: Any = getattr(inner, "on_consumer_cancel_callbacks", None)
            if cancelled is not None:
                cancelled.add(ended)
            await channel.set_qos(prefetch_count=self._prefetch)
            consumers = await self._declare(amqp, channel)
            self._up()
            await self._until_over(gone)
            if self._stopping.is_set():
                await self._drain(consumers)
            else:
                raise ConnectionLostError("the connection to the broker ended")
        except errors as error:
            raise ConnectionLostError(f"the broker refused or went away ({error!r:.200})") from error
        except asyncio.CancelledError:
            # The library cancels what waits for an answer when the connection breaks; then
            # handlers go on.
            if is_cancelled():
                for task in self._busy:
                    task.cancel()
            raise
        finally:
            # Handlers go on: what they finish is known when the broker delivers it again.
            with contextlib.suppress(Exception):
                await connection.close()

    async def _declare(self, amqp: Any, channel: Any) -> list[tuple[Any, str]]:
        """Declare exchanges and queues as the server does, and take from each."""
        await self._declare_dead(channel)
        exchanges: dict[str, Any] = {}
        consumers: list[tuple[Any, str]] = []
        for place in self.queues:
            exchange = exchanges.get(place.exchange)
            if exchange is None:
                exchange = exchanges[place.exchange] = await channel.declare_exchange(
                    place.exchange, amqp.ExchangeType.TOPIC, durable=True
                )
            queue = await channel.declare_queue(
                place.queue, durable=True, arguments=dict(QUEUE_ARGUMENTS)
            )
            await queue.bind(exchange, place.key)

            async def arrived(message: Any, place: QueueName = place) -> None:
                self._alive()
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
        """Take no more, and finish what was begun."""
        for queue, tag in consumers:
            await queue.cancel(tag)
        await asyncio.gather(*self._busy, return_exceptions=True)

    async def _deliver(self, amqp: Any, channel: Any, message: Any, place: QueueName) -> None:
        """Handle one message, then say so; without a word from us the broker keeps it."""
        event = self.intake.read(
            message.body, source="queue", received_at=self._now(), event_hint=place.key
        )
        key = event.delivery_key
        with contextlib.suppress(amqp.exceptions.AMQPError, RuntimeError, ConnectionError):
            try:
                await self.intake.handle(event)
            except Exception as error:  # noqa: BLE001  a handler may raise anything
                self._failed(event, error)
                verdict = self._failures.verdict(key, delivery_count(message.headers))
                await self._give_back(amqp, channel, message, place, verdict, error)
            else:
                self._failures.forget(key)
                await message.ack()

    async def _give_back(
        self, amqp: Any, channel: Any, message: Any, place: QueueName, verdict: Redelivery,
        error: Exception,
    ) -> None:  # fmt: skip
        """Put it back for another try, or away for good."""
        if not verdict.give_up:
            await self._pause(self._wait_ms(verdict.deliveries))
            await message.nack(requeue=True)
            return
        if self._dead_queue is None:
            await message.reject(requeue=False)
        else:
            letter = amqp.Message(
                message.body, delivery_mode=amqp.DeliveryMode.PERSISTENT,
                headers={
                    "x-queue": place.queue, "x-exchange": place.exchange,
                    "x-routing-key": place.key, "x-deliveries": verdict.deliveries,
                    "x-error": type(error).__name__,
                },
            )  # fmt: skip
            try:
                # Somebody may have deleted it meanwhile; then the letter would be lost.
                await self._declare_dead(channel)
                # Confirmed by the broker before the original is given up.
                await channel.default_exchange.publish(letter, routing_key=self._dead_queue)
            except amqp.exceptions.DeliveryError as refused:
                self._trouble.trouble(
                    "dead letter",
                    "%s: a dead letter was refused (%s); its event goes back into its queue",
                    self.name, type(refused).__name__, level=logging.ERROR,
                )  # fmt: skip
                await self._pause(self._wait_ms(verdict.deliveries))
                await message.nack(requeue=True)
                return
            await message.ack()
        self.dead_letters += 1

    def _wait_ms(self, deliveries: int) -> float:
        waits = waits_ms(self._again, self._time.draw)
        for _ in range(deliveries - 1):
            next(waits)
        return next(waits)


def _aio_pika() -> Any:
    try:
        return import_module("aio_pika")
    except ImportError:
        raise missing_extra("rabbitmq", "aio-pika") from None
