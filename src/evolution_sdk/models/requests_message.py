"""Bodies of the /message routes, checked before they leave.

Limits and patterns are the server's own (`facts/endpoints.json`). Where the server accepts a value
that then fails or does damage, the rule here is stricter and says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from evolution_sdk.errors import RequestValidationError
from evolution_sdk.media.fetching import url_or_base64

from ._emoji import is_single_emoji
from .base import MisfitError, RequestModel
from .requests_text import Correspondent as Correspondent
from .requests_text import Mention as Mention
from .requests_text import Quoted as Quoted
from .requests_text import QuotedKey as QuotedKey
from .requests_text import Recipient as Recipient
from .requests_text import SendRequest as SendRequest
from .requests_text import TextRequest as TextRequest


def _picture(value: str) -> str:
    try:
        return url_or_base64(value)
    except RequestValidationError as error:
        raise ValueError(error.rule) from None


Picture = Annotated[str, AfterValidator(_picture)]
"""An image as the server accepts it: a URL or bare base64; a data URI is converted."""


class MediaRequest(SendRequest):
    """A file. ``media`` is a URL or bare base64, or absent if the file is sent as multipart."""

    mediatype: Literal["image", "document", "video", "audio"]
    media: str | None = None
    mimetype: str | None = None
    file_name: str | None = None
    caption: str | None = None
    gif_playback: bool | None = None
    # 0 none, 1 Giphy, 2 Tenor; from 2.4.0 on (`facts/versions/versions.json`).
    gif_attribution: Literal[0, 1, 2] | None = None


class PtvRequest(SendRequest):
    """A round video note."""

    video: str | None = None


class AudioRequest(SendRequest):
    """A voice note."""

    audio: str | None = None
    encoding: bool | None = None


class StickerRequest(SendRequest):
    """A sticker."""

    sticker: str | None = None
    not_convert_sticker: bool | None = None


class StatusRequest(RequestModel):
    """A story. Its rules are those of the server's code, which is stricter than its schema."""

    type: Literal["text", "image", "audio", "video"]
    content: str | None = None
    caption: str | None = None
    background_color: str | None = None
    font: int | None = Field(default=None, ge=1, le=5)
    status_jid_list: tuple[str, ...] | None = Field(default=None, min_length=1)
    all_contacts: Literal[True] | None = None

    @field_validator("status_jid_list")
    @classmethod
    def _full_jids(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        """Demand full JIDs: the server normalises nothing, and a bare number reaches nobody."""
        for jid in value or ():
            if not jid[:1].isdigit() or "@" not in jid:
                raise ValueError("needs full JIDs such as 5511999999999@s.whatsapp.net")
        if value is not None and len(set(value)) != len(value):
            raise ValueError("each JID only once")
        return value

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.status_jid_list is None and not self.all_contacts:
            raise MisfitError("status_jid_list", "give status_jid_list, or all_contacts=True")
        for name in ("content", "background_color", "font") if self.type == "text" else ():
            if not getattr(self, name):
                raise MisfitError(
                    name, "a text status needs content, background_color and font (1 to 5)"
                )
        return self


class LocationRequest(SendRequest):
    """A place. The server demands name and address."""

    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)
    name: str = Field(min_length=1)
    address: str = Field(min_length=1)


class ContactCard(RequestModel):
    """One contact of a contact message."""

    full_name: str = Field(min_length=1)
    phone_number: str = Field(min_length=10)
    wuid: str | None = Field(default=None, min_length=10, pattern=r"\d+")
    organization: str | None = None
    email: str | None = None
    url: str | None = None


class ContactRequest(RequestModel):
    """One or more contacts; the server ignores delay, quoting and mentions here."""

    called: ClassVar[Mapping[str, str]] = {"contact": "contacts"}

    number: Recipient
    contact: tuple[ContactCard, ...] = Field(min_length=1)


class KeyRef(RequestModel):
    """The key of the message that is meant."""

    id: str = Field(min_length=1)
    remote_jid: str = Field(min_length=1)
    from_me: bool
    participant: str | None = None


class ReactionRequest(RequestModel):
    """A reaction: one emoji, or empty text to remove it."""

    called: ClassVar[Mapping[str, str]] = {"key": "message"}

    key: KeyRef
    reaction: str

    @field_validator("reaction")
    @classmethod
    def _one_emoji(cls, value: str) -> str:
        if value and not is_single_emoji(value):
            raise ValueError("must be exactly one emoji, or '' to remove the reaction")
        return value


class PollRequest(SendRequest):
    """A poll; ``selectable_count`` 0 allows any number of choices."""

    name: str = Field(min_length=1)
    selectable_count: int = Field(default=1, ge=0, le=10)
    values: tuple[str, ...] = Field(min_length=2, max_length=10)

    @field_validator("values")
    @classmethod
    def _different(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) != len(value):
            raise ValueError("each choice only once")
        return value


class ListRow(RequestModel):
    """One choice. ``description`` is optional on Baileys; Business fails without it."""

    title: str = Field(min_length=1)
    row_id: str = Field(min_length=1)
    description: str | None = None


class ListSection(RequestModel):
    """A group of choices."""

    title: str
    rows: tuple[ListRow, ...] = Field(min_length=1)


class ListRequest(SendRequest):
    """A list of choices. WhatsApp may not render it (`facts/semantics.md` §6)."""

    title: str = Field(min_length=1)
    description: str | None = None
    button_text: str = Field(min_length=1)
    footer_text: str
    sections: tuple[ListSection, ...] = Field(min_length=1)

    @field_validator("sections")
    @classmethod
    def _different(cls, value: tuple[ListSection, ...]) -> tuple[ListSection, ...]:
        if len({section.title for section in value}) != len(value):
            raise ValueError("section titles must differ")
        return value


_MOST_REPLIES = 3
_NEEDS: dict[str, tuple[str, ...]] = {
    "reply": ("display_text", "id"),
    "copy": ("display_text", "copy_code"),
    "url": ("display_text", "url"),
    "call": ("display_text", "phone_number"),
    "pix": ("currency", "name", "key_type", "key"),
}


class Button(RequestModel):
    """One button, whose mandatory fields depend on its type."""

    type: Literal["reply", "copy", "url", "call", "pix"] = "reply"
    display_text: str | None = None
    id: str | None = None
    url: str | None = None
    copy_code: str | None = None
    phone_number: str | None = None
    currency: str | None = None
    name: str | None = None
    key_type: Literal["phone", "email", "cpf", "cnpj", "random"] | None = None
    key: str | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        missing = [name for name in _NEEDS[self.type] if not getattr(self, name)]
        if missing:
            raise ValueError(f"a {self.type} button needs {', '.join(missing)}")
        return self


class ButtonsRequest(SendRequest):
    """Buttons. The title is mandatory: without it the server shows ``*undefined*``."""

    title: str = Field(min_length=1)
    description: str | None = None
    footer: str | None = None
    thumbnail_url: Picture | None = None
    buttons: tuple[Button, ...] = Field(min_length=1)

    @field_validator("buttons")
    @classmethod
    def _combination(cls, value: tuple[Button, ...]) -> tuple[Button, ...]:
        kinds = {button.type for button in value}
        # Baileys refuses reply buttons beside others (`facts/observed.md` "Request traps" 11).
        if "reply" in kinds and kinds != {"reply"}:
            raise ValueError("reply buttons cannot be mixed with other kinds")
        if kinds == {"reply"} and len(value) > _MOST_REPLIES:
            raise ValueError(f"at most {_MOST_REPLIES} reply buttons")
        if "pix" in kinds and len(value) > 1:
            raise ValueError("a pix button must be the only one")
        ids = [button.id for button in value if button.id is not None]
        if len(set(ids)) != len(ids):
            raise ValueError("button ids must differ")
        return value


class CarouselCard(RequestModel):
    """One card of a carousel: text, a picture, and one to three buttons."""

    called: ClassVar[Mapping[str, str]] = {"text": "body"}

    text: str = Field(alias="body", min_length=1)
    title: str | None = None
    footer: str | None = None
    image_url: str | None = Field(default=None, min_length=1)
    buttons: tuple[Button, ...] = Field(min_length=1, max_length=3)

    @field_validator("buttons")
    @classmethod
    def _known(cls, value: tuple[Button, ...]) -> tuple[Button, ...]:
        if any(button.type == "pix" for button in value):
            raise ValueError("a card takes reply, copy, url and call buttons, no pix button")
        return value


class CarouselRequest(SendRequest):
    """A carousel of one to ten cards (server 2.4)."""

    called: ClassVar[Mapping[str, str]] = {**SendRequest.called, "text": "body"}

    text: str = Field(alias="body", min_length=1)
    cards: tuple[CarouselCard, ...] = Field(min_length=1, max_length=10)


class TemplateRequest(RequestModel):
    """A template of a WHATSAPP-BUSINESS instance."""

    number: Recipient
    name: str = Field(min_length=1)
    language: str = Field(min_length=2)
    components: tuple[dict[str, Any], ...] | None = None
    webhook_url: str | None = None
    quoted: Quoted | None = None
