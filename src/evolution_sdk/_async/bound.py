"""Messages and events with an async client attached: what they can do is typed to the end.

A sent message is waited for and gives an event; an event is answered and gives a sent message. The
two belong together, and know their client only by the two protocols below.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, Unpack, cast

from evolution_sdk._base.pending_calls import tracked_class
from evolution_sdk._client.fallbacks import (
    buttons_as_poll,
    buttons_as_text,
    list_as_poll,
    list_as_text,
)
from evolution_sdk.events import (
    Event,
    EventMessage,
    MessageEvent,
    MessagesDelete,
    MessagesEdited,
    MessagesUpdate,
    MessagesUpsert,
    SendMessage,
    SendMessageUpdate,
)
from evolution_sdk.events._base import D_co
from evolution_sdk.events.message import MessageStatusChange, ProtocolNotice

from ._seam import HandlerColour
from .bound_sent import AsyncSentMessage, Waits, cursor_of, sent_with
from .presence import DEFAULT_RENEW_MS

if TYPE_CHECKING:
    from evolution_sdk._client.compose import ComposeOptions, MediaLike
    from evolution_sdk._client.fallbacks import Fallback
    from evolution_sdk._client.options import CallOptions, SendOptions
    from evolution_sdk.identity import Jid, PhoneNumber
    from evolution_sdk.media.saving import SavedMedia
    from evolution_sdk.models.chat import PlayedAck, ReadAck
    from evolution_sdk.models.message import ProtocolMessage
    from evolution_sdk.models.requests_message import (
        Button,
        CarouselCard,
        ContactCard,
        ListSection,
    )

    from .presence import AsyncPresence
    from .sends import Sends

__all__ = [
    "Actions",
    "AsyncBoundEvent",
    "AsyncContentEvent",
    "AsyncMessageEvent",
    "AsyncMessagesDelete",
    "AsyncMessagesEdited",
    "AsyncMessagesUpdate",
    "AsyncMessagesUpsert",
    "AsyncSendMessage",
    "AsyncSendMessageUpdate",
    "AsyncSentMessage",
    "Waits",
    "bound",
    "cursor_of",
    "sent_with",
]

DEFAULT_MAX_BYTES = 100 * 1024 * 1024
"""Room for a file in base64 under the server's own JSON limit of 136 MB."""


class ReplyTarget(NamedTuple):
    """All that an answer needs besides its content.

    Attributes:
        messages: Sends it.
        number: The recipient.
        options: The caller's options, with the quotation.
    """

    messages: Sends[AsyncSentMessage]
    number: str
    options: ComposeOptions


class Actions(Protocol):
    """The actions on the message of one event, as the event needs them."""

    def reply_target(self, *, quote: bool, options: ComposeOptions) -> ReplyTarget:
        """Return the recipient and the options of an answer of any kind."""
        ...

    async def forward(
        self,
        number: str | PhoneNumber | Jid,
        *,
        by: Literal["content", "url"],
        max_bytes: int,
        options: SendOptions,
    ) -> AsyncSentMessage:
        """Send the content of the message to somebody else."""
        ...

    async def edit(self, text: str, options: CallOptions) -> ProtocolMessage:
        """Change the text of an own message."""
        ...

    async def delete(self, options: CallOptions) -> ProtocolMessage:
        """Delete the message for everyone."""
        ...

    async def mark_played(self, options: CallOptions) -> PlayedAck | None:
        """Mark the message as played."""
        ...

    def presence(self, presence: Literal["composing", "recording"], renew_ms: int) -> AsyncPresence:
        """Show a presence in the chat of the message."""
        ...

    async def reply_text(
        self,
        text: str,
        *,
        quote: bool,
        link_preview: bool | None,
        **options: Unpack[ComposeOptions],
    ) -> AsyncSentMessage:
        """Answer with a text."""
        ...

    async def reply_media(
        self,
        media: MediaLike,
        *,
        quote: bool,
        caption: str | None,
        mediatype: Literal["image", "document", "video", "audio"] | None,
        file_name: str | None,
        mimetype: str | None,
        prefer: Literal["base64", "multipart"] | None,
        gif_playback: bool | None,
        gif_attribution: Literal[0, 1, 2] | None,
        **options: Unpack[ComposeOptions],
    ) -> AsyncSentMessage:
        """Answer with a file."""
        ...

    async def react(self, emoji: str, **options: Unpack[SendOptions]) -> AsyncSentMessage:
        """React to the message."""
        ...

    async def mark_read(self, **options: Unpack[CallOptions]) -> ReadAck | None:
        """Mark the message as read."""
        ...

    async def download_media(
        self,
        *,
        max_bytes: int,
        use_url: bool,
        use_server: bool,
        use_whatsapp: bool,
        **options: Unpack[CallOptions],
    ) -> bytes:
        """Get the file of the message."""
        ...

    async def download_to(
        self,
        path: str | PathLike[str],
        *,
        max_bytes: int,
        use_url: bool,
        use_server: bool,
        use_whatsapp: bool,
        **options: Unpack[CallOptions],
    ) -> SavedMedia:
        """Save the file of the message."""
        ...


@tracked_class
class AsyncBoundEvent(HandlerColour, Event[D_co]):
    """An event about a message, with an async client attached: it can be answered.

    Args:
        event: The event without a client.
        actions: The actions on its message.
    """

    __slots__ = ("_actions",)

    _actions: Actions

    def __init__(self, event: Event, actions: Actions) -> None:
        super().__init__(
            event._raw,
            event._data,
            event=event.event,
            instance=event.instance,
            source=event.source,
            received_at=event.received_at,
        )
        # The views of the data that were made already need not be made again.
        object.__setattr__(self, "_memo", event._memo)
        object.__setattr__(self, "_actions", actions)

    @property
    def is_bound(self) -> bool:
        """Tell whether a client is attached."""
        return True

    @classmethod
    def plain(cls) -> type[Event]:
        """Return the class of the same event without a client."""
        # The first base that knows no client: MessagesUpsert of AsyncMessagesUpsert.
        bases = cast("tuple[type[Event], ...]", cls.__mro__)
        return next(base for base in bases if not issubclass(base, HandlerColour))

    async def reply_text(
        self,
        text: str,
        *,
        quote: bool = True,
        link_preview: bool | None = None,
        **options: Unpack[ComposeOptions],
    ) -> AsyncSentMessage:
        """Answer in the same chat; a story is answered to whoever posted it.

        A person known by both a ``@lid`` and a phone number is answered by phone number.

        Args:
            text: The text, not blank.
            quote: False to answer without quoting the message.
            link_preview: Show a preview of the first link. Default: as ``messages.send_text``.
            **options: Options of a message, see :class:`~evolution_sdk.ComposeOptions`.

        Returns:
            The accepted message.

        Raises:
            RequestValidationError: The event does not say where to answer, or a value breaks a
                rule; nothing was sent.
            SendOutcomeUnknownError: No answer tells whether it was sent, and it was not found.
            EvolutionError: Whatever ``messages.send_text`` raises.
        """
        return await self._actions.reply_text(
            text, quote=quote, link_preview=link_preview, **options
        )

    async def reply_media(
        self,
        media: MediaLike,
        *,
        quote: bool = True,
        caption: str | None = None,
        mediatype: Literal["image", "document", "video", "audio"] | None = None,
        file_name: str | None = None,
        mimetype: str | None = None,
        prefer: Literal["base64", "multipart"] | None = None,
        gif_playback: bool | None = None,
        gif_attribution: Literal[0, 1, 2] | None = None,
        **options: Unpack[ComposeOptions],
    ) -> AsyncSentMessage:
        """Answer with a file, in the same chat as ``reply_text`` would.

        Args:
            media: The file.
            quote: False to answer without quoting the message.
            caption: Text below the file.
            mediatype: The form in which to send it. Default: by the file's type.
            file_name: The name that the recipient sees.
            mimetype: The type, where name and content do not tell.
            prefer: Base64 or multipart, where both work.
            gif_playback: True to play a video without sound, again and again (server 2.4.0).
            gif_attribution: Where it is from: 0 nowhere, 1 Giphy, 2 Tenor (server 2.4.0).
            **options: Options of a message, see :class:`~evolution_sdk.ComposeOptions`.

        Returns:
            The accepted message.

        Raises:
            RequestValidationError: The event does not say where to answer, or the file breaks a
                rule; nothing was sent.
            SendOutcomeUnknownError: No answer tells whether it was sent, and it was not found.
            EvolutionError: Whatever ``messages.send_media`` raises.
        """
        return await self._actions.reply_media(
            media,
            quote=quote,
            caption=caption,
            mediatype=mediatype,
            file_name=file_name,
            mimetype=mimetype,
            prefer=prefer,
            gif_playback=gif_playback,
            gif_attribution=gif_attribution,
            **options,
        )

    async def react(self, emoji: str, **options: Unpack[SendOptions]) -> AsyncSentMessage:
        """React to the message, or take the reaction back.

        Args:
            emoji: Exactly one emoji, or ``""`` to remove.
            **options: Options of one send, see :class:`~evolution_sdk.SendOptions`.

        Returns:
            The accepted reaction.

        Raises:
            RequestValidationError: Not one emoji, or the event names no message.
            SendOutcomeUnknownError: No answer tells whether it was sent, and it was not found.
            EvolutionError: Whatever ``messages.send_reaction`` raises.
        """
        return await self._actions.react(emoji, **options)

    async def mark_read(self, **options: Unpack[CallOptions]) -> ReadAck | None:
        """Mark the message as read.

        The server needs a participant to do so for a story and drops it, so that stories are left
        alone; it skips ``@lid`` chats silently.

        Args:
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The server's acknowledgement; None for an own message or a story, for which nothing was
            asked.

        Raises:
            RequestValidationError: The event names no message.
            InstanceNotConnectedError: The connection is dead.
            EvolutionError: Whatever ``chats.mark_message_as_read`` raises.
        """
        return await self._actions.mark_read(**options)

    async def download_media(
        self,
        *,
        max_bytes: int = DEFAULT_MAX_BYTES,
        use_url: bool = True,
        use_server: bool = True,
        use_whatsapp: bool = True,
        **options: Unpack[CallOptions],
    ) -> bytes:
        """Get the file of the message.

        From the event itself where the webhook embeds files; else from its public address
        (``mediaUrl``, with S3); else from the server, which must have stored the message; else
        WhatsApp's encrypted copy is fetched and decrypted here (extra ``media``), and accepted only
        if its authentication code and hashes are those of the message. A file of the first two
        that has not the size its sender announced is taken only where no other source is better.

        Args:
            max_bytes: Largest file accepted, in bytes; no more are read.
            use_url: False to leave the public address alone, as you should where events are not
                verified: the event names it. An address inside a network is only asked where
                ``EVOLUTION_MEDIA_FETCH_HOSTS`` names its host (such as the MinIO of your server).
            use_server: False not to ask the server.
            use_whatsapp: False not to fetch WhatsApp's encrypted copy. Only ``*.whatsapp.net`` is
                asked for it, over TLS.
            **options: Options of the call that asks the server.

        Returns:
            The file's bytes.

        Raises:
            RequestValidationError: The message has no file, or it is larger than allowed.
            BadRequestError: The server has not stored it, or WhatsApp no longer has it.
            ConfigurationError: The server was not to be asked, and the extra ``media`` is not
                installed.
            EvolutionError: Whatever ``chats.get_base64_from_media_message`` raises. If WhatsApp's
                copy failed, too, a note of the error says why.
        """
        return await self._actions.download_media(
            max_bytes=max_bytes,
            use_url=use_url,
            use_server=use_server,
            use_whatsapp=use_whatsapp,
            **options,
        )

    async def download_to(
        self,
        path: str | PathLike[str],
        *,
        max_bytes: int = DEFAULT_MAX_BYTES,
        use_url: bool = True,
        use_server: bool = True,
        use_whatsapp: bool = True,
        **options: Unpack[CallOptions],
    ) -> SavedMedia:
        """Save the file of the message; the sources are those of :meth:`download_media`.

        What comes by address or from WhatsApp is written while it arrives, so that a large file
        needs no memory; an answer of the server is held in memory. The file appears under its name
        when it is complete, readable by this user only (mode ``0600``); if anything fails, nothing
        is left.

        Args:
            path: A folder that exists: the file gets a safe name there (that of a document, else
                kind and message id, with the extension of its type), and no other file is
                replaced. Or the path of the file itself, which is replaced if it is there.
            max_bytes: Largest file accepted, in bytes; no more are read.
            use_url: False to leave the public address alone.
            use_server: False not to ask the server.
            use_whatsapp: False not to fetch WhatsApp's encrypted copy.
            **options: Options of the call that asks the server.

        Returns:
            Where it is, its size, type and name, and where it came from.

        Raises:
            RequestValidationError: There is no such folder, the message has no file, or it is
                larger than allowed.
            BadRequestError: The server has not stored it, or WhatsApp no longer has it.
            EvolutionError: Whatever :meth:`download_media` raises.
            OSError: The file cannot be written.
        """
        return await self._actions.download_to(
            path,
            max_bytes=max_bytes,
            use_url=use_url,
            use_server=use_server,
            use_whatsapp=use_whatsapp,
            **options,
        )


class AsyncMessageEvent(AsyncBoundEvent[D_co], MessageEvent[D_co]):
    """An event about one message, with an async client attached."""

    __slots__ = ()


class AsyncContentEvent(AsyncMessageEvent[EventMessage]):
    """An event with a whole message and an async client: what can be done with its content.

    Every ``reply_…`` answers in the chat of the message as ``reply_text`` does; arguments and
    errors are those of ``client.messages.send_…``.
    """

    __slots__ = ()

    async def reply_audio(
        self,
        audio: MediaLike,
        *,
        quote: bool = True,
        encoding: Literal[False] | None = None,
        prefer: Literal["base64", "multipart"] | None = None,
        **options: Unpack[ComposeOptions],
    ) -> AsyncSentMessage:
        """Answer with a voice note; a music file goes by ``reply_media``.

        Args:
            audio: The recording; the server converts it to OGG/Opus.
            quote: False to answer without quoting the message; before server 2.4 Baileys never
                quotes here.
            encoding: False to send it unconverted. Default: convert.
            prefer: Base64 or multipart. Default: as ``messages.send_whatsapp_audio``.
            **options: Options of a message, see :class:`~evolution_sdk.ComposeOptions`.

        Returns:
            The accepted message.

        Raises:
            RequestValidationError: The event does not say where to answer, or a value breaks a
                rule; nothing was sent.
            EvolutionError: Whatever ``messages.send_whatsapp_audio`` raises.
        """
        to = self._actions.reply_target(quote=quote, options=options)
        return await to.messages.send_whatsapp_audio(
            to.number, audio, encoding=encoding, prefer=prefer, **to.options
        )

    async def reply_sticker(
        self,
        sticker: MediaLike,
        *,
        quote: bool = True,
        not_convert_sticker: bool = False,
        **options: Unpack[ComposeOptions],
    ) -> AsyncSentMessage:
        """Answer with a sticker (WHATSAPP-BAILEYS only).

        Args:
            sticker: The image; the server converts it to WebP.
            quote: False to answer without quoting the message.
            not_convert_sticker: Send it as it is.
            **options: Options of a message, see :class:`~evolution_sdk.ComposeOptions`.

        Returns:
            The accepted message.

        Raises:
            RequestValidationError: The event does not say where to answer, or a value breaks a
                rule; nothing was sent.
            EvolutionError: Whatever ``messages.send_sticker`` raises.
        """
        to = self._actions.reply_target(quote=quote, options=options)
        return await to.messages.send_sticker(
            to.number, sticker, not_convert_sticker=not_convert_sticker, **to.options
        )

    async def reply_ptv(
        self,
        video: MediaLike,
        *,
        quote: bool = True,
        prefer: Literal["base64", "multipart"] | None = None,
        **options: Unpack[ComposeOptions],
    ) -> AsyncSentMessage:
        """Answer with a round video note (WHATSAPP-BAILEYS only).

        Args:
            video: The video.
            quote: False to answer without quoting the message.
            prefer: Base64 or multipart.
            **options: Options of a message, see :class:`~evolution_sdk.ComposeOptions`.

        Returns:
            The accepted message.

        Raises:
            RequestValidationError: The event does not say where to answer, or a value breaks a
                rule; nothing was sent.
            EvolutionError: Whatever ``messages.send_ptv`` raises.
        """
        to = self._actions.reply_target(quote=quote, options=options)
        return await to.messages.send_ptv(to.number, video, prefer=prefer, **to.options)

    async def reply_location(
        self,
        latitude: float,
        longitude: float,
        *,
        name: str,
        address: str,
        quote: bool = True,
        **options: Unpack[ComposeOptions],
    ) -> AsyncSentMessage:
        """Answer with a place.

        Args:
            latitude: In degrees, -90 to 90.
            longitude: In degrees, -180 to 180.
            name: Its name; the server demands one.
            address: Its address; the server demands one.
            quote: False to answer without quoting the message.
            **options: Options of a message, see :class:`~evolution_sdk.ComposeOptions`.

        Returns:
            The accepted message.

        Raises:
            RequestValidationError: The event does not say where to answer, or a value breaks a
                rule; nothing was sent.
            EvolutionError: Whatever ``messages.send_location`` raises.
        """
        to = self._actions.reply_target(quote=quote, options=options)
        return await to.messages.send_location(
            to.number, latitude, longitude, name=name, address=address, **to.options
        )

    async def reply_contact(
        self, contacts: ContactCard | Sequence[ContactCard], **options: Unpack[SendOptions]
    ) -> AsyncSentMessage:
        """Answer with one or more contacts; the server quotes nothing here.

        Args:
            contacts: The contacts.
            **options: Options of one send, see :class:`~evolution_sdk.SendOptions`.

        Returns:
            The accepted message.

        Raises:
            RequestValidationError: The event does not say where to answer, or a value breaks a
                rule; nothing was sent.
            EvolutionError: Whatever ``messages.send_contact`` raises.
        """
        to = self._actions.reply_target(quote=False, options={})
        return await to.messages.send_contact(to.number, contacts, **options)

    async def reply_poll(
        self,
        name: str,
        values: Sequence[str],
        *,
        selectable_count: int = 1,
        quote: bool = True,
        **options: Unpack[ComposeOptions],
    ) -> AsyncSentMessage:
        """Answer with a poll (WHATSAPP-BAILEYS only); ``sent.wait_for_vote()`` waits for a vote.

        Args:
            name: The question.
            values: 2 to 10 different choices.
            selectable_count: How many may be chosen, 0 to 10; 0 means any number.
            quote: False to answer without quoting the message.
            **options: Options of a message, see :class:`~evolution_sdk.ComposeOptions`.

        Returns:
            The accepted message.

        Raises:
            RequestValidationError: The event does not say where to answer, or a value breaks a
                rule; nothing was sent.
            EvolutionError: Whatever ``messages.send_poll`` raises.
        """
        to = self._actions.reply_target(quote=quote, options=options)
        return await to.messages.send_poll(
            to.number, name, values, selectable_count=selectable_count, **to.options
        )

    async def reply_list(
        self,
        *,
        title: str,
        button_text: str,
        footer_text: str,
        sections: Sequence[ListSection],
        description: str | None = None,
        fallback: Fallback | None = None,
        quote: bool = True,
        **options: Unpack[ComposeOptions],
    ) -> AsyncSentMessage:
        """Answer with a list of choices, or with another form of it where it may not be shown.

        Args:
            title: Its title.
            button_text: Text of the button that opens it.
            footer_text: Small text below; the server demands it.
            sections: Groups of rows, with different titles.
            description: Text above the button.
            fallback: What is sent instead before server 2.4, from which phones often show no list,
                as ``reply_buttons`` decides it. Default None: always the list.
            quote: False to answer without quoting the message.
            **options: Options of a message, see :class:`~evolution_sdk.ComposeOptions`.

        Returns:
            The accepted message, whatever its form.

        Raises:
            RequestValidationError: The event does not say where to answer, a value breaks a rule,
                or the rows make no such form; nothing was sent.
            EvolutionError: Whatever the send of the chosen form raises.
        """
        to = self._actions.reply_target(quote=quote, options=options)
        question, choices = "", tuple[str, ...]()
        # Made before anything is asked, so that rows that make no poll are told on every server.
        if fallback == "poll":
            question, choices = list_as_poll(title, description, sections)
        if fallback is None or await to.messages.shows_buttons():
            return await to.messages.send_list(
                to.number,
                title=title,
                button_text=button_text,
                footer_text=footer_text,
                sections=sections,
                description=description,
                **to.options,
            )
        if fallback == "poll":
            return await to.messages.send_poll(to.number, question, choices, **to.options)
        text = list_as_text(title, description, footer_text, sections)
        return await to.messages.send_text(to.number, text, **to.options)

    async def reply_buttons(
        self,
        *,
        title: str,
        buttons: Sequence[Button],
        description: str | None = None,
        footer: str | None = None,
        thumbnail_url: MediaLike | None = None,
        fallback: Fallback | None = None,
        quote: bool = True,
        **options: Unpack[ComposeOptions],
    ) -> AsyncSentMessage:
        """Answer with buttons, or with another form of them where they may not be shown.

        Which form it is is decided before anything is sent, by the server's version alone; whatever
        becomes of it, nothing is sent in another form afterwards.

        Args:
            title: Its title.
            buttons: The buttons, as ``messages.send_buttons`` takes them.
            description: Text below the title.
            footer: Small text below.
            thumbnail_url: An image above; no other form has it.
            fallback: What is sent instead before server 2.4, from which phones often show no
                buttons, and where the version cannot be read: ``"text"``, numbered from 1, or
                ``"poll"``, which takes only reply buttons and tells labels, not ids. Leave it out
                on WHATSAPP-BUSINESS, where buttons are always shown. Default None: always buttons.
            quote: False to answer without quoting the message.
            **options: Options of a message, see :class:`~evolution_sdk.ComposeOptions`.

        Returns:
            The accepted message, whatever its form.

        Raises:
            RequestValidationError: The event does not say where to answer, a value breaks a rule,
                or the buttons have no such form; nothing was sent.
            EvolutionError: Whatever the send of the chosen form raises.
        """
        to = self._actions.reply_target(quote=quote, options=options)
        question, choices, text = "", tuple[str, ...](), ""
        # Made before anything is asked, so that a wrong value is told on every server.
        if fallback == "poll":
            question, choices = buttons_as_poll(title, description, buttons)
        elif fallback == "text":
            text = buttons_as_text(title, description, footer, buttons)
        if fallback is None or await to.messages.shows_buttons():
            return await to.messages.send_buttons(
                to.number,
                title=title,
                buttons=buttons,
                description=description,
                footer=footer,
                thumbnail_url=thumbnail_url,
                **to.options,
            )
        if fallback == "poll":
            return await to.messages.send_poll(to.number, question, choices, **to.options)
        return await to.messages.send_text(to.number, text, **to.options)

    async def reply_carousel(
        self,
        *,
        body: str,
        cards: Sequence[CarouselCard],
        quote: bool = True,
        **options: Unpack[ComposeOptions],
    ) -> AsyncSentMessage:
        """Answer with cards to leaf through (server 2.4, WHATSAPP-BAILEYS only).

        Args:
            body: Text above the cards.
            cards: One to ten.
            quote: False to answer without quoting the message.
            **options: Options of a message, see :class:`~evolution_sdk.ComposeOptions`.

        Returns:
            The accepted message.

        Raises:
            RequestValidationError: The event does not say where to answer, or a value breaks a
                rule; nothing was sent.
            UnsupportedByServerError: The server is older than 2.4; nothing was sent.
            EvolutionError: Whatever ``messages.send_carousel`` raises.
        """
        to = self._actions.reply_target(quote=quote, options=options)
        return await to.messages.send_carousel(to.number, body=body, cards=cards, **to.options)

    async def forward(
        self,
        number: str | PhoneNumber | Jid,
        *,
        by: Literal["content", "url"] = "content",
        max_bytes: int = DEFAULT_MAX_BYTES,
        **options: Unpack[SendOptions],
    ) -> AsyncSentMessage:
        """Send the content of the message to another chat, as a new message.

        The server has no route that forwards: the recipient sees no "forwarded", and a poll begins
        without votes. Texts, files, places, contacts (the first number of each card) and polls can
        be sent on; a message to be viewed once cannot.

        Args:
            number: The recipient.
            by: The way of a file: ``"content"`` downloads it and sends it anew; ``"url"`` leaves it
                to the server to fetch it from its public address. The event names that address:
                choose it only where events are verified.
            max_bytes: Largest file that is downloaded, in bytes.
            **options: Options of one send, see :class:`~evolution_sdk.SendOptions`.

        Returns:
            The accepted message.

        Raises:
            RequestValidationError: The message cannot be sent on in that way; nothing was sent.
            SendOutcomeUnknownError: No answer tells whether it was sent, and it was not found.
            EvolutionError: Whatever ``download_media`` and the send of its kind raise.
        """
        return await self._actions.forward(number, by=by, max_bytes=max_bytes, options=options)

    async def edit(self, text: str, **options: Unpack[CallOptions]) -> ProtocolMessage:
        """Change the text of the message, which must be an own one, or the caption of its file.

        Args:
            text: The new text.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The raw edit.

        Raises:
            RequestValidationError: The message is not an own one, or the text is empty.
            BadRequestError: The server has not stored the message, or it cannot be edited.
            EvolutionError: Whatever ``chats.update_message`` raises.
        """
        return await self._actions.edit(text, options)

    async def delete(self, **options: Unpack[CallOptions]) -> ProtocolMessage:
        """Delete the message for everyone: an own one, or in a group any that an admin may delete.

        Args:
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The raw revocation.

        Raises:
            RequestValidationError: It is another person's message in a private chat, or a story of
                somebody else.
            EvolutionError: Whatever ``chats.delete_message_for_everyone`` raises.
        """
        return await self._actions.delete(options)

    async def mark_played(self, **options: Unpack[CallOptions]) -> PlayedAck | None:
        """Mark a voice note as played (server 2.4); the server skips ``@lid`` chats silently.

        Args:
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The server's acknowledgement; None for an own message or a story, for which nothing was
            asked.

        Raises:
            RequestValidationError: The event names no message.
            UnsupportedByServerError: The server is older than 2.4.
            EvolutionError: Whatever ``chats.mark_message_as_played`` raises.
        """
        return await self._actions.mark_played(options)

    def typing(self, *, renew_ms: int = DEFAULT_RENEW_MS) -> AsyncPresence:
        """Show "typing…" in the chat while a block runs: ``async with event.typing(): …``.

        See ``chats.typing``: it is renewed until the block ends, and a failure harms nothing.

        Args:
            renew_ms: Time of one presence, in milliseconds, at least 1 000.

        Returns:
            A context manager.

        Raises:
            RequestValidationError: The event does not say where to answer.
        """
        return self._actions.presence("composing", renew_ms)

    def recording(self, *, renew_ms: int = DEFAULT_RENEW_MS) -> AsyncPresence:
        """Show "recording audio…" in the chat while a block runs; as :meth:`typing`.

        Args:
            renew_ms: Time of one presence, in milliseconds, at least 1 000.

        Returns:
            A context manager.

        Raises:
            RequestValidationError: The event does not say where to answer.
        """
        return self._actions.presence("recording", renew_ms)


class AsyncMessagesUpsert(AsyncContentEvent, MessagesUpsert):
    """:class:`~evolution_sdk.events.MessagesUpsert` with an async client attached."""

    __slots__ = ()


class AsyncSendMessage(AsyncContentEvent, SendMessage):
    """:class:`~evolution_sdk.events.SendMessage` with an async client attached."""

    __slots__ = ()


class AsyncMessagesEdited(AsyncMessageEvent[ProtocolNotice], MessagesEdited):
    """:class:`~evolution_sdk.events.MessagesEdited` with an async client attached."""

    __slots__ = ()


class AsyncSendMessageUpdate(AsyncMessageEvent[ProtocolNotice], SendMessageUpdate):
    """:class:`~evolution_sdk.events.SendMessageUpdate` with an async client attached."""

    __slots__ = ()


class AsyncMessagesDelete(AsyncMessageEvent[EventMessage], MessagesDelete):
    """:class:`~evolution_sdk.events.MessagesDelete` with an async client attached."""

    __slots__ = ()


# No AsyncMessageEvent: it tells of a status, and carries nothing of the message but its key.
class AsyncMessagesUpdate(AsyncBoundEvent[MessageStatusChange], MessagesUpdate):
    """:class:`~evolution_sdk.events.MessagesUpdate` with an async client attached."""

    __slots__ = ()


# Only events about messages can be answered; all others are given back as they are.
_BOUND_CLASSES: Mapping[type[Event], type[AsyncBoundEvent]] = MappingProxyType(
    {
        MessagesUpsert: AsyncMessagesUpsert,
        SendMessage: AsyncSendMessage,
        MessagesEdited: AsyncMessagesEdited,
        SendMessageUpdate: AsyncSendMessageUpdate,
        MessagesDelete: AsyncMessagesDelete,
        MessagesUpdate: AsyncMessagesUpdate,
    }
)


def bound(event: Event, actions: Actions) -> Event:
    """Return an event with its actions; one that is about no message as it is.

    Args:
        event: The event.
        actions: The actions on its message.
    """
    # By the plain class: an event may be bound already, to another client.
    kind = _BOUND_CLASSES.get(event.plain())
    return event if kind is None else kind(event, actions)
