"""Forwarding: the content of a message, sent anew to somebody else."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, Unpack

from evolution_sdk.errors import RequestValidationError
from evolution_sdk.events import EventMessage, MessageKind
from evolution_sdk.models.requests_message import ContactCard

if TYPE_CHECKING:
    from evolution_sdk._client.options import SendOptions
    from evolution_sdk.events.content import Location, MediaInfo, SharedContact
    from evolution_sdk.identity import Jid, PhoneNumber

    from ._seam import Later
    from .bound import AsyncSentMessage
    from .sends import Sends

__all__ = ["Forwarder"]

_MEDIATYPES: dict[MessageKind, Literal["image", "video", "audio", "document"]] = {
    MessageKind.IMAGE: "image",
    MessageKind.VIDEO: "video",
    MessageKind.AUDIO: "audio",
    MessageKind.DOCUMENT: "document",
}


class Forwarder:
    """Sends the content of one message to somebody else.

    Args:
        messages: Sends.
        message: The message.
        download: Downloads its file.
    """

    def __init__(
        self,
        messages: Sends[AsyncSentMessage],
        message: EventMessage,
        download: Callable[[], Later[bytes]],
    ) -> None:
        self._messages = messages
        self._message = message
        self._download = download

    async def send(
        self,
        number: str | PhoneNumber | Jid,
        by: Literal["content", "url"],
        **options: Unpack[SendOptions],
    ) -> AsyncSentMessage:
        """Send it.

        Args:
            number: The recipient.
            by: The way of a file.
            **options: Options of the send.

        Raises:
            RequestValidationError: It cannot be sent on in that way.
        """
        message, messages = self._message, self._messages
        if message.is_view_once:
            raise RequestValidationError("event", "a message to be viewed once is not sent on")
        if message.kind is MessageKind.TEXT and message.text is not None:
            return await messages.send_text(number, message.text, **options)
        if message.kind.is_media and message.media is not None:
            return await self._file(number, message.media, by, options)
        if message.location is not None:
            place, at = message.location, _coordinates(message.location)
            # The server demands both words, and a place that somebody pinned has neither.
            name = place.name or place.address or f"{at[0]}, {at[1]}"
            return await messages.send_location(
                number, *at, name=name, address=place.address or name, **options
            )
        if message.contacts:
            cards = [_card(contact) for contact in message.contacts]
            return await messages.send_contact(number, cards, **options)
        if message.poll is not None:
            poll = message.poll
            return await messages.send_poll(
                number, poll.name, poll.options, selectable_count=poll.selectable, **options
            )
        raise RequestValidationError(
            "event", f"a message of kind {message.kind} cannot be sent on: its content is unknown"
        )

    async def _file(
        self,
        number: str | PhoneNumber | Jid,
        media: MediaInfo,
        by: Literal["content", "url"],
        options: SendOptions,
    ) -> AsyncSentMessage:
        messages, kind = self._messages, self._message.kind
        file: str | bytes
        if by == "url":
            if media.url is None or not media.url.startswith(("http://", "https://")):
                raise RequestValidationError(
                    "by", "the event names no public address of the file: use by='content'"
                )
            file = media.url
        else:
            file = await self._download()
        if kind is MessageKind.STICKER:
            return await messages.send_sticker(number, file, **options)
        if kind is MessageKind.VIDEO_NOTE:
            return await messages.send_ptv(number, file, **options)
        if kind is MessageKind.VOICE:
            return await messages.send_whatsapp_audio(number, file, **options)
        return await messages.send_media(
            number,
            file,
            caption=media.caption,
            mediatype=_MEDIATYPES.get(kind),
            file_name=media.file_name,
            mimetype=media.mimetype,
            **options,
        )


def _coordinates(place: Location) -> tuple[float, float]:
    if place.latitude is None or place.longitude is None:
        raise RequestValidationError("event", "the place has no coordinates")
    return place.latitude, place.longitude


def _card(contact: SharedContact) -> ContactCard:
    if not contact.phones:
        raise RequestValidationError("event", "a contact has no phone number that is complete")
    number = contact.phones[0].digits
    return ContactCard.check(full_name=contact.name or number, phone_number=number)
