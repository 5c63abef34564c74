"""Access to a client, as receivers and streams need it: they feed it with every event.

They also ask it whether a wait has consumed an event, which handlers then do not see.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Protocol, TypeAlias, cast

from ._base import Event
from ._plain_calls import call_in_thread

__all__ = ["Consumption", "Feed", "feed_of", "server_url_of"]

# The claim of a wait is settled as soon as its task or thread wakes.
_LONGEST_CLAIM_S = 10.0

Feed: TypeAlias = Callable[[object, bool], object]


def feed_of(client: object) -> Feed | None:
    """Return the function that feeds a client.

    Args:
        client: A client, an instance handle, or anything with a ``feed`` method.

    Returns:
        A function that takes an event, and whether it is verified; None if the client takes no
        events.
    """
    feed = getattr(client, "feed", None)
    if not callable(feed):
        return None
    # A user's test double may have a feed with one argument.
    if _takes_verified(feed):
        return lambda event, verified: feed(event, verified=verified)
    return lambda event, _verified: feed(event)


def server_url_of(client: object) -> str | None:
    """Return the value of ``server_url`` in events that a client's settings require, or None."""
    told = getattr(getattr(client, "config", None), "server_url", None)
    return told if isinstance(told, str) else None


def _takes_verified(feed: Callable[..., object]) -> bool:
    try:
        known = inspect.signature(feed).parameters
    except (TypeError, ValueError):
        return False
    return "verified" in known or any(one.kind is one.VAR_KEYWORD for one in known.values())


class ClaimedEvent(Protocol):
    """An event that a wait has claimed; see :mod:`evolution_sdk.tracking.consumption`."""

    @property
    def is_settled(self) -> bool:
        """True once it is certain whether a wait returned the event."""
        ...

    @property
    def is_consumed(self) -> bool:
        """True if a wait returned the event."""
        ...

    def wait(self, timeout_s: float) -> bool:
        """Wait until it is certain; True if the event is consumed."""
        ...


ClaimOn: TypeAlias = Callable[[Event], ClaimedEvent | None]


class Consumption:
    """Tells if a wait of a client has consumed an event; ask once, before handlers get it.

    Args:
        client: A client, an instance handle, or anything else, which consumes nothing.
    """

    def __init__(self, client: object) -> None:
        found = getattr(client, "claim_on", None)
        self._claim_on: ClaimOn | None = cast("ClaimOn", found) if callable(found) else None

    async def took(self, event: Event) -> bool:
        """Tell if a wait took the event.

        Args:
            event: The event, offered to the client before.
        """
        claimed = self._claimed(event)
        if claimed is None or claimed.is_settled:
            return claimed is not None and claimed.is_consumed
        return bool(await call_in_thread(claimed.wait, (_LONGEST_CLAIM_S,), {}))

    def took_sync(self, event: Event) -> bool:
        """Tell if a wait took the event; blocks for as long as its thread needs to wake.

        Args:
            event: The event, offered to the client before.
        """
        claimed = self._claimed(event)
        return claimed is not None and claimed.wait(_LONGEST_CLAIM_S)

    def _claimed(self, event: Event) -> ClaimedEvent | None:
        return None if self._claim_on is None else self._claim_on(event)
