"""The server's event channels beside the webhook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeVar, Unpack

from evolution_sdk._client.options import CallOptions
from evolution_sdk.models.event_channels import (
    EventChannel,
    EventsRequest,
    PusherChannel,
    PusherRequest,
)
from evolution_sdk.operations.routes import event_channels as ops

from .base import AsyncResourceApi

T = TypeVar("T", bound=EventChannel)


class AsyncEventChannelApi(AsyncResourceApi, Generic[T]):
    """Methods of all event channels."""

    __slots__ = ()

    _routes: ops.EventChannelOperations[T]

    async def find(self, **options: Unpack[CallOptions]) -> T | None:
        """Read the stored settings of the channel.

        Args:
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The settings, or None if they were never set.

        Raises:
            FeatureDisabledError: The server has this channel switched off.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        return await self._pipeline.call(self._routes.find, self._target, options=options)

    async def _store(self, request: EventsRequest, options: CallOptions) -> T:
        # The server wants the body wrapped in the channel's name; a flat one ends in a 500.
        body: dict[str, Any] = {self._routes.name: request.body()}
        return await self._pipeline.call(self._routes.set, self._target, body, options=options)


class AsyncServerChannelApi(AsyncEventChannelApi[EventChannel]):
    """Event channel configured on the server itself; an instance only chooses events."""

    __slots__ = ()

    async def set(
        self,
        events: Sequence[str] = (),
        *,
        enabled: bool = True,
        **options: Unpack[CallOptions],
    ) -> EventChannel:
        """Choose the events to deliver.

        Args:
            events: Names such as ``MESSAGES_UPSERT``; empty (default) means all of them.
            enabled: False to deliver nothing; the server then drops the events. Default True.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The stored settings, with all names written out.

        Raises:
            RequestValidationError: There is no such event.
            FeatureDisabledError: The server has this channel switched off, or (SQS) set up for all
                instances at once; it answers 201 with an empty body and stores nothing.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = EventsRequest.check(enabled=enabled, events=tuple(events))
        return await self._store(request, options)


class AsyncWebsocketApi(AsyncServerChannelApi):
    """Events by socket.io, in the namespace ``/<instance>``."""

    __slots__ = ()
    _routes = ops.WEBSOCKET


class AsyncRabbitmqApi(AsyncServerChannelApi):
    """Events by RabbitMQ, in an exchange named after the instance."""

    __slots__ = ()
    _routes = ops.RABBITMQ


class AsyncNatsApi(AsyncServerChannelApi):
    """Events by NATS, under ``<instance>.<event>``."""

    __slots__ = ()
    _routes = ops.NATS


class AsyncSqsApi(AsyncServerChannelApi):
    """Events by SQS, in queues ``<instance>_<event>.fifo``, which :meth:`set` creates."""

    __slots__ = ()
    _routes = ops.SQS


class AsyncKafkaApi(AsyncServerChannelApi):
    """Events by Kafka, in topics ``<prefix>.<instance>.<event>``."""

    __slots__ = ()
    _routes = ops.KAFKA


class AsyncPusherApi(AsyncEventChannelApi[PusherChannel]):
    """Events by Pusher, each instance with an account of its own."""

    __slots__ = ()
    _routes = ops.PUSHER

    async def set(
        self,
        events: Sequence[str] = (),
        *,
        app_id: str,
        key: str,
        secret: str,
        cluster: str,
        use_tls: bool = True,
        enabled: bool = True,
        **options: Unpack[CallOptions],
    ) -> PusherChannel:
        """Choose the events to deliver, and the account of Pusher.

        Args:
            events: Names such as ``MESSAGES_UPSERT``; empty (default) means all of them.
            app_id: Application at Pusher, at most 100 characters like the next three.
            key: Its key.
            secret: Its secret.
            cluster: Its cluster, such as ``us2``.
            use_tls: True if the server connects to Pusher by TLS. Default True.
            enabled: False to deliver nothing; the server then drops the events. Default True.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The stored settings. They do not prove that events will be delivered: the server stores
            them even if it has Pusher switched off, which only :meth:`find` reports.

        Raises:
            RequestValidationError: There is no such event, or a value breaks a rule.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = PusherRequest.check(
            enabled=enabled,
            events=tuple(events),
            app_id=app_id,
            key=key,
            secret=secret,
            cluster=cluster,
            use_tls=use_tls,
        )
        return await self._store(request, options)
