"""The streams that the settings ask for."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, cast

from evolution_sdk.config import EvolutionConfig
from evolution_sdk.config._switched_on import note_used
from evolution_sdk.events import Event
from evolution_sdk.events._recent_keys import KeyMemory

from ._consumer import EventConsumer, EventDispatcher, OnEvent
from ._stream import OnFailure, OnState, Stream
from .instance_streams import InstanceStreams
from .rabbit_stream import RabbitStream
from .socket_stream import SocketStream

_log = logging.getLogger("evolution_sdk.streams")


def open_streams(
    source: Any,
    to: EventDispatcher | OnEvent,
    *,
    events: Iterable[str | type[Event[Any]]] | None = None,
    dedupe: KeyMemory | None = None,
    before_connect: Callable[[], Awaitable[object]] | None = None,
    on_state: OnState | None = None,
    on_failure: OnFailure | None = None,
) -> list[Stream]:
    """Make the streams that are switched on; an event that several of them bring is handled once.

    ``EVOLUTION_WEBSOCKET_ENABLED`` asks for the socket, ``EVOLUTION_RABBITMQ_URI`` for the queues.
    Where no instance is named and the server's global mode is not on, a client is asked for the
    instances, and each gets a stream of its own.

    Args:
        source: A client (attached to the events; sync or async) or an ``EvolutionConfig``.
        to: A router, or a function that takes an event.
        events: Events whose queues to take. Default: those that a router uses
            (``used_events()``), else all.
        dedupe: Remembers the events that were handled, by ``delivery_key``: an object with
            ``seen(key)`` and ``add(key)``. Default: the latest 20,000 in memory.
        before_connect: Awaited before each attempt to connect the socket.
        on_state: Told of the states of all streams.
        on_failure: Told of every event whose handler raised.

    Returns:
        The streams, not running: run each with ``async with``, or all with ``run_in_thread``.
        Empty, with a warning in the log, when none is switched on.

    Raises:
        ConfigurationError: A setting is missing, which the error names. Without a client, the
            instance is needed, too.
    """
    config = cast("EvolutionConfig", getattr(source, "config", source))
    # An EvolutionConfig can open streams, too; only a client can be attached to events.
    client = source if hasattr(source, "bind_event") else None
    consumer = EventConsumer(to, dedupe=dedupe, client=client, server_url=config.server_url)
    told: dict[str, Any] = {"on_state": on_state, "on_failure": on_failure}
    # One instance is named, or the server's global mode tells all: no list is needed.
    all_of = None if client is None or config.instance is not None else _names_of(client)
    found: list[Stream] = []
    note_used("websocket", "rabbitmq")
    if config.websocket.enabled:

        def socket(instance: str | None = None) -> Stream:
            return SocketStream.from_config(
                consumer, config, instance=instance, before_connect=before_connect, **told
            )

        if all_of is None or config.websocket.global_events:
            found.append(socket())
        else:
            found.append(InstanceStreams(consumer, all_of, socket, name="sockets", **told))
    if config.rabbitmq.uri is not None:
        wanted = _used(to) if events is None else events

        def queues(instance: str | None = None) -> Stream:
            instances = None if instance is None else [instance]
            return RabbitStream.from_config(
                consumer, config, instances=instances, events=wanted, **told
            )

        if all_of is None or config.rabbitmq.global_enabled:
            found.append(queues())
        else:
            found.append(InstanceStreams(consumer, all_of, queues, name="queues", **told))
    if not found:
        _log.warning(
            "no stream is switched on, so no event comes: set EVOLUTION_WEBSOCKET_ENABLED=true or "
            "EVOLUTION_RABBITMQ_URI"
        )
    return found


def _names_of(client: Any) -> Callable[[], Awaitable[Iterable[str]]]:
    """Return a function that asks a client of either colour for the names of all instances."""
    fetch: Any = client.instances.fetch

    async def names() -> list[str]:
        # A sync client blocks: in a thread, so that the heartbeats of connections go on.
        if inspect.iscoroutinefunction(getattr(client, "close", None)):
            rows: Any = await fetch()
        else:
            rows = await asyncio.to_thread(fetch)
        return [name for row in rows if (name := getattr(row, "name", ""))]

    return names


def _used(to: Any) -> list[str] | None:
    """Return the events that a router has handlers for; None where that is not known."""
    ask = getattr(to, "used_events", None)
    # An empty answer means a router without handlers yet: then everything is taken.
    names = list(ask()) if ask is not None else []
    return names or None
