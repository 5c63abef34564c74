"""Answering whether a message was sent: the rules for lost sends, as a question of its own."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from evolution_sdk.errors import RequestValidationError
from evolution_sdk.models.message import Message, SentMessage
from evolution_sdk.models.sent_search import SentSearch
from evolution_sdk.operations.operation import Operation, sent_kind
from evolution_sdk.reconcile.send_ledger import Send
from evolution_sdk.reconcile.server_clock import Moment, ServerClock, Window, Zone
from evolution_sdk.reconcile.verdict import CLOCKS, DOUBTS

if TYPE_CHECKING:
    from evolution_sdk._async.pipeline import Pipeline
from evolution_sdk.operations.target import Target

# Clocks of wrong time zone are this far apart; nobody asks by a clock that is wrong by more.
_FARTHEST_ZONE_S = 15 * 3_600.0
UNDER_WAY = "a send of this client to the same chat is under way; ask again when it is over"


async def find_sent(
    pipeline: Pipeline,
    target: Target,
    operation: Operation[Any],
    body: Mapping[str, Any],
    since: datetime | Message,
    known_ids: Iterable[str],
) -> SentSearch:
    """Look once for a message that may have been sent; claims nothing.

    Args:
        pipeline: Through whom the server is asked.
        target: The instance.
        operation: What would have been sent.
        body: Its body.
        since: Since when: a time by our clock, or a message sent before it.
        known_ids: Messages that are known to be of other sends.
    """
    reconciler = pipeline.parts.reconciler
    zone = _zone(reconciler.clock, since, pipeline.ports.moment())
    others = set(known_ids)
    if isinstance(since, Message):
        others.add(since.id)
    send = Send(target.instance, sent_kind(operation), body, 0, operation.channels)
    search = reconciler.search_for(target, send, zone)
    await reconciler.survey(search)
    seen = [one for one in search.seen.values() if one.id not in others]
    ours = [one for one in seen if zone.place(one.told) == "ours"]
    ours.sort(key=lambda one: one.told or 0.0)
    checked = f"the server's message store, under {len(search.wanted.chats)} chat id(s)"
    if ours:
        found = tuple(SentMessage.from_store(one.record, one.evidence) for one in ours)
        return SentSearch("found", found, f"found in {checked}")
    doubt = None
    if any(zone.place(one.told) == "doubtful" for one in seen):
        doubt = DOUBTS[CLOCKS]
    elif reconciler.under_way(target.instance, search.wanted):
        doubt = UNDER_WAY
    else:
        doubt = await reconciler.doubt(search, others)
    if doubt is not None:
        return SentSearch("unknown", (), f"not in {checked}; that proves nothing: {doubt}")
    return SentSearch("absent", (), f"not in {checked}")


def _zone(clock: ServerClock, since: object, now: Moment) -> Zone:
    """Bound when it can have been sent, by the server's clock."""
    if isinstance(since, Message):
        if since.sent_at is None:
            raise RequestValidationError("since", "the message has no timestamp; give a time")
        # By the server's own clock, so that ours does not matter.
        told = since.sent_at.timestamp()
        # Only of its own messages: an incoming one's time is WhatsApp's.
        own = isinstance(since, SentMessage) or since.from_me is True
        earliest = told if own else told - _FARTHEST_ZONE_S
        return Zone((Window(told + 1, math.inf),), earliest, proven=own)
    if not isinstance(since, datetime):
        raise RequestValidationError("since", "must be an aware datetime, or a message sent before")
    if since.tzinfo is None or since.utcoffset() is None:
        raise RequestValidationError(
            "since", "must be aware, such as datetime(2026, 1, 31, 9, tzinfo=ZoneInfo(…))"
        )
    begun = since.timestamp()
    if begun > now.wall:
        raise RequestValidationError("since", "lies in the future")
    zone = clock.zone(Moment(now.mono - (now.wall - begun), begun), now)
    if not zone.proven:
        return zone._replace(earliest=zone.opens - _FARTHEST_ZONE_S)
    return zone
