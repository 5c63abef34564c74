"""Instances."""

from __future__ import annotations

from evolution_sdk._base.effect import Effect
from evolution_sdk.models.instance import (
    ConnectionState,
    ConnectResult,
    CreatedInstance,
    InstanceAck,
    InstanceInfo,
    PresenceAck,
)
from evolution_sdk.models.readers import list_of
from evolution_sdk.operations.error_facts import ErrorFacts

from ._declare import BAILEYS, Family

# The server sleeps 5 s for a QR code, 2 s on connect, and asks WhatsApp Web for its version first.
_CONNECTING_MS = 15_000

_instance = Family("instance", session=False)

# makes something new; a repeat after success answers 403
CREATE_INSTANCE = _instance(
    "create_instance",
    "POST",
    "/instance/create",
    Effect.SEND,
    CreatedInstance.from_wire,
    auth="global",
    patience_ms=_CONNECTING_MS,
    slow=True,
    takes_events=True,
)
RESTART_INSTANCE = _instance(
    "restart_instance",
    "POST",
    "restart",
    Effect.IDEMPOTENT,
    ConnectResult.from_wire,
    patience_ms=_CONNECTING_MS,
    slow=True,
)
CONNECT_INSTANCE = _instance(
    "connect_instance",
    "GET",
    "connect",
    Effect.IDEMPOTENT,
    ConnectResult.from_wire,
    query=("number",),
    patience_ms=_CONNECTING_MS,
    slow=True,
)
CONNECTION_STATE = _instance(
    "connection_state", "GET", "connectionState", Effect.READ, ConnectionState.from_wire
)
FETCH_INSTANCES = _instance(
    "fetch_instances",
    "GET",
    "/instance/fetchInstances",
    Effect.READ,
    list_of(InstanceInfo),
    auth="global",
    query=("instanceName", "instanceId", "number"),
    teaches_accounts=True,
)
SET_PRESENCE = _instance(
    "set_presence",
    "POST",
    "setPresence",
    Effect.IDEMPOTENT,
    PresenceAck.from_wire,
    channels=BAILEYS,
    errors=ErrorFacts(habits=frozenset({"reads_own_name"})),
)
# ends the session; a repeat answers 400
LOGOUT_INSTANCE = _instance(
    "logout_instance", "DELETE", "logout", Effect.DESTRUCTIVE, InstanceAck.from_wire
)
# a repeat answers 404, or removes a namesake made meanwhile
DELETE_INSTANCE = _instance(
    "delete_instance", "DELETE", "delete", Effect.DESTRUCTIVE, InstanceAck.from_wire
)
