"""Channels for events beside the webhook."""

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
    """Methods of every event channel."""

    __slots__ = ()

    _routes: ops.EventChannelOperations[T]

    async def find(self, **options: Unpack[CallOptions]) -> T | None:
        """Read what is delivered.

        Args:
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            What is stored, or None when it was never set.

        Raises:
            FeatureDisabledError: The server has this transport switched off.
            EvolutionAPIError: The server refused; see :mod:`evolution_sdk.errors`.
        """
        return await self._pipeline.call(self._routes.find, self._target, options=options)

    async def _store(self, request: EventsRequest, options: CallOptions) -> T:
        # The server wants the body wrapped in the transport's name; a flat one is a 500.
        body: dict[str, Any] = {self._routes.name: request.body()}
        return await self._pipeline.call(self._routes.set, self._target, body, options=options)


class AsyncServerChannelApi(AsyncEventChannelApi[EventChannel]):
    """A transport that the server itself is configured for; an instance only chooses events."""

    __slots__ = ()

    async def set(
        self,
        events: Sequence[str] = (),
        *,
        enabled: bool = True,
        **options: Unpack[CallOptions],
    ) -> EventChannel:
        """Choose what is delivered.

        Args:
            events: Names such as ``MESSAGES_UPSERT``; empty means all of them.
            enabled: Whether anything is delivered; without it the server forgets the events.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            What is stored now, with all names written out.

        Raises:
            RequestValidationError: There is no such event.
            FeatureDisabledError: The server has this transport switched off, or (SQS) set up for
                all instances at once; it answers 201 with an empty body and stores nothing.
            EvolutionAPIError: The server refused; see :mod:`evolution_sdk.errors`.
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
    """Events by SQS, in queues ``<instance>_<event>.fifo`` that setting them creates."""

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
        """Choose what is delivered, and with which account of Pusher.

        Args:
            events: Names such as ``MESSAGES_UPSERT``; empty means all of them.
            app_id: The account's application, at most 100 characters like the next three.
            key: Its key.
            secret: Its secret.
            cluster: Where it runs, such as ``us2``.
            use_tls: Whether the server speaks to Pusher encrypted.
            enabled: Whether anything is delivered; without it the server forgets the events.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            What is stored now. That does not prove that it will be delivered: the server stores
            it even where it has Pusher switched off, which only :meth:`find` tells.

        Raises:
            RequestValidationError: There is no such event, or a value breaks a rule.
            EvolutionAPIError: The server refused; see :mod:`evolution_sdk.errors`.
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
