"""The streams that the settings ask for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, cast

from evolution_sdk.config import EvolutionConfig
from evolution_sdk.events import Event

from ._intake import Dedupe, Dispatcher, Intake, OnEvent
from ._stream import OnFailure, OnState, Stream
from .rabbit_stream import RabbitStream
from .socket_stream import SocketStream


def open_streams(
    source: Any,
    to: Dispatcher | OnEvent,
    *,
    events: Iterable[str | type[Event[Any]]] | None = None,
    dedupe: Dedupe | None = None,
    before_connect: Callable[[], Awaitable[object]] | None = None,
    on_state: OnState | None = None,
    on_failure: OnFailure | None = None,
) -> list[Stream]:
    """Make the streams that are switched on; all share one intake, so that copies count once.

    ``EVOLUTION_WEBSOCKET_ENABLED`` asks for the socket, ``EVOLUTION_RABBITMQ_URI`` for the queues.

    Args:
        source: A client (attached to the events; sync or async) or an ``EvolutionConfig``.
        to: A router, or a function that takes an event.
        events: Which queues to take. Default: those a router uses (``used_events()``), else all.
        dedupe: Remembers what was handled, by ``delivery_key``. Default: a ``RecentKeys``.
        before_connect: Awaited before each attempt to connect the socket.
        on_state: Told of the states of all.
        on_failure: Told of every event whose handler raised.

    Returns:
        The streams, not running: run each with ``async with``, or all with ``run_in_thread``.
        Empty when none is switched on.

    Raises:
        ConfigurationError: A setting is missing; it names which.
    """
    config = cast("EvolutionConfig", getattr(source, "config", source))
    client = source if hasattr(source, "event_actions") else None
    intake = Intake(to, dedupe=dedupe, client=client)
    found: list[Stream] = []
    told: dict[str, Any] = {"on_state": on_state, "on_failure": on_failure}
    if config.websocket.enabled:
        found.append(
            SocketStream.from_config(intake, config, before_connect=before_connect, **told)
        )
    if config.rabbitmq.uri is not None:
        wanted = _used(to) if events is None else events
        found.append(RabbitStream.from_config(intake, config, events=wanted, **told))
    return found


def _used(to: Any) -> list[str] | None:
    """The events that a router has handlers for; None where that is not known."""
    ask = getattr(to, "used_events", None)
    names = list(ask()) if ask is not None else []
    return names or None
