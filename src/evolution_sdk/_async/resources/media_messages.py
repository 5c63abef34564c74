"""Sending files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Unpack

from evolution_sdk._async.fetching import as_text, plan_file
from evolution_sdk._base.request import FilePart
from evolution_sdk._client.compose import (
    COMPOSE_KEYS,
    ComposeOptions,
    MediaLike,
    PlanChoices,
    compose_values,
    quotes_content,
)
from evolution_sdk._client.options import SEND_KEYS, SendOptions
from evolution_sdk.identity import Jid, PhoneNumber
from evolution_sdk.media._plan import MediaPlan, Multipart
from evolution_sdk.models import requests_message as req
from evolution_sdk.models.base import RequestModel
from evolution_sdk.models.message import SentMessage
from evolution_sdk.operations.build import as_form
from evolution_sdk.operations.operation import Operation
from evolution_sdk.operations.routes import message as ops

from .sent import AsyncSentApi


class AsyncMediaMessagesApi(AsyncSentApi):
    """Sending files; part of :class:`AsyncMessagesApi`."""

    __slots__ = ()

    async def send_media(
        self,
        number: str | PhoneNumber | Jid,
        media: MediaLike,
        *,
        caption: str | None = None,
        mediatype: Literal["image", "document", "video", "audio"] | None = None,
        file_name: str | None = None,
        mimetype: str | None = None,
        prefer: Literal["base64", "multipart"] | None = None,
        **options: Unpack[ComposeOptions],
    ) -> SentMessage:
        """Send an image, video, audio file or document.

        A URL is left to the server where it can reach it; small content goes as base64, large
        content as multipart. Multipart cannot carry ``delay_ms``, which is then waited for here.

        Args:
            number: The recipient.
            media: The file.
            caption: Text below it.
            mediatype: What to send it as. Default: by the file's type.
            file_name: What the recipient sees; its extension decides the type on Baileys.
            mimetype: The type, where name and content do not tell.
            prefer: Base64 or multipart, where both work.
            **options: Options of a message, see :class:`~evolution_sdk.ComposeOptions`.

        Returns:
            The accepted message.

        Raises:
            RequestValidationError: The file or a value breaks a rule; nothing was sent.
            RecipientNotFoundError: The number is not on WhatsApp; nothing was sent.
            PayloadTooLargeError: A proxy or the server takes no file of that size.
            SendOutcomeUnknownError: No answer tells whether it was sent, and it was not found.
        """
        plan = await plan_file(
            self._pipeline, ops.SEND_MEDIA, media, "media", file_name=file_name,
            mime_type=mimetype, delay_ms=options.get("delay_ms"), kind=mediatype, prefer=prefer,
            quotes_content=quotes_content(options),
        )  # fmt: skip
        values = {
            "number": number,
            "mediatype": plan.kind.value,
            "mimetype": plan.mime_type,
            "file_name": plan.file_name,
            "caption": caption,
            **compose_values(options),
        }
        return await self._send_file(ops.SEND_MEDIA, req.MediaRequest, plan, values, options)

    async def send_whatsapp_audio(
        self,
        number: str | PhoneNumber | Jid,
        audio: MediaLike,
        *,
        encoding: Literal[False] | None = None,
        prefer: Literal["base64", "multipart"] | None = None,
        **options: Unpack[ComposeOptions],
    ) -> SentMessage:
        """Send a voice note.

        Args:
            number: The recipient.
            audio: The recording; the server converts it to OGG/Opus.
            encoding: False to send it unconverted; default: convert.
            prefer: Base64 or multipart. Default: multipart, the only form that the EVOLUTION
                channel takes here; base64 with ``delay_ms``, which multipart cannot carry.
            **options: Options of a message, see :class:`~evolution_sdk.ComposeOptions`. Baileys
                quotes and mentions nothing here.

        Returns:
            The accepted message.

        Raises:
            RequestValidationError: The file or a value breaks a rule; nothing was sent.
            RecipientNotFoundError: The number is not on WhatsApp; nothing was sent.
            SendOutcomeUnknownError: No answer tells whether it was sent, and it was not found.
        """
        variants = ("unencoded",) if encoding is False else ()
        prefer = prefer or (None if options.get("delay_ms") else "multipart")
        operation = ops.SEND_WHATSAPP_AUDIO
        plan = await self._plan(
            operation, audio, "audio", options, prefer=prefer, variants=variants
        )
        values = {"number": number, "encoding": encoding, **compose_values(options)}
        return await self._send_file(operation, req.AudioRequest, plan, values, options)

    async def send_ptv(
        self,
        number: str | PhoneNumber | Jid,
        video: MediaLike,
        *,
        prefer: Literal["base64", "multipart"] | None = None,
        **options: Unpack[ComposeOptions],
    ) -> SentMessage:
        """Send a round video note (WHATSAPP-BAILEYS only).

        Args:
            number: The recipient.
            video: The video; a URL is fetched here, because 2.3.6 fails on URLs.
            prefer: Base64 or multipart.
            **options: Options of a message, see :class:`~evolution_sdk.ComposeOptions`.

        Returns:
            The accepted message.

        Raises:
            RequestValidationError: The file or a value breaks a rule; nothing was sent.
            ChannelNotSupportedError: The channel cannot do it.
            SendOutcomeUnknownError: No answer tells whether it was sent, and it was not found.
        """
        quotes = quotes_content(options)
        plan = await self._plan(
            ops.SEND_PTV, video, "video", options, prefer=prefer, quotes_content=quotes
        )
        values = {"number": number, **compose_values(options)}
        return await self._send_file(ops.SEND_PTV, req.PtvRequest, plan, values, options)

    async def send_sticker(
        self,
        number: str | PhoneNumber | Jid,
        sticker: MediaLike,
        *,
        not_convert_sticker: bool = False,
        **options: Unpack[ComposeOptions],
    ) -> SentMessage:
        """Send a sticker (WHATSAPP-BAILEYS only).

        Args:
            number: The recipient.
            sticker: The image; the server converts it to WebP.
            not_convert_sticker: Send it as it is.
            **options: Options of a message, see :class:`~evolution_sdk.ComposeOptions`.

        Returns:
            The accepted message.

        Raises:
            RequestValidationError: The file or a value breaks a rule; nothing was sent.
            ChannelNotSupportedError: The channel cannot do it.
            SendOutcomeUnknownError: No answer tells whether it was sent, and it was not found.
        """
        variants = ("unconverted",) if not_convert_sticker else ()
        operation = ops.SEND_STICKER
        plan = await self._plan(operation, sticker, "sticker", options, variants=variants)
        values = {
            "number": number,
            "not_convert_sticker": not_convert_sticker or None,
            **compose_values(options),
        }
        return await self._send_file(operation, req.StickerRequest, plan, values, options)

    async def send_status(
        self,
        content: MediaLike,
        *,
        type: Literal["text", "image", "audio", "video"] = "text",  # noqa: A002 - the server's name
        caption: str | None = None,
        background_color: str | None = None,
        font: int | None = None,
        status_jid_list: Sequence[str | Jid] | None = None,
        all_contacts: bool = False,
        **options: Unpack[SendOptions],
    ) -> SentMessage:
        """Publish a story (WHATSAPP-BAILEYS only).

        Args:
            content: The text; or a URL for an image or video (2.3.6 takes nothing else); or audio
                in any form.
            type: What it is.
            caption: Text below an image or video.
            background_color: Of a text, such as ``#008000``; mandatory there.
            font: Of a text, 1 to 5; mandatory there.
            status_jid_list: Who may see it, as full JIDs.
            all_contacts: Everyone among the stored contacts that have a name.
            **options: Options of one send, see :class:`~evolution_sdk.SendOptions`.

        Returns:
            The accepted story.

        Raises:
            RequestValidationError: A value breaks a rule; nothing was sent.
            ChannelNotSupportedError: The channel cannot do it.
            SendOutcomeUnknownError: No answer tells whether it was sent, and it was not found.
        """
        values: dict[str, Any] = {
            "type": type,
            "caption": caption,
            "background_color": background_color,
            "font": font,
            "status_jid_list": None
            if status_jid_list is None
            else tuple(str(jid) for jid in status_jid_list),
            "all_contacts": all_contacts or None,
        }
        if type == "text":
            request = req.StatusRequest.check(content=content, **values)
            return await self._send(ops.SEND_STATUS, request, options)
        # JSON only: the audience cannot be said next to a file part (a boolean,
        # `facts/semantics.md` §3).
        plan = await self._plan(
            ops.SEND_STATUS, content, "content", {}, kind=type, allow_multipart=False
        )
        return await self._send_file(ops.SEND_STATUS, req.StatusRequest, plan, values, options)

    async def _plan(
        self,
        operation: Operation[SentMessage],
        value: MediaLike,
        argument: str,
        options: ComposeOptions,
        **choices: Unpack[PlanChoices],
    ) -> MediaPlan:
        delay_ms = options.get("delay_ms")
        return await plan_file(
            self._pipeline, operation, value, argument, delay_ms=delay_ms, **choices
        )

    async def _send_file(
        self,
        operation: Operation[SentMessage],
        model: type[RequestModel],
        plan: MediaPlan,
        values: Mapping[str, Any],
        options: SendOptions,
    ) -> SentMessage:
        given = dict(values)
        if "delay" in given:
            given["delay"] = plan.server_delay_ms
        given[plan.field] = await as_text(plan)
        request = model.check(**given)
        if plan.client_delay_ms:
            await self._pipeline.ports.sleep_ms(plan.client_delay_ms)
        file = plan.content.part if isinstance(plan.content, Multipart) else None
        return await self._send(operation, request, options, file)

    async def _send(
        self,
        operation: Operation[SentMessage],
        request: RequestModel,
        options: SendOptions,
        file: FilePart | None = None,
    ) -> SentMessage:
        composed = request if isinstance(request, req.SendRequest) else None
        body = request.body()
        sent = await self._pipeline.call(
            operation,
            self._target,
            body if file is None else as_form(body),
            file=file,
            # A delay that the body carries is one for which the server holds its answer.
            hold_ms=0 if composed is None else composed.delay or 0,
            options=options,
            known_options=SEND_KEYS if composed is None else COMPOSE_KEYS,
        )
        return sent.followed_by(self, self._pipeline.event_bus.mark())
