"""Answering if a message was sent: the rules for lost sends, as a question of its own.

A program asks it after a crash, about the message that was in flight.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from evolution_sdk.errors import RequestValidationError
from evolution_sdk.identity import Jid, PhoneNumber
from evolution_sdk.identity._server import recipient
from evolution_sdk.media import Media
from evolution_sdk.media._plan import Base64, Url, plan_media
from evolution_sdk.models import requests_message as req
from evolution_sdk.models.base import RequestModel
from evolution_sdk.models.message import Message, SentMessage
from evolution_sdk.models.sent_search import SentSearch
from evolution_sdk.operations.operation import Operation, file_rule, sent_kind
from evolution_sdk.operations.routes import message as ops
from evolution_sdk.operations.target import Target
from evolution_sdk.reconcile.search import Search
from evolution_sdk.reconcile.send_ledger import Send
from evolution_sdk.reconcile.server_clock import FARTHEST_ZONE_S, Moment, ServerClock, Window, Zone
from evolution_sdk.reconcile.verdict import CLOCKS, CONTESTED, DOUBTS

from ._seam import Later, run_blocking
from .pipeline import Pipeline
from .reconciler import Reconciler

_OPERATIONS: Mapping[type[RequestModel], Operation[SentMessage]] = {
    req.TextRequest: ops.SEND_TEXT,
    req.MediaRequest: ops.SEND_MEDIA,
    req.PtvRequest: ops.SEND_PTV,
    req.AudioRequest: ops.SEND_WHATSAPP_AUDIO,
    req.StickerRequest: ops.SEND_STICKER,
    req.StatusRequest: ops.SEND_STATUS,
    req.LocationRequest: ops.SEND_LOCATION,
    req.ContactRequest: ops.SEND_CONTACT,
    req.ReactionRequest: ops.SEND_REACTION,
    req.PollRequest: ops.SEND_POLL,
    req.ListRequest: ops.SEND_LIST,
    req.ButtonsRequest: ops.SEND_BUTTONS,
    req.CarouselRequest: ops.SEND_CAROUSEL,
    req.TemplateRequest: ops.SEND_TEMPLATE,
}

UNNAMED = "an equal message is stored, but not under the id that was given"
CLAIMED_BY_RIVALS = "earlier send(s) of the same content whose message is not known may own them"
UNDER_WAY = "a send of this client to the same chat is under way; ask again when it is over"


@contextmanager
def _blaming_content(field: str) -> Generator[None]:
    # A send calls it "text" or "media"; whoever looks for a send gave it as "content".
    try:
        yield
    except RequestValidationError as error:
        if error.field != field:
            raise
        raise RequestValidationError("content", error.rule) from None


async def wanted_send(
    number: str | PhoneNumber | Jid,
    content: str | Media | Path | bytes | RequestModel,
    caption: str | None,
    mediatype: str | None,
    file_name: str | None,
) -> tuple[Operation[SentMessage], dict[str, Any]]:
    """Say which operation would have sent something, and with which body.

    Args:
        number: The recipient.
        content: A text, a file, or the request of a message.
        caption: Text below a file.
        mediatype: The form in which a file was sent. Default: by its type.
        file_name: The name of the file that the recipient sees.

    Returns:
        The operation and the body.

    Raises:
        RequestValidationError: A value breaks a rule, or is given without a file.
    """
    if isinstance(content, str | RequestModel):
        _only_for_files(caption=caption, mediatype=mediatype, file_name=file_name)
    if isinstance(content, str):
        with _blaming_content("text"):
            return ops.SEND_TEXT, req.TextRequest.check(number=number, text=content).body()
    if isinstance(content, RequestModel):
        return _of_request(number, content)
    operation = ops.SEND_MEDIA
    with _blaming_content("media"):
        file = Media.of(content, file_name=file_name)
        plan = plan_media(file_rule(operation), file, kind=mediatype)
    given: dict[str, Any] = {"file_name": plan.file_name, "caption": caption}
    # The store keeps no files, but a request without one is refused: the content is given as a
    # send would give it.
    if isinstance(plan.content, Url):
        given["media"] = plan.content.url
    elif isinstance(plan.content, Base64):
        given["media"] = await run_blocking(plan.content.text)
    with _blaming_content("media"):
        request = req.MediaRequest.check(number=number, mediatype=plan.kind.value, **given)
    return operation, request.body()


async def find_sent(
    pipeline: Pipeline,
    target: Target,
    operation: Operation[Any],
    body: Mapping[str, Any],
    since: datetime | Message,
    known_ids: Iterable[str],
    message_id: str | None = None,
) -> SentSearch:
    """Look once for a message that may have been sent, and claim nothing.

    Args:
        pipeline: Asks the server.
        target: The instance.
        operation: The operation that would have sent it.
        body: Its body.
        since: The earliest time, by our clock; or a message sent before it.
        known_ids: Ids of messages that are known to be of other sends.
        message_id: The id that the send was given.

    Returns:
        The answer, with the reason.

    Raises:
        RequestValidationError: ``since`` cannot be used.
        EvolutionError: The server could not be asked.
    """
    zone = _zone(pipeline.parts.reconciler.clock, since, pipeline.ports.moment())
    others = {*known_ids, since.id} if isinstance(since, Message) else known_ids
    return await look_for_send(
        pipeline, target, operation, body, zone, others, message_id=message_id
    )


async def look_for_send(
    pipeline: Pipeline,
    target: Target,
    operation: Operation[Any],
    body: Mapping[str, Any],
    zone: Zone,
    known_ids: Iterable[str],
    *,
    message_id: str | None = None,
    id_chosen: bool = True,
    rivals: int = 0,
    known: Callable[[Sequence[str]], Later[Collection[str]]] | None = None,
    stored: Sequence[str] | None = None,
) -> SentSearch:
    """Look once for the message of a send whose time is known, and claim nothing.

    Args:
        pipeline: Asks the server.
        target: The instance.
        operation: The operation that would have sent it.
        body: Its body.
        zone: When it can have happened, by the server's clock.
        known_ids: Ids of messages that are known to be of other sends.
        message_id: The id that the send was given.
        id_chosen: False if that id was made for this one send, so that nothing else can have it.
        rivals: Number of sends begun before it, of equal content to the same chat, whose message is
            not known: each may own one of those found.
        known: Tells which of some ids are of other sends, where they are too many to be named.
        stored: Ids of messages that were sent lately, the newest first: absence counts only if one
            of them is stored. Default: it counts unless a send of this client is not.

    Returns:
        The answer, with the reason. With rivals, ``found`` holds the messages that are left when
        each of them has had one, oldest first; with too few for that it is ``unknown``.

    Raises:
        EvolutionError: The server could not be asked.
    """
    reconciler = pipeline.parts.reconciler
    zone, others = zone.bounded(), set(known_ids)
    send = Send(
        target.instance,
        sent_kind(operation),
        body,
        0,
        operation.channels,
        operation=operation.name,
        message_id=message_id,
        id_chosen=id_chosen,
    )
    search = reconciler.search_for(target, send, zone)
    if message_id is not None:
        under_id = await _by_id(reconciler, search, send)
        if under_id is not None:
            return under_id
    await reconciler.survey(search)
    if known is not None:
        others |= set(await known([*search.seen, *search.hidden]))
    seen = [one for one in search.seen.values() if one.id not in others]
    # Only what lies surely within the time counts as found; what may lie outside is a doubt.
    ours = [one for one in seen if zone.place(one.told) == "ours"]
    ours.sort(key=lambda one: one.told or 0.0)
    checked = f"the server's message store, under {len(search.wanted.chats)} chat id(s)"
    if search.exact:
        # It would be under its id; an equal one under another may be from before ids were heeded.
        ours = [one for one in ours if not reconciler.claimed(target, one.id)]
        if ours:
            return SentSearch("unknown", (), f"looked in {checked}: {UNNAMED}")
    # Of two equal sends the earlier one gets the earlier message.
    left = ours[rivals:]
    if left:
        found = tuple(SentMessage.from_store(one.record, one.evidence) for one in left)
        return SentSearch("found", found, f"found in {checked}")
    if ours:
        why = f"{len(ours)} equal message(s), but {rivals} {CLAIMED_BY_RIVALS}"
        return SentSearch("unknown", (), f"looked in {checked}: {why}")
    # "Absent" must be proven: a message may still be on its way, may be hidden behind another
    # name, or may lie in a time that the clocks leave open.
    doubt = None
    if any(zone.place(one.told) == "doubtful" for one in seen):
        doubt = DOUBTS[CLOCKS]
    elif reconciler.under_way(target.instance, search.wanted):
        doubt = UNDER_WAY
    else:
        doubt = await reconciler.doubt(search, others)
        if doubt is None and stored is not None:
            doubt = await reconciler.doubt_strictly(search, stored)
    if doubt is not None:
        return SentSearch("unknown", (), f"not in {checked}; that proves nothing: {doubt}")
    return SentSearch("absent", (), f"not in {checked}")


async def _by_id(reconciler: Reconciler, search: Search, send: Send) -> SentSearch | None:
    """Look for the message under the id that it was given; None where none is under it."""
    checked = f"the server's message store, by the id {search.message_id}"
    # Whatever its time: the id was written down for this very send.
    search.any_time = True
    found = await reconciler.named(search)
    if search.contested:
        return SentSearch("unknown", (), f"looked in {checked}: {CONTESTED}")
    if found is not None:
        message = SentMessage.from_store(found.record, found.evidence)
        return SentSearch("found", (message,), f"found in {checked}")
    search.exact = await reconciler.heeds_ids(search.target, send)
    return None


def _zone(clock: ServerClock, since: object, now: Moment) -> Zone:
    """Bound when it can have been sent, by the server's clock."""
    if isinstance(since, Message):
        if since.sent_at is None:
            raise RequestValidationError("since", "the message has no timestamp; give a time")
        # By the server's own clock, so that ours does not matter.
        told = since.sent_at.timestamp()
        # Only of its own messages: an incoming one's time is WhatsApp's.
        own = isinstance(since, SentMessage) or since.from_me is True
        earliest = told if own else told - FARTHEST_ZONE_S
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
    return clock.zone(Moment(now.mono - (now.wall - begun), begun), now).bounded()


def _only_for_files(**given: str | None) -> None:
    for name, value in given.items():
        if value is not None:
            raise RequestValidationError(
                name, "is only for files: give the content as a Media or a Path"
            )


def _of_request(
    number: str | PhoneNumber | Jid, request: RequestModel
) -> tuple[Operation[SentMessage], dict[str, Any]]:
    operation = _OPERATIONS.get(type(request))
    if operation is None:
        raise RequestValidationError(
            "content", "must be a text, a file, or the request of a message"
        )
    body = request.body()
    if "number" in body:
        body["number"] = recipient(number)
    return operation, body
