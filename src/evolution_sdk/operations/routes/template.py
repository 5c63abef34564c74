"""Meta's message templates (WHATSAPP-BUSINESS only)."""

from __future__ import annotations

from evolution_sdk._base.effect import Effect
from evolution_sdk.models.readers import list_of
from evolution_sdk.models.template import MessageTemplate, StoredTemplate, TemplateAck
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
# Both answer on every channel: the server does not look which it is.
# Meta counts the edits of a template, so that a repeat may be refused.
EDIT_TEMPLATE = _template(
    "edit_template",
    "POST",
    "edit",
    Effect.SEND,
    TemplateAck.from_wire,
    since="2.3.7",
)
DELETE_TEMPLATE = _template(
    "delete_template",
    "DELETE",
    "delete",
    Effect.DESTRUCTIVE,
    TemplateAck.from_wire,
    since="2.3.7",
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
