"""What a stream tells about itself; values only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

State: TypeAlias = Literal["new", "connecting", "connected", "waiting", "stopped"]
"""Where a stream stands: ``waiting`` is between two attempts to connect."""


@dataclass(frozen=True, slots=True)
class StreamConnected:
    """Events arrive from now on.

    Attributes:
        stream: Name of the stream.
        at: When (aware).
        missing_since: Since when nothing was received for sure: the last sign of life of the
            connection before; None for the first one. What to give
            :func:`evolution_sdk.events.backfill` where the transport keeps nothing.
    """

    stream: str
    at: datetime
    missing_since: datetime | None


@dataclass(frozen=True, slots=True)
class StreamDisconnected:
    """The connection ended, or could not be made.

    Attributes:
        stream: Name of the stream.
        at: When (aware).
        reason: Why, in words; without secrets.
        retry_in_ms: When the next attempt is made, in milliseconds; None when none is made.
        quiet: Whether it is a normal state of a working server: the namespace of an instance
            that has not had an event yet.
    """

    stream: str
    at: datetime
    reason: str
    retry_in_ms: float | None
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class EventsDropped:
    """Events came faster than they are handled, and these had no more place; see ``backfill``.

    Attributes:
        stream: Name of the stream.
        at: When the first of them was dropped (aware).
        count: How many so far, since the last one that found a place.
    """

    stream: str
    at: datetime
    count: int


StreamState: TypeAlias = StreamConnected | StreamDisconnected | EventsDropped
"""Everything that ``on_state`` can be told."""
