"""Meta's message templates (WHATSAPP-BUSINESS only)."""

from __future__ import annotations

from evolution_sdk._core.effect import Effect
from evolution_sdk._core.operation import Operation
from evolution_sdk.models.readers import list_of
from evolution_sdk.models.template import MessageTemplate, StoredTemplate

CREATE_TEMPLATE = Operation(
    name="template.create_template",
    method="POST",
    path="/template/create/{instance}",
    effect=Effect.SEND,
    channels=("business",),
    read=StoredTemplate.from_wire,
)
FIND_TEMPLATES = Operation(
    name="template.find_templates",
    method="GET",
    path="/template/find/{instance}",
    effect=Effect.READ,
    channels=("business",),
    read=list_of(MessageTemplate),
    empty_means="refused",
)
