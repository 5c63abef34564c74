"""Labels of WhatsApp Business accounts."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from .base import Model, Number, RequestModel
from .requests_text import Correspondent


class Label(Model):
    """A label. The server strips all characters that are not ASCII from its name."""

    shown: ClassVar[tuple[str, ...]] = ("id", "color")
    expected: ClassVar[tuple[str, ...]] = ("id", "name")

    id: str = ""
    name: str = ""
    color: Number | None = None
    predefined_id: str | None = None


class LabelAck(Model):
    """The answer to setting or removing a label: ``add`` or ``remove`` is True."""

    shown: ClassVar[tuple[str, ...]] = ("number_jid", "label_id", "add", "remove")
    expected: ClassVar[tuple[str, ...]] = ("labelId",)

    number_jid: str = ""
    label_id: str = ""
    add: bool | None = None
    remove: bool | None = None


class HandleLabelRequest(RequestModel):
    """A label to set on a chat, or to remove from it."""

    number: Correspondent
    label_id: str = Field(min_length=1)
    action: Literal["add", "remove"]
