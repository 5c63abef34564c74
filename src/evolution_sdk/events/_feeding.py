"""Access to a client's ``feed``, through which receivers and streams pass events to it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TypeAlias

__all__ = ["Feed", "feed_of", "server_url_of"]

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
