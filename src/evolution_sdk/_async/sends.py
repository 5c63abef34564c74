"""Protocol of the sends, as answers need them: whoever is answered must not import the messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar, Unpack

if TYPE_CHECKING:
    from evolution_sdk._client.compose import ComposeOptions, MediaLike
    from evolution_sdk._client.options import SendOptions
    from evolution_sdk.identity import Jid, PhoneNumber
    from evolution_sdk.models.requests_message import (
        Button,
        CarouselCard,
        ContactCard,
        ListSection,
    )

__all__ = ["Sends"]

S_co = TypeVar("S_co", covariant=True)


class Sends(Protocol[S_co]):
    """Sends messages of every kind: ``client.messages``; the result is what it makes of them."""

    async def shows_buttons(self) -> bool:
        """Tell if buttons and lists are sent in the form that phones show."""
        ...

    async def send_text(
        self,
        number: str | PhoneNumber | Jid,
        text: str,
        *,
        link_preview: bool | None = None,
        **options: Unpack[ComposeOptions],
    ) -> S_co:
        """Send a text."""
        ...

    async def send_media(
        self,
        number: str | PhoneNumber | Jid,
        media: MediaLike,
        *,
        caption: str | None,
        mediatype: Literal["image", "document", "video", "audio"] | None,
        file_name: str | None,
        mimetype: str | None,
        prefer: Literal["base64", "multipart"] | None = None,
        gif_playback: bool | None = None,
        gif_attribution: Literal[0, 1, 2] | None = None,
        **options: Unpack[ComposeOptions],
    ) -> S_co:
        """Send a file."""
        ...

    async def send_whatsapp_audio(
        self,
        number: str | PhoneNumber | Jid,
        audio: MediaLike,
        *,
        encoding: Literal[False] | None = None,
        prefer: Literal["base64", "multipart"] | None = None,
        **options: Unpack[ComposeOptions],
    ) -> S_co:
        """Send a voice note."""
        ...

    async def send_ptv(
        self,
        number: str | PhoneNumber | Jid,
        video: MediaLike,
        *,
        prefer: Literal["base64", "multipart"] | None = None,
        **options: Unpack[ComposeOptions],
    ) -> S_co:
        """Send a round video note."""
        ...

    async def send_sticker(
        self,
        number: str | PhoneNumber | Jid,
        sticker: MediaLike,
        *,
        not_convert_sticker: bool = False,
        **options: Unpack[ComposeOptions],
    ) -> S_co:
        """Send a sticker."""
        ...

    async def send_location(
        self,
        number: str | PhoneNumber | Jid,
        latitude: float,
        longitude: float,
        *,
        name: str,
        address: str,
        **options: Unpack[ComposeOptions],
    ) -> S_co:
        """Send a place."""
        ...

    async def send_contact(
        self,
        number: str | PhoneNumber | Jid,
        contacts: ContactCard | Sequence[ContactCard],
        **options: Unpack[SendOptions],
    ) -> S_co:
        """Send contacts."""
        ...

    async def send_poll(
        self,
        number: str | PhoneNumber | Jid,
        name: str,
        values: Sequence[str],
        *,
        selectable_count: int = 1,
        **options: Unpack[ComposeOptions],
    ) -> S_co:
        """Send a poll."""
        ...

    async def send_list(
        self,
        number: str | PhoneNumber | Jid,
        *,
        title: str,
        button_text: str,
        footer_text: str,
        sections: Sequence[ListSection],
        description: str | None,
        **options: Unpack[ComposeOptions],
    ) -> S_co:
        """Send a list."""
        ...

    async def send_buttons(
        self,
        number: str | PhoneNumber | Jid,
        *,
        title: str,
        buttons: Sequence[Button],
        description: str | None,
        footer: str | None,
        thumbnail_url: MediaLike | None,
        **options: Unpack[ComposeOptions],
    ) -> S_co:
        """Send buttons."""
        ...

    async def send_carousel(
        self,
        number: str | PhoneNumber | Jid,
        *,
        body: str,
        cards: Sequence[CarouselCard],
        **options: Unpack[ComposeOptions],
    ) -> S_co:
        """Send a carousel."""
        ...
