"""Messages: sending them, looking for sent ones, and waiting for what becomes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack

from evolution_sdk._async.bound_sent import AsyncSentMessage, sent_with
from evolution_sdk._async.fetching import as_text, plan_file
from evolution_sdk._async.pipeline import Pipeline, message_id_of
from evolution_sdk._base.lazy import LazyModule
from evolution_sdk._client.compose import (
    COMPOSE_KEYS,
    ComposeOptions,
    MediaLike,
    PlanChoices,
    compose_values,
    quotes_content,
)
from evolution_sdk._client.composed import Composed
from evolution_sdk._client.options import SEND_KEYS, SendOptions, check_options
from evolution_sdk._client.references import KeyLike, key_of, quoted_of
from evolution_sdk.errors import RequestValidationError
from evolution_sdk.identity import Jid, PhoneNumber
from evolution_sdk.media import Media
from evolution_sdk.media._plan import MediaPlan, Multipart
from evolution_sdk.models.base import RequestModel
from evolution_sdk.models.message import Message, MessageStatus, SentMessage
from evolution_sdk.models.requests_text import SendRequest, TextRequest
from evolution_sdk.models.sent_search import SentSearch
from evolution_sdk.operations.build import as_form
from evolution_sdk.operations.operation import Operation
from evolution_sdk.operations.routes import message as ops
from evolution_sdk.operations.target import Target
from evolution_sdk.reconcile.message_ids import checked_message_id

from .base import AsyncResourceApi

if TYPE_CHECKING:
    from evolution_sdk._async._seam import Later
    from evolution_sdk._async.bound import AsyncMessagesUpdate, AsyncMessagesUpsert
    from evolution_sdk._async.message_tracker import MessageTracker
    from evolution_sdk.events import MessagesUpdate, MessagesUpsert
    from evolution_sdk.models import requests_message as req
else:
    # Most programs send texts.
    req = LazyModule("evolution_sdk.models.requests_message")


class AsyncMessagesApi(AsyncResourceApi):
    """Sending messages, and what becomes of them.

    Every send returns once the message was handed to WhatsApp; that is not delivery. A send is
    tried again only when it surely never happened; when no answer tells, it is looked for in the
    server's store (``on_unknown``).

    Every send raises:

    - ``RequestValidationError``: a value breaks a rule. ``RecipientNotFoundError``: the number is
      not on WhatsApp. ``InstanceNotConnectedError``: the instance has no working session.
      ``ChannelNotSupportedError``: the channel cannot do it. ``MetaAPIError``: Meta refused it
      (WHATSAPP-BUSINESS). ``AuthenticationError``, ``InstanceNotFoundError``, ``RateLimitError``,
      ``SendLimitError``, ``NewContactsPausedError``, ``BulkheadFullError``, ``CircuitOpenError``,
      ``ConnectionFailedError``. Of all these nothing was sent.
    - ``SendOutcomeUnknownError``: no answer tells whether it was sent, and it was not found; also
      where the server's words for a dead session leave that open.
    """

    __slots__ = ("_bind", "_bind_update", "_out")

    def __init__(
        self,
        pipeline: Pipeline,
        target: Target,
        bind: Callable[[MessagesUpsert], AsyncMessagesUpsert],
        bind_update: Callable[[MessagesUpdate], AsyncMessagesUpdate],
        out: Callable[[Composed], Later[Any]] | None = None,
    ) -> None:
        super().__init__(pipeline, target)
        self._bind = bind
        self._bind_update = bind_update
        # Who gets what was composed, in place of the server.
        self._out = out

    @property
    def _tracker(self) -> MessageTracker:
        # Loaded here, because who follows nothing should not pay for it, nor for events.
        from evolution_sdk._async.message_tracker import MessageTracker

        return MessageTracker(self._pipeline, self._target, self._bind, self._bind_update)

    async def send_text(
        self,
        number: str | PhoneNumber | Jid,
        text: str,
        *,
        link_preview: bool | None = None,
        **options: Unpack[ComposeOptions],
    ) -> AsyncSentMessage:
        """Send a text.

        Args:
            number: The recipient: digits with country code, or a JID; sent as given.
            text: The text, not blank.
            link_preview: Show a preview of the first link; default: yes on Baileys, no on
                Business.
            **options: Options of a message, see :class:`~evolution_sdk.ComposeOptions`.

        Returns:
            The accepted message; ``remote_jid`` may differ from the number given.

        Raises:
            RequestValidationError: A value breaks a rule; nothing was sent.
            EvolutionError: As every send; the class lists the errors.
        """
        request = TextRequest.check(
            number=number, text=text, link_preview=link_preview, **compose_values(options)
        )
        return await self._send(ops.SEND_TEXT, request, options)

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
        gif_playback: bool | None = None,
        gif_attribution: Literal[0, 1, 2] | None = None,
        **options: Unpack[ComposeOptions],
    ) -> AsyncSentMessage:
        """Send an image, video, audio file or document.

        A URL is left to the server where it can reach it; small content goes as base64, large
        content as multipart. Multipart cannot carry ``delay_ms``, which is then waited for here.

        Args:
            number: The recipient.
            media: The file.
            caption: Text below it.
            mediatype: The form in which to send it. Default: by the file's type.
            file_name: The name that the recipient sees; its extension decides the type on Baileys.
            mimetype: The type, where name and content do not tell.
            prefer: Base64 or multipart, where both work.
            gif_playback: True to play a video without sound, again and again (server 2.4.0; earlier
                ones ignore it).
            gif_attribution: Where it is from: 0 nowhere, 1 Giphy, 2 Tenor (server 2.4.0).
            **options: Options of a message, see :class:`~evolution_sdk.ComposeOptions`.

        Returns:
            The accepted message.

        Raises:
            RequestValidationError: The file or a value breaks a rule; nothing was sent.
            PayloadTooLargeError: A proxy or the server takes no file of that size.
            EvolutionError: As every send; the class lists the errors.
        """
        plan = await plan_file(
            self._pipeline,
            ops.SEND_MEDIA,
            media,
            "media",
            file_name=file_name,
            mime_type=mimetype,
            delay_ms=options.get("delay_ms"),
            kind=mediatype,
            prefer=prefer,
            quotes_content=quotes_content(options),
        )
        values = {
            "number": number,
            "mediatype": plan.kind.value,
            "mimetype": plan.mime_type,
            "file_name": plan.file_name,
            "caption": caption,
            "gif_playback": gif_playback,
            "gif_attribution": gif_attribution,
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
    ) -> AsyncSentMessage:
        """Send a voice note.

        Args:
            number: The recipient.
            audio: The recording; the server converts it to OGG/Opus.
            encoding: False to send it unconverted; default: convert.
            prefer: Base64 or multipart. Default: multipart, the only form that the EVOLUTION
                channel takes here; base64 with ``delay_ms``, which multipart cannot carry.
            **options: Options of a message, see :class:`~evolution_sdk.ComposeOptions`. Baileys
                mentions nobody here, and quotes from server 2.4 on.

        Returns:
            The accepted message.

        Raises:
            RequestValidationError: The file or a value breaks a rule; nothing was sent.
            EvolutionError: As every send; the class lists the errors.
        """
        variants = ("unencoded",) if encoding is False else ()
        # The EVOLUTION channel takes nothing but multipart here, which cannot carry a delay.
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
    ) -> AsyncSentMessage:
        """Send a round video note (WHATSAPP-BAILEYS only).

        Args:
            number: The recipient.
            video: The video. A URL only if this client fetches it, because 2.3.6 fails on URLs:
                with ``Media.from_url(…, fetch="local")``, or if its host is in
                ``EVOLUTION_MEDIA_FETCH_HOSTS``.
            prefer: Base64 or multipart.
            **options: Options of a message, see :class:`~evolution_sdk.ComposeOptions`.

        Returns:
            The accepted message.

        Raises:
            RequestValidationError: The file or a value breaks a rule; nothing was sent.
            EvolutionError: As every send; the class lists the errors.
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
    ) -> AsyncSentMessage:
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
            EvolutionError: As every send; the class lists the errors.
        """
        # The media plan has a rule of its own for stickers that the server does not convert.
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
    ) -> AsyncSentMessage:
        """Publish a story (WHATSAPP-BAILEYS only).

        Args:
            content: The text; or a URL for an image or video (2.3.6 takes nothing else); or audio
                in any form.
            type: The kind of story.
            caption: Text below an image or video.
            background_color: Of a text, such as ``#008000``; mandatory there.
            font: Of a text, 1 to 5; mandatory there.
            status_jid_list: Full JIDs of those who may see it.
            all_contacts: Everyone among the stored contacts that have a name.
            **options: Options of one send, see :class:`~evolution_sdk.SendOptions`.

        Returns:
            The accepted story.

        Raises:
            RequestValidationError: A value breaks a rule; nothing was sent.
            EvolutionError: As every send; the class lists the errors.
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
        # A text is content itself; everything else is a file, or the address of one.
        if type == "text":
            request = req.StatusRequest.check(content=content, **values)
            return await self._send(ops.SEND_STATUS, request, options)
        # JSON only: the audience cannot be said next to a file part (a boolean,
        # `facts/semantics.md` §3).
        plan = await self._plan(
            ops.SEND_STATUS, content, "content", {}, kind=type, allow_multipart=False
        )
        return await self._send_file(ops.SEND_STATUS, req.StatusRequest, plan, values, options)

    async def send_location(
        self,
        number: str | PhoneNumber | Jid,
        latitude: float,
        longitude: float,
        *,
        name: str,
        address: str,
        **options: Unpack[ComposeOptions],
    ) -> AsyncSentMessage:
        """Send a place.

        Args:
            number: The recipient.
            latitude: In degrees, -90 to 90.
            longitude: In degrees, -180 to 180.
            name: Its name; the server demands one.
            address: Its address; the server demands one.
            **options: Options of a message, see :class:`~evolution_sdk.ComposeOptions`.

        Returns:
            The accepted message.

        Raises:
            RequestValidationError: A value breaks a rule; nothing was sent.
            ChannelNotSupportedError: The EVOLUTION channel cannot do it.
            EvolutionError: As every send; the class lists the errors.
        """
        request = req.LocationRequest.check(
            number=number,
            latitude=latitude,
            longitude=longitude,
            name=name,
            address=address,
            **compose_values(options),
        )
        return await self._send(ops.SEND_LOCATION, request, options)

    async def send_contact(
        self,
        number: str | PhoneNumber | Jid,
        contacts: req.ContactCard | Sequence[req.ContactCard],
        **options: Unpack[SendOptions],
    ) -> AsyncSentMessage:
        """Send one or more contacts.

        Args:
            number: The recipient.
            contacts: The contacts.
            **options: Options of one send, see :class:`~evolution_sdk.SendOptions`.

        Returns:
            The accepted message.

        Raises:
            RequestValidationError: A value breaks a rule; nothing was sent.
            ChannelNotSupportedError: The EVOLUTION channel cannot do it.
            EvolutionError: As every send; the class lists the errors.
        """
        cards = (contacts,) if isinstance(contacts, req.ContactCard) else tuple(contacts)
        request = req.ContactRequest.check(number=number, contact=cards)
        return await self._send(ops.SEND_CONTACT, request, options)

    async def send_reaction(
        self, message: KeyLike, reaction: str, **options: Unpack[SendOptions]
    ) -> AsyncSentMessage:
        """React to a message, or take the reaction back.

        Args:
            message: The message or its key; in groups with its participant.
            reaction: Exactly one emoji, or ``""`` to remove.
            **options: Options of one send, see :class:`~evolution_sdk.SendOptions`.

        Returns:
            The accepted reaction.

        Raises:
            RequestValidationError: Not one emoji, or an incomplete key; nothing was sent.
            ChannelNotSupportedError: The EVOLUTION channel cannot do it.
            EvolutionError: As every send; the class lists the errors.
        """
        request = req.ReactionRequest.check(key=key_of(message), reaction=reaction)
        return await self._send(ops.SEND_REACTION, request, options)

    async def send_poll(
        self,
        number: str | PhoneNumber | Jid,
        name: str,
        values: Sequence[str],
        *,
        selectable_count: int = 1,
        **options: Unpack[ComposeOptions],
    ) -> AsyncSentMessage:
        """Send a poll. On 2.3.6 no event tells the votes (`facts/semantics.md` §6).

        Args:
            number: The recipient.
            name: The question.
            values: 2 to 10 different choices.
            selectable_count: How many may be chosen, 0 to 10; 0 means any number.
            **options: Options of a message, see :class:`~evolution_sdk.ComposeOptions`.

        Returns:
            The accepted message.

        Raises:
            RequestValidationError: A value breaks a rule; nothing was sent.
            ChannelNotSupportedError: Only WHATSAPP-BAILEYS can do it.
            EvolutionError: As every send; the class lists the errors.
        """
        request = req.PollRequest.check(
            number=number,
            name=name,
            values=tuple(values),
            selectable_count=selectable_count,
            **compose_values(options),
        )
        return await self._send(ops.SEND_POLL, request, options)

    async def send_list(
        self,
        number: str | PhoneNumber | Jid,
        *,
        title: str,
        button_text: str,
        footer_text: str,
        sections: Sequence[req.ListSection],
        description: str | None = None,
        **options: Unpack[ComposeOptions],
    ) -> AsyncSentMessage:
        """Send a list of choices. WhatsApp often does not show lists from Baileys.

        Args:
            number: The recipient.
            title: Its title.
            button_text: Text of the button that opens it.
            footer_text: Small text below; the server demands it.
            sections: Groups of rows, with different titles. On WHATSAPP-BUSINESS every row needs
                a description.
            description: Text above the button.
            **options: Options of a message, see :class:`~evolution_sdk.ComposeOptions`.

        Returns:
            The accepted message.

        Raises:
            RequestValidationError: A value breaks a rule; nothing was sent.
            ChannelNotSupportedError: The EVOLUTION channel cannot do it.
            EvolutionError: As every send; the class lists the errors.
        """
        request = req.ListRequest.check(
            number=number,
            title=title,
            description=description,
            button_text=button_text,
            footer_text=footer_text,
            sections=tuple(sections),
            **compose_values(options),
        )
        return await self._send(ops.SEND_LIST, request, options)

    async def send_buttons(
        self,
        number: str | PhoneNumber | Jid,
        *,
        title: str,
        buttons: Sequence[req.Button],
        description: str | None = None,
        footer: str | None = None,
        thumbnail_url: MediaLike | None = None,
        **options: Unpack[ComposeOptions],
    ) -> AsyncSentMessage:
        """Send buttons. WhatsApp often does not show buttons from Baileys.

        Args:
            number: The recipient.
            title: Its title.
            buttons: At most 3 of type ``reply`` and no others with them; or one ``pix`` alone; or
                ``url``, ``copy`` and ``call`` mixed.
            description: Text below the title.
            footer: Small text below.
            thumbnail_url: An image above; a URL is left to the server.
            **options: Options of a message, see :class:`~evolution_sdk.ComposeOptions`.

        Returns:
            The accepted message.

        Raises:
            RequestValidationError: A value breaks a rule; nothing was sent.
            EvolutionError: As every send; the class lists the errors.
        """
        image: str | None = None
        plan: MediaPlan | None = None
        if thumbnail_url is not None:
            plan = await self._plan(ops.SEND_BUTTONS, thumbnail_url, "thumbnail_url", options)
            image = await as_text(plan)
        request = req.ButtonsRequest.check(
            number=number,
            title=title,
            description=description,
            footer=footer,
            thumbnail_url=image,
            buttons=tuple(buttons),
            **compose_values(options),
        )
        return await self._send(ops.SEND_BUTTONS, request, options, plan)

    async def shows_buttons(self) -> bool:
        """Tell if the server sends buttons and lists in the form that phones show.

        From 2.4 on it does (`facts/versions/versions.md` "sendButtons baileys"). The version is
        asked where it is not known. On WHATSAPP-BUSINESS they are always shown, whatever this says.

        Returns:
            True for server 2.4 and later; False for earlier ones and where the version cannot be
            read.
        """
        profile = await self._pipeline.probe.certain(self._target)
        return profile is not None and profile.has("bare_buttons")

    async def send_carousel(
        self,
        number: str | PhoneNumber | Jid,
        *,
        body: str,
        cards: Sequence[req.CarouselCard],
        **options: Unpack[ComposeOptions],
    ) -> AsyncSentMessage:
        """Send cards to leaf through (server 2.4, WHATSAPP-BAILEYS only).

        Args:
            number: The recipient.
            body: Text above the cards. The server drops it where there is one card without a
                picture.
            cards: One to ten, each with a text and one to three buttons of type ``reply``,
                ``copy``, ``url`` or ``call``; a picture by its URL.
            **options: Options of a message, see :class:`~evolution_sdk.ComposeOptions`.

        Returns:
            The accepted message.

        Raises:
            RequestValidationError: A value breaks a rule; nothing was sent.
            UnsupportedByServerError: The server is older than 2.4; nothing was sent.
            ChannelNotSupportedError: The instance is not WHATSAPP-BAILEYS.
            EvolutionError: As every send; the class lists the errors.
        """
        request = req.CarouselRequest.check(
            number=number, text=body, cards=tuple(cards), **compose_values(options)
        )
        return await self._send(ops.SEND_CAROUSEL, request, options)

    async def send_template(
        self,
        number: str | PhoneNumber | Jid,
        name: str,
        *,
        language: str,
        components: Sequence[Mapping[str, Any]] | None = None,
        webhook_url: str | None = None,
        quoted: KeyLike | str | None = None,
        **options: Unpack[SendOptions],
    ) -> AsyncSentMessage:
        """Send a template of Meta's (WHATSAPP-BUSINESS only).

        Args:
            number: The recipient.
            name: The template's name.
            language: Its language, such as ``pt_BR``.
            components: Meta's template components.
            webhook_url: Address to which the server posts later status changes of this message.
            quoted: The message to answer.
            **options: Options of one send, see :class:`~evolution_sdk.SendOptions`.

        Returns:
            The accepted message.

        Raises:
            MetaAPIError: Meta refused it; nothing was sent.
            ChannelNotSupportedError: The instance is not WHATSAPP-BUSINESS.
            EvolutionError: As every send; the class lists the errors.
        """
        request = req.TemplateRequest.check(
            number=number,
            name=name,
            language=language,
            components=None if components is None else tuple(components),
            webhook_url=webhook_url,
            quoted=quoted_of(quoted),
        )
        return await self._send(ops.SEND_TEMPLATE, request, options)

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
        message_id: str | None = None,
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
            since: The time since when: aware, not in the future, by the clock of this computer; or
                a message that was sent before, whose time is the server's own. While no answered
                send of this client has told the server's clock, a time proves less: an equal
                message of up to 15 hours before it makes the answer ``unknown``.
            caption: Text below the file.
            mediatype: The form in which the file was sent. Default: by its type.
            file_name: The name that the recipient sees.
            known_ids: Ids of messages that belong to other sends, such as those written down.
            message_id: The id that the send was given (``message_id=``, or the error's
                ``message_id``): from 2.4 on the message is found by it, whatever the time.

        Returns:
            ``found`` with the messages, ``absent``, or ``unknown`` with the reason.

        Raises:
            RequestValidationError: A value breaks a rule, such as a ``since`` without time zone.
            EvolutionError: The server could not be asked.
        """
        # Loaded here: most clients never ask.
        from evolution_sdk._async.find_sent import find_sent, wanted_send

        # A text is a sequence of texts, too: each of its letters would count as an id.
        if isinstance(known_ids, str):
            raise RequestValidationError("known_ids", "must be a list of ids, not one text")
        operation, body = await wanted_send(number, content, caption, mediatype, file_name)
        if message_id is not None:
            message_id = checked_message_id(message_id)
        return await find_sent(
            self._pipeline, self._target, operation, body, since, known_ids, message_id
        )

    async def wait_until(
        self,
        sent: Message,
        status: str | MessageStatus = MessageStatus.DELIVERY_ACK,
        *,
        timeout_ms: float = 60_000,
    ) -> MessageStatus:
        """Wait until a message got that far: 201 only means handed to WhatsApp.

        By events where they come in (``client.feed``, a receiver or stream with this client), else
        by asking the server's store, which needs ``DATABASE_SAVE_MESSAGE_UPDATE=true`` there. The
        EVOLUTION channel has no statuses. Statuses only go forward: READ is further than
        DELIVERY_ACK and settles a wait for it. Only what is told of the message's own chat and
        instance counts, whatever others do with its id.

        Args:
            sent: The message.
            status: How far: ``SERVER_ACK``, ``DELIVERY_ACK``, ``READ``, ``PLAYED``, or the words of
                the Business channel (``SENT``, ``DELIVERED``, ``READ``).
            timeout_ms: Longest wait, in milliseconds.

        Returns:
            The furthest status known, at least the one wanted.

        Raises:
            WaitTimeoutError: It did not get that far in time; the error has the last status seen.
            DeliveryRefusedError: WhatsApp refused it: code, meaning and advice as far as told.
            RequestValidationError: The message has no id, or no message comes up to that status.
        """
        return await self._tracker.wait_until(sent, status, timeout_ms)

    async def wait_for_reply(
        self,
        sent: Message,
        *,
        timeout_ms: float = 300_000,
        sender: str | Jid | None = None,
        quoted: bool = False,
        where: Callable[[MessagesUpsert], bool] | None = None,
        consume: bool = False,
    ) -> AsyncMessagesUpsert:
        """Wait until somebody answers: the next message of others in the same chat.

        By events where they come in, also those that came since the send was over, else by asking
        the server's store, which needs ``DATABASE_SAVE_DATA_NEW_MESSAGE=true`` there. Edits and
        deletions are no answers, nor are votes in other polls; a vote in a poll that was sent is.
        One process waits for its own events: where several consumers share the work, the answer
        may go to another one.

        Args:
            sent: The message.
            timeout_ms: Longest wait, in milliseconds.
            sender: Only answers of this person; useful in groups.
            quoted: True for only those answers that quote the message.
            where: A further condition, such as ``lambda event: event.text == "1"``.
            consume: True to keep the answer from the handlers of receivers and streams with this
                client: it counts as handled there. A wait that ends without it consumes nothing. An
                answer that came before the wait began may have been handled already.

        Returns:
            The answer, with the client attached (``reply.reply_text(…)``).

        Raises:
            WaitTimeoutError: No answer came in time.
            RequestValidationError: The message has no id.
        """
        return await self._tracker.wait_for_reply(
            sent, timeout_ms, sender=sender, quoted=quoted, where=where, consume=consume
        )

    async def wait_for_vote(
        self,
        sent: Message,
        *,
        timeout_ms: float = 300_000,
        voter: str | Jid | None = None,
        option: str | None = None,
        consume: bool = False,
    ) -> AsyncMessagesUpsert | AsyncMessagesUpdate:
        """Wait until somebody votes in a poll: ``event.poll_vote.options`` are the choices.

        By events as ``wait_for_reply``. Since server 2.3.7 a vote is a ``MessagesUpsert``; 2.2.3
        tells the poll's tally in a ``MessagesUpdate``, without saying whose vote is new, and is
        waited for by events alone (`facts/versions/baileys.md` "poll vote, poll known"). 2.3.6
        tells no votes. A vote that was taken back, or could not be read, is none.

        Args:
            sent: The poll.
            timeout_ms: Longest wait, in milliseconds.
            voter: Only votes of this person.
            option: Only votes with this choice among theirs.
            consume: True to keep the vote from handlers, as of ``wait_for_reply``.

        Returns:
            The event, with the client attached.

        Raises:
            WaitTimeoutError: No such vote came in time.
            RequestValidationError: The message has no id.
        """
        return await self._tracker.wait_for_vote(
            sent, timeout_ms, voter=voter, option=option, consume=consume
        )

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
    ) -> AsyncSentMessage:
        given = dict(values)
        # A form cannot carry the delay: then the plan has it waited for here, before the send.
        if "delay" in given:
            given["delay"] = plan.server_delay_ms
        given[plan.field] = await as_text(plan)
        return await self._send(operation, model.check(**given), options, plan)

    async def _send(
        self,
        operation: Operation[SentMessage],
        request: RequestModel,
        options: SendOptions,
        plan: MediaPlan | None = None,
    ) -> AsyncSentMessage:
        # Contacts, reactions, stories and templates take neither a delay nor mentions.
        timed = request if isinstance(request, SendRequest) else None
        content = None if plan is None else plan.content
        file = content.part if isinstance(content, Multipart) else None
        body = request.body()
        composed = Composed(
            operation,
            body if file is None else as_form(body),
            file,
            # A delay that the body carries is one for which the server holds its answer.
            hold_ms=0 if timed is None else timed.delay or 0,
            client_delay_ms=0 if plan is None else plan.client_delay_ms,
            options=options,
            known_options=SEND_KEYS if timed is None else COMPOSE_KEYS,
            plan=plan,
        )
        if self._out is None:
            return await self._call_with(composed)
        # The call would refuse these; here they are refused before anything is taken over.
        check_options(options, composed.known_options, operation.name)
        message_id_of(options, operation)
        taken: AsyncSentMessage = await self._out(composed)
        return taken

    async def _call_with(self, composed: Composed) -> AsyncSentMessage:
        # After the checks, so that a wrong value is told at once.
        if composed.client_delay_ms:
            await self._pipeline.ports.sleep_ms(composed.client_delay_ms)
        sent = await self._pipeline.call(
            composed.operation,
            self._target,
            composed.body,
            file=composed.file,
            hold_ms=composed.hold_ms,
            options=composed.options,
            known_options=composed.known_options,
        )
        # Messages from here on may be replies, also those that come before anybody waits.
        return sent_with(self, self._pipeline.event_bus.cursor(), sent)
