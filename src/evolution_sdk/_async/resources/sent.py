"""Asking whether a message was sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from evolution_sdk._async._seam import run_blocking
from evolution_sdk.errors import RequestValidationError
from evolution_sdk.identity import Jid, PhoneNumber
from evolution_sdk.identity._server import recipient
from evolution_sdk.media import Media
from evolution_sdk.media._plan import Base64, Url, plan_media
from evolution_sdk.models import requests_message as req
from evolution_sdk.models.base import RequestModel
from evolution_sdk.models.message import Message, SentMessage
from evolution_sdk.models.sent_search import SentSearch
from evolution_sdk.operations.operation import Operation, file_rule
from evolution_sdk.operations.routes import message as ops

from .asking import find_sent
from .followed import AsyncFollowedApi

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
    req.TemplateRequest: ops.SEND_TEMPLATE,
}


class AsyncSentApi(AsyncFollowedApi):
    """Asking for what was sent; part of :class:`AsyncMessagesApi`."""

    __slots__ = ()

    async def find_sent(
        self,
        number: str | PhoneNumber | Jid,
        content: str | Media | Path | bytes | RequestModel,
        *,
        since: datetime | Message,
        caption: str | None = None,
        mediatype: Literal["image", "document", "video", "audio"] | None = None,
        file_name: str | None = None,
        known_ids: Iterable[str] = (),
    ) -> SentSearch:
        """Look whether something was sent, by the rules for lost sends; sends and claims nothing.

        For a program that starts again after a crash: it asks for the message that was in flight
        before it sends on. Looks once; a message that the server still holds back (``delay_ms``,
        a slow upload) is not there yet, so that after a crash wait as long as a send may take
        (``EVOLUTION_TIMEOUT_SEND_MS`` and the delay) before "absent" is taken for an answer.
        Messages that this client has been answered for count as found, too; name those of other
        sends in ``known_ids``.

        Args:
            number: The recipient, as for the send.
            content: A text; a file as a ``Media``, path or bytes (as ``send_media`` sends it);
                for other kinds the request, such as a ``LocationRequest`` of
                ``evolution_sdk.models.requests_message``; its own number gives way to ``number``.
            since: Since when: an aware time not in the future, by the clock of this computer; or
                a message that was sent before, whose time is the server's own. While no answered
                send of this client has told the server's clock, a time proves less: an equal
                message of up to 15 hours before it makes the answer ``unknown``.
            caption: Text below the file.
            mediatype: What the file was sent as. Default: by its type.
            file_name: What the recipient sees.
            known_ids: Ids of messages that belong to other sends, such as those written down.

        Returns:
            ``found`` with the messages, ``absent``, or ``unknown`` with the reason.

        Raises:
            RequestValidationError: A value breaks a rule, such as a ``since`` without time zone.
            EvolutionError: The server could not be asked.
        """
        if isinstance(known_ids, str):
            raise RequestValidationError("known_ids", "must be a list of ids, not one text")
        if isinstance(content, str | RequestModel):
            _only_for_files(caption=caption, mediatype=mediatype, file_name=file_name)
        operation, body = ops.SEND_TEXT, dict[str, Any]()
        if isinstance(content, str):
            body = req.TextRequest.check(number=number, text=content).body()
        elif isinstance(content, RequestModel):
            operation, body = _of_request(number, content)
        else:
            operation = ops.SEND_MEDIA
            file = Media.of(content, file_name=file_name)
            plan = plan_media(file_rule(operation), file, kind=mediatype)
            given: dict[str, Any] = {"file_name": plan.file_name, "caption": caption}
            if isinstance(plan.content, Url):
                given["media"] = plan.content.url
            elif isinstance(plan.content, Base64):
                given["media"] = await run_blocking(plan.content.text)
            request = req.MediaRequest.check(number=number, mediatype=plan.kind.value, **given)
            body = request.body()
        return await find_sent(self._pipeline, self._target, operation, body, since, known_ids)


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
