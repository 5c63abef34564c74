"""Meta's message templates (WHATSAPP-BUSINESS)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from .base import Model, OpenEnum, RequestModel
from .rows import StoredRow

TemplateCategoryName = Literal["AUTHENTICATION", "MARKETING", "UTILITY"]


class TemplateStatus(OpenEnum):
    """The state of Meta's review."""

    APPROVED = "APPROVED"
    PENDING = "PENDING"
    REJECTED = "REJECTED"


class TemplateCategory(OpenEnum):
    """The purpose of a template."""

    AUTHENTICATION = "AUTHENTICATION"
    MARKETING = "MARKETING"
    UTILITY = "UTILITY"


class MessageTemplate(Model):
    """A template as Meta describes it; a new one has only id, status and category."""

    shown: ClassVar[tuple[str, ...]] = ("id", "name", "language", "status", "category")
    expected: ClassVar[tuple[str, ...]] = ("id", "name")

    id: str = ""
    name: str = ""
    language: str | None = None
    status: TemplateStatus | None = None
    category: TemplateCategory | None = None
    # Meta's own spelling, not camel case.
    parameter_format: str | None = Field(default=None, alias="parameter_format")
    components: tuple[Mapping[str, Any], ...] = ()


class StoredTemplate(StoredRow):
    """A template in the server's store. Its name is unique across all instances."""

    shown: ClassVar[tuple[str, ...]] = ("id", "template_id", "name")
    expected: ClassVar[tuple[str, ...]] = ("id", "templateId", "name")

    template_id: str = ""
    name: str = ""
    template: MessageTemplate | None = None
    webhook_url: str | None = None


class TemplateAck(Model):
    """Meta's answer to changing or removing a template."""

    shown: ClassVar[tuple[str, ...]] = ("success", "id")
    expected: ClassVar[tuple[str, ...]] = ("success",)

    success: bool = False
    id: str | None = None


class EditTemplateRequest(RequestModel):
    """A change of a template, for Meta to review."""

    called: ClassVar[Mapping[str, str]] = {"ttl": "ttl_seconds"}

    template_id: str = Field(min_length=1)
    category: TemplateCategoryName | None = None
    components: tuple[dict[str, Any], ...] | None = None
    allow_category_change: bool | None = None
    # Seconds in Meta's terms; the server hands it on as ``time_to_live``.
    ttl: int | None = Field(default=None, gt=0, strict=True)


class DeleteTemplateRequest(RequestModel):
    """A template to remove, in all its languages or one."""

    name: str = Field(min_length=1)
    hsm_id: str | None = Field(default=None, min_length=1)


class CreateTemplateRequest(RequestModel):
    """A template to submit to Meta."""

    name: str = Field(min_length=1)
    category: TemplateCategoryName
    language: str = Field(min_length=1)
    components: tuple[dict[str, Any], ...]
    allow_category_change: bool | None = None
    webhook_url: str | None = None
