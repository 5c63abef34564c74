"""The link to Chatwoot. Its third route is called by Chatwoot itself and is left out."""

from __future__ import annotations

from evolution_sdk._base.effect import Effect
from evolution_sdk.models.chatwoot import ChatwootLink

from ._declare import Family

_chatwoot = Family("chatwoot", session=False)

# with autoCreate each accepted call opens one more conversation
# autoCreate makes the inbox at Chatwoot before it answers
SET_CHATWOOT = _chatwoot(
    "set_chatwoot", "POST", "set", Effect.SEND, ChatwootLink.from_wire, patience_ms=15_000
)
FIND_CHATWOOT = _chatwoot("find_chatwoot", "GET", "find", Effect.READ, ChatwootLink.from_wire)
