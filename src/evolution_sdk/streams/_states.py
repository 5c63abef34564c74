"""The states of a stream; values only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

State: TypeAlias = Literal["new", "connecting", "connected", "waiting", "stopped"]
"""State of a stream; ``waiting`` is between two attempts to connect."""


@dataclass(frozen=True, slots=True)
class StreamConnected:
    """Events arrive from now on.

    Attributes:
        stream: Name of the stream.
        at: Time of the change (aware).
        missing_since: Time since which events may be missing (aware): the last sign of life of the
            connection before; None for the first one. Give it to ``client.backfill`` where the
            transport keeps nothing.
    """

    stream: str
    at: datetime
    missing_since: datetime | None


@dataclass(frozen=True, slots=True)
class StreamDisconnected:
    """The connection ended, or could not be made.

    Attributes:
        stream: Name of the stream.
        at: Time of the change (aware).
        reason: The reason in words; without secrets.
        retry_in_ms: Wait before the next attempt, in milliseconds; None when none is made.
        quiet: True for a normal state of a working server: the namespace of an instance that has
            not had an event yet.
    """

    stream: str
    at: datetime
    reason: str
    retry_in_ms: float | None
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class EventsDropped:
    """Events were dropped, because they came faster than they are handled; see ``backfill``.

    Attributes:
        stream: Name of the stream.
        at: Time of the last drop (aware).
        count: Number of drops since the last event that found a place.
    """

    stream: str
    at: datetime
    count: int


StreamState: TypeAlias = StreamConnected | StreamDisconnected | EventsDropped
"""Argument of ``on_state``."""
