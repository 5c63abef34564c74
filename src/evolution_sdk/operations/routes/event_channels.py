"""The six other ways that events travel: each is set and found alike, under its own name."""

from __future__ import annotations

from typing import Generic, Literal, NamedTuple, TypeVar

from evolution_sdk._base.effect import Effect
from evolution_sdk.models.event_channels import EventChannel, PusherChannel
from evolution_sdk.models.readers import optional
from evolution_sdk.operations.operation import Operation

from ._declare import Family

T = TypeVar("T", bound=EventChannel)


class EventChannelOperations(NamedTuple, Generic[T]):
    """The operations of one event transport.

    Attributes:
        name: Its name, which also wraps the body of a set.
        set: Store what is to be delivered.
        find: Read what is stored.
    """

    name: str
    set: Operation[T]
    find: Operation[T | None]


def _channel(
    name: str,
    model: type[T],
    *,
    since: str = "2.0",
    set_when_off: Literal["disabled", "unexpected"] = "disabled",
) -> EventChannelOperations[T]:
    """Declare one transport; an empty answer means that the server has it switched off."""
    family = Family(name, session=False, since=since)
    return EventChannelOperations(
        name,
        family(
            f"set_{name}",
            "POST",
            "set",
            Effect.IDEMPOTENT,
            model.from_wire,
            empty_means=set_when_off,
            takes_events=True,
        ),
        family(f"find_{name}", "GET", "find", Effect.READ, optional(model), empty_means="disabled"),
    )


WEBSOCKET = _channel("websocket", EventChannel)
RABBITMQ = _channel("rabbitmq", EventChannel)
NATS = _channel("nats", EventChannel, since="2.3")
SQS = _channel("sqs", EventChannel)
KAFKA = _channel("kafka", EventChannel, since="2.3")
# Pusher is stored even where the server has it switched off; only finding it tells.
PUSHER = _channel("pusher", PusherChannel, set_when_off="unexpected")
