"""Sending messages that are not files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from evolution_sdk._async.fetching import as_text
from evolution_sdk._client.compose import ComposeOptions, MediaLike, compose_values
from evolution_sdk._client.options import SendOptions
from evolution_sdk._client.references import KeyLike, key_of, quoted_of
from evolution_sdk.identity import Jid, PhoneNumber
from evolution_sdk.models import requests_message as req
from evolution_sdk.models.message import SentMessage
from evolution_sdk.operations.routes import message as ops

from .media_messages import AsyncMediaMessagesApi


class AsyncMessagesApi(AsyncMediaMessagesApi):
    """Sending. Every method returns once the message was handed to WhatsApp, not delivered.

    A send is tried again only when it surely never happened; when no answer tells, it is looked
    for in the server's store (``on_unknown``).
    """

    __slots__ = ()

    async def send_text(
        self,
        number: str | PhoneNumber | Jid,
        text: str,
        *,
        link_preview: bool | None = None,
        **options: Unpack[ComposeOptions],
    ) -> SentMessage:
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
            RecipientNotFoundError: The number is not on WhatsApp; nothing was sent.
            InstanceNotConnectedError: The instance has no working session; nothing was sent.
            SendOutcomeUnknownError: No answer tells whether it was sent, and it was not found;
                also where the server's words for a dead session leave that open.
            MetaAPIError: Meta refused it (WHATSAPP-BUSINESS); nothing was sent.
        """
        request = req.TextRequest.check(
            number=number, text=text, link_preview=link_preview, **compose_values(options)
        )
        return await self._send(ops.SEND_TEXT, request, options)

    async def send_location(
        self,
        number: str | PhoneNumber | Jid,
        latitude: float,
        longitude: float,
        *,
        name: str,
        address: str,
        **options: Unpack[ComposeOptions],
    ) -> SentMessage:
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
            SendOutcomeUnknownError: No answer tells whether it was sent, and it was not found.
            ChannelNotSupportedError: The EVOLUTION channel cannot do it.
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
    ) -> SentMessage:
        """Send one or more contacts.

        Args:
            number: The recipient.
            contacts: The contacts.
            **options: Options of one send, see :class:`~evolution_sdk.SendOptions`.

        Returns:
            The accepted message.

        Raises:
            RequestValidationError: A value breaks a rule; nothing was sent.
            SendOutcomeUnknownError: No answer tells whether it was sent, and it was not found.
            ChannelNotSupportedError: The EVOLUTION channel cannot do it.
        """
        cards = (contacts,) if isinstance(contacts, req.ContactCard) else tuple(contacts)
        request = req.ContactRequest.check(number=number, contact=cards)
        return await self._send(ops.SEND_CONTACT, request, options)

    async def send_reaction(
        self, message: KeyLike, reaction: str, **options: Unpack[SendOptions]
    ) -> SentMessage:
        """React to a message, or take the reaction back.

        Args:
            message: The message or its key; in groups with its participant.
            reaction: Exactly one emoji, or ``""`` to remove.
            **options: Options of one send, see :class:`~evolution_sdk.SendOptions`.

        Returns:
            The accepted reaction.

        Raises:
            RequestValidationError: Not one emoji, or an incomplete key; nothing was sent.
            SendOutcomeUnknownError: No answer tells whether it was sent, and it was not found.
            ChannelNotSupportedError: The EVOLUTION channel cannot do it.
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
    ) -> SentMessage:
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
            SendOutcomeUnknownError: No answer tells whether it was sent, and it was not found.
            ChannelNotSupportedError: Only WHATSAPP-BAILEYS can do it.
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
    ) -> SentMessage:
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
            SendOutcomeUnknownError: No answer tells whether it was sent, and it was not found.
            ChannelNotSupportedError: The EVOLUTION channel cannot do it.
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
    ) -> SentMessage:
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
            SendOutcomeUnknownError: No answer tells whether it was sent, and it was not found.
        """
        image: str | None = None
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
        return await self._send(ops.SEND_BUTTONS, request, options)

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
    ) -> SentMessage:
        """Send a template of Meta's (WHATSAPP-BUSINESS only).

        Args:
            number: The recipient.
            name: The template's name.
            language: Its language, such as ``pt_BR``.
            components: Meta's template components.
            webhook_url: Where the server posts later status changes of this message.
            quoted: The message to answer.
            **options: Options of one send, see :class:`~evolution_sdk.SendOptions`.

        Returns:
            The accepted message.

        Raises:
            MetaAPIError: Meta refused it; nothing was sent.
            ChannelNotSupportedError: The instance is not WHATSAPP-BUSINESS.
            SendOutcomeUnknownError: No answer tells whether it was sent, and it was not found.
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
