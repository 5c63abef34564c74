"""Bodies of text messages, and what all sends share.

Apart from the other kinds, which most programs never load.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator

from evolution_sdk.errors import RequestValidationError
from evolution_sdk.identity._server import recipient
from evolution_sdk.identity.chat_forms import CHANNEL

from .base import RequestModel


def _recipient(value: Any) -> str:
    try:
        return recipient(value)
    except RequestValidationError as error:
        raise ValueError(error.rule) from None


Recipient = Annotated[str, BeforeValidator(_recipient)]
"""A phone number or JID, as :func:`evolution_sdk.identity.recipient` accepts it."""


def _no_channel(value: str) -> str:
    if value.endswith(CHANNEL):
        raise ValueError("must be a person or a group: this cannot be done with a channel")
    return value


Correspondent = Annotated[Recipient, AfterValidator(_no_channel)]
"""A recipient that is no channel (``…@newsletter``), which can only be sent messages."""


def _mention(value: Any) -> Any:
    """Remove a leading ``+``: the server demands leading digits, and accepts a JID."""
    return str(value).lstrip("+")


Mention = Annotated[str, BeforeValidator(_mention), Field(pattern=r"^\d+")]


class QuotedKey(RequestModel):
    """The quoted message; the server looks up the id, and quotes nothing if it is unknown."""

    id: str = Field(min_length=1)
    remote_jid: str | None = None
    from_me: bool | None = None
    participant: str | None = None


class Quoted(RequestModel):
    """A quotation. With ``message`` the server does not look up the id."""

    key: QuotedKey
    message: dict[str, Any] | None = None


class SendRequest(RequestModel):
    """The fields that most sends share."""

    called: ClassVar[Mapping[str, str]] = {"delay": "delay_ms"}

    number: Recipient
    # The server converts nothing: 12.5 and "1200" fail (`facts/semantics.md` §3).
    delay: int | None = Field(default=None, ge=0, strict=True)
    quoted: Quoted | None = None
    # The schema's ``everyOne`` has no effect (`facts/semantics.md` §6).
    mentions_every_one: Literal[True] | None = None
    # An empty list fails the schema (`facts/semantics.md` §3).
    mentioned: tuple[Mention, ...] | None = Field(default=None, min_length=1)

    @field_validator("mentioned")
    @classmethod
    def _unique(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if value is not None and len(set(value)) != len(value):
            raise ValueError("each number only once")
        return value


class TextRequest(SendRequest):
    """A text. Blank text is rejected here: Baileys refuses it, and Business fails on it."""

    text: str
    link_preview: bool | None = None

    @field_validator("text")
    @classmethod
    def _not_blank(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("must not be empty or blank")
        return value
