"""How events travel beside the webhook: websocket, RabbitMQ, NATS, SQS, Kafka, Pusher."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from .base import RequestModel
from .event_names import EventName
from .rows import StoredRow


class EventChannel(StoredRow):
    """What a transport delivers; disabled ones have no events."""

    shown: ClassVar[tuple[str, ...]] = ("enabled", "events")
    expected: ClassVar[tuple[str, ...]] = ("enabled", "events")

    enabled: bool = False
    events: tuple[str, ...] = ()


class PusherChannel(EventChannel):
    """What Pusher delivers, and with which account. ``key`` and ``secret`` come in clear."""

    app_id: str = ""
    key: str = ""
    secret: str = ""
    cluster: str = ""
    use_tls: bool | None = Field(default=None, alias="useTLS")


class EventsRequest(RequestModel):
    """What a transport is to deliver.

    ``events`` is always sent: without it the server fails with 500 (`facts/observed.md`
    "Request traps" 2). An empty list means every event.
    """

    enabled: bool = True
    events: tuple[EventName, ...] = ()


_Part = Annotated[str, Field(min_length=1, max_length=100)]


class PusherRequest(EventsRequest):
    """The same for Pusher, with the account to use; the database takes 100 characters of each."""

    app_id: _Part
    key: _Part
    secret: _Part
    cluster: _Part
    use_tls: bool = Field(default=True, alias="useTLS")
