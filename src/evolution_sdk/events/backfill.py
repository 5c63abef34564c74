"""Filling gaps: what was missed while nobody listened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol, TypeVar

History_co = TypeVar("History_co", covariant=True)


class HistorySource(Protocol[History_co]):
    """A client or an instance handle; sync ones give an iterator, async ones an async iterator."""

    def backfill(
        self,
        *,
        since: datetime,
        until: datetime | None = None,
        instance: str | None = None,
        seen: Callable[[str], bool] | None = None,
        statuses: bool = True,
    ) -> History_co:
        """Go through missed events."""
        ...


def backfill(
    client: HistorySource[History_co],
    *,
    since: datetime,
    until: datetime | None = None,
    instance: str | None = None,
    seen: Callable[[str], bool] | None = None,
    statuses: bool = True,
) -> History_co:
    """Go through the events that were missed, oldest first, made from the server's store.

    Messages come as ``MessagesUpsert`` and ``SendMessage``, statuses as ``MessagesUpdate``, all
    with ``source == "backfill"`` and the client attached; give them to the same router. Their
    ``dedupe_key`` is that of the event itself. The server must store messages
    (``DATABASE_SAVE_DATA_NEW_MESSAGE=true``); edits, deletions and everything else is not in it.

    Args:
        client: A client, or a handle of one instance.
        since: From when on (aware), such as ``StreamConnected.missing_since``.
        until: Up to when (aware). Default: now; what comes later is not among it.
        instance: Which instance. Default: the handle's or the client's own.
        seen: Leaves out what is known, by ``dedupe_key``, such as ``RecentKeys().seen``.
        statuses: Whether to tell statuses.

    Returns:
        An iterator; an async one with an async client.

    Raises:
        RequestValidationError: A time is naive, or no instance is known.
        EvolutionError: The store could not be read.
    """
    return client.backfill(
        since=since, until=until, instance=instance, seen=seen, statuses=statuses
    )
