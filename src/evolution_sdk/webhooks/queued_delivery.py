"""An event in the queue of a receiver."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from evolution_sdk.events import Event

from .inbox import InboxEntry


@dataclass(slots=True)
class QueuedDelivery:
    """An event in the queue.

    Attributes:
        entry: As the inbox keeps it.
        event: The same, parsed.
        key: Key of its chat in the queue.
        offered: Set once the client was fed with it; None where nobody is to be fed.
    """

    entry: InboxEntry
    event: Event[Any]
    key: str = ""
    offered: threading.Event | None = None
