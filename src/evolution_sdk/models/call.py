"""Calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from .base import Model, Number, RequestModel
from .requests_text import Correspondent


class CallOffer(Model):
    """An echo of the request: the server places no call.

    ``id`` is always ``123``; 2.2 answers with nothing at all.
    """

    shown: ClassVar[tuple[str, ...]] = ("id", "jid", "is_video", "call_duration")

    id: str = ""
    jid: str = ""
    is_video: bool | None = None
    call_duration: Number | None = None


class OfferCallRequest(RequestModel):
    """A call to offer: the number, and the duration in seconds."""

    called: ClassVar[Mapping[str, str]] = {"call_duration": "duration_seconds"}

    number: Correspondent
    is_video: bool | None = None
    call_duration: int = Field(ge=1, le=15, strict=True)
