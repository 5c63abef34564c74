"""The webhook of an instance."""

from __future__ import annotations

from evolution_sdk._base.effect import Effect
from evolution_sdk.models.readers import optional
from evolution_sdk.models.webhook import Webhook

from ._declare import Family

_webhook = Family("webhook", session=False)

SET_WEBHOOK = _webhook(
    "set_webhook", "POST", "set", Effect.IDEMPOTENT, Webhook.from_wire, takes_events=True
)
FIND_WEBHOOK = _webhook("find_webhook", "GET", "find", Effect.READ, optional(Webhook))
