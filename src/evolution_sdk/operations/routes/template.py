"""Meta's message templates (WHATSAPP-BUSINESS only)."""

from __future__ import annotations

from evolution_sdk._base.effect import Effect
from evolution_sdk.models.readers import list_of
from evolution_sdk.models.template import MessageTemplate, StoredTemplate
from evolution_sdk.operations.error_facts import ErrorFacts

from ._declare import Family

_template = Family("template", session=False, errors=ErrorFacts(detailed=True))

CREATE_TEMPLATE = _template(
    "create_template",
    "POST",
    "create",
    Effect.SEND,
    StoredTemplate.from_wire,
    channels=("business",),
)
FIND_TEMPLATES = _template(
    "find_templates",
    "GET",
    "find",
    Effect.READ,
    list_of(MessageTemplate),
    channels=("business",),
    empty_means="refused",
)
