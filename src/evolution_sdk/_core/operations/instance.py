"""Instances."""

from __future__ import annotations

from evolution_sdk._core.effect import Effect
from evolution_sdk._core.operation import Operation
from evolution_sdk.models.instance import (
    ConnectionState,
    ConnectResult,
    CreatedInstance,
    InstanceAck,
    InstanceInfo,
    PresenceAck,
)
from evolution_sdk.models.readers import list_of

# The server sleeps 5 s for a QR code, 2 s on connect, and asks WhatsApp Web for its version first.
_CONNECTING_MS = 15_000

CREATE_INSTANCE = Operation(
    name="instance.create_instance",
    method="POST",
    path="/instance/create",
    effect=Effect.SEND,  # makes something new; a repeat after success answers 403
    auth="global",
    read=CreatedInstance.from_wire,
    patience_ms=_CONNECTING_MS,
)
RESTART_INSTANCE = Operation(
    name="instance.restart_instance",
    method="POST",
    path="/instance/restart/{instance}",
    effect=Effect.IDEMPOTENT,
    read=ConnectResult.from_wire,
    patience_ms=_CONNECTING_MS,
)
CONNECT_INSTANCE = Operation(
    name="instance.connect_instance",
    method="GET",
    path="/instance/connect/{instance}",
    effect=Effect.IDEMPOTENT,
    read=ConnectResult.from_wire,
    query=("number",),
    patience_ms=_CONNECTING_MS,
)
CONNECTION_STATE = Operation(
    name="instance.connection_state",
    method="GET",
    path="/instance/connectionState/{instance}",
    effect=Effect.READ,
    read=ConnectionState.from_wire,
)
FETCH_INSTANCES = Operation(
    name="instance.fetch_instances",
    method="GET",
    path="/instance/fetchInstances",
    effect=Effect.READ,
    auth="global",
    read=list_of(InstanceInfo),
    query=("instanceName", "instanceId", "number"),
)
SET_PRESENCE = Operation(
    name="instance.set_presence",
    method="POST",
    path="/instance/setPresence/{instance}",
    effect=Effect.IDEMPOTENT,
    channels=("baileys",),
    read=PresenceAck.from_wire,
)
LOGOUT_INSTANCE = Operation(
    name="instance.logout_instance",
    method="DELETE",
    path="/instance/logout/{instance}",
    effect=Effect.DESTRUCTIVE,  # ends the session; a repeat answers 400
    read=InstanceAck.from_wire,
)
DELETE_INSTANCE = Operation(
    name="instance.delete_instance",
    method="DELETE",
    path="/instance/delete/{instance}",
    effect=Effect.DESTRUCTIVE,  # a repeat answers 404, or removes a namesake made meanwhile
    read=InstanceAck.from_wire,
)
