"""The link to Chatwoot. Its third route is called by Chatwoot itself and is left out."""

from __future__ import annotations

from evolution_sdk._core.effect import Effect
from evolution_sdk._core.operation import Operation
from evolution_sdk.models.chatwoot import ChatwootLink

SET_CHATWOOT = Operation(
    name="chatwoot.set_chatwoot",
    method="POST",
    path="/chatwoot/set/{instance}",
    effect=Effect.SEND,  # with autoCreate each accepted call opens one more conversation
    read=ChatwootLink.from_wire,
    patience_ms=15_000,  # autoCreate makes the inbox at Chatwoot before it answers
)
FIND_CHATWOOT = Operation(
    name="chatwoot.find_chatwoot",
    method="GET",
    path="/chatwoot/find/{instance}",
    effect=Effect.READ,
    read=ChatwootLink.from_wire,
)
