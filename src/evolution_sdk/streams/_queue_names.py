"""The server's exchanges, queues and routing keys. Pure.

Facts: `facts/events.json` "rabbitmq", `facts/observed.md` "RabbitMQ", `facts/rabbitmq.json`: per
instance a durable topic exchange of the instance's name with one durable quorum queue
``<instance>.<event>`` per event; globally one exchange (``RABBITMQ_EXCHANGE_NAME``) with queues
``<prefix>.<event>``. The server turns ``_`` in an event's name into a dot, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from evolution_sdk.errors import ConfigurationError
from evolution_sdk.events import EVENT_CLASSES, Event
from evolution_sdk.events.parse import event_class

EXCHANGE = "evolution_exchange"
"""The server's own name of the global exchange, unless it is configured."""

QUEUE_ARGUMENTS: Mapping[str, str] = MappingProxyType({"x-queue-type": "quorum"})
"""Arguments of the server's queues; the broker refuses a declaration with any other ones."""


@dataclass(frozen=True, slots=True)
class QueueName:
    """One queue as the server declares it.

    Attributes:
        exchange: The topic exchange.
        queue: Its name.
        key: The routing key.
    """

    exchange: str
    queue: str
    key: str


def instance_queue(instance: str, event: str) -> QueueName:
    """Name the queue of one event of one instance.

    Args:
        instance: The instance.
        event: Name of the event, in any spelling.
    """
    # As the server does it: dots for underscores, and nothing else.
    name = event.replace("_", ".").lower()
    return QueueName(instance, f"{instance}.{name}", name)


def global_queue(event: str, exchange: str = EXCHANGE, prefix: str = "") -> QueueName:
    """Name the queue of one event of all instances.

    Args:
        event: Name of the event as the server writes it.
        exchange: The server's ``RABBITMQ_EXCHANGE_NAME``.
        prefix: The server's ``RABBITMQ_PREFIX_KEY``.
    """
    name = event.replace("_", ".").lower()
    # The routing key is the name as it is; a queue bound by another spelling receives nothing.
    return QueueName(exchange, f"{prefix}.{name}" if prefix else name, event)


def wire_names(events: Iterable[str | type[Event[Any]]] | None) -> tuple[str, ...]:
    """Return names of events as the server writes them, each once, in the order given.

    Args:
        events: Names in any spelling, or classes; None for those an instance can subscribe to on
            every server from 2.3 on.

    Raises:
        ConfigurationError: The server has no such event.
    """
    if events is None:
        offered = (kind for kind in EVENT_CLASSES.values() if kind.subscribable())
        return tuple(kind.wire for kind in offered if kind.everywhere())
    found: dict[str, None] = {}
    for each in events:
        kind = event_class(each) if isinstance(each, str) else each
        if kind is None or not getattr(kind, "wire", ""):
            raise ConfigurationError(
                f"the server has no event {each!r}; see evolution_sdk.events.EVENT_CLASSES",
                variable="events",
            )
        found[kind.wire] = None
    if not found:
        raise ConfigurationError("name at least one event, or None for all", variable="events")
    return tuple(found)
