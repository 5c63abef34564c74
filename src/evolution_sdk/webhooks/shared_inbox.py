"""An inbox that receivers on several machines share: what it can do beyond others."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from .inbox import Inbox, InboxEntry


class LeaseLostError(Exception):
    """This receiver was silent for too long, and others have taken its events over."""

    def __init__(self) -> None:
        super().__init__(
            "This receiver was not heard of for longer than its lease, and others have taken its "
            "events over. It begins anew by itself."
        )


@dataclass(frozen=True, slots=True)
class Adoption:
    """Events that this receiver is to handle from now on.

    Attributes:
        entries: The events, in order.
        lost: True if others have taken over what was handed out before: nothing of it may be begun
            any more.
        more: True if another look is worth while at once.
    """

    entries: Sequence[InboxEntry] = ()
    lost: bool = False
    more: bool = False


class SharedInbox(Inbox, Protocol):
    """An inbox whose events may be accepted by one receiver and handled by another.

    Each event has an owner, and all unfinished events of a chat have the same. A receiver owns by a
    lease; when it falls silent, others take its events over.

    Attributes:
        adopt_every_ms: Time between two calls of :meth:`adopt`, in milliseconds.
    """

    adopt_every_ms: float

    def holds(self) -> bool:
        """Tell if this receiver's events are surely still its own; without waiting for anything.

        Returns:
            False once the lease may be over: no event may be begun then.
        """
        ...

    def adopt(self, held: Collection[int], room: int, room_bytes: int) -> Adoption:
        """Fetch events that others have accepted for this receiver, or left behind.

        Args:
            held: Numbers of the events that this receiver knows of.
            room: Most events.
            room_bytes: Most bytes of their bodies; if nothing is held, one of any size comes.

        Returns:
            The events.
        """
        ...
