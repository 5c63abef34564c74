"""Backfill: events that were missed, made anew from the server's store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

from evolution_sdk.events import Event
from evolution_sdk.operations.target import Target
from evolution_sdk.tracking.backfill_plan import (
    MAX_WINDOW,
    WINDOW,
    WindowMessages,
    events_of,
    windows,
)

from .pipeline import Pipeline
from .resources.chats import AsyncChatsApi


async def backfill(
    bind: Callable[[Event], Event],
    pipeline: Pipeline,
    target: Target,
    since: datetime,
    until: datetime | None,
    seen: Callable[[str], bool] | None,
    statuses: bool,
) -> AsyncIterator[Event]:
    """Go through missed events, oldest first; see ``client.backfill``.

    Args:
        bind: Attaches the client to an event.
        pipeline: Gives the clock and makes the calls.
        target: The instance whose store is read.
        since: The beginning (aware).
        until: The end (aware). Default: now.
        seen: Tells by ``dedupe_key`` which events are known.
        statuses: True for statuses as well.

    Yields:
        The events that are not known.
    """
    store = AsyncChatsApi(pipeline, target)
    lids = pipeline.parts.reconciler.lids
    now = datetime.fromtimestamp(pipeline.ports.wall(), tz=UTC)
    # The end is fixed now: what arrives meanwhile comes as an event of its own.
    plan = windows(since, until or now, WINDOW, MAX_WINDOW, open_end=until is None)
    found = next(plan, None)
    while found is not None:
        first, last = found
        # The store gives the newest first and events go out oldest first: a window is held whole.
        held = WindowMessages()
        async for message in store.iter_messages(since=first, until=last):
            held.take(message)
        for message in held.in_order():
            told = events_of(
                message, target.instance or "", now, seen, statuses=statuses, lids=lids
            )
            for event in told:
                yield bind(event)
        try:
            found = plan.send(len(held))
        except StopIteration:
            return
