"""Event channels beside the webhook: websocket, RabbitMQ, NATS, SQS, Kafka, Pusher."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from .base import RequestModel
from .event_names import EventName
from .rows import StoredRow


class EventChannel(StoredRow):
    """The events that a channel delivers; a disabled one has none."""

    shown: ClassVar[tuple[str, ...]] = ("enabled", "events")
    expected: ClassVar[tuple[str, ...]] = ("enabled", "events")

    enabled: bool = False
    events: tuple[str, ...] = ()


class PusherChannel(EventChannel):
    """The Pusher channel and its account. ``key`` and ``secret`` are in clear text."""

    app_id: str = ""
    key: str = ""
    secret: str = ""
    cluster: str = ""
    use_tls: bool | None = Field(default=None, alias="useTLS")


class EventsRequest(RequestModel):
    """The events that a channel shall deliver.

    ``events`` is always sent: without it the server fails with 500 (`facts/observed.md`
    "Request traps" 2). An empty list means every event.
    """

    enabled: bool = True
    events: tuple[EventName, ...] = ()


_Part = Annotated[str, Field(min_length=1, max_length=100)]


class PusherRequest(EventsRequest):
    """The same for Pusher, with the account to use; the database holds 100 characters of each."""

    app_id: _Part
    key: _Part
    secret: _Part
    cluster: _Part
    use_tls: bool = Field(default=True, alias="useTLS")
