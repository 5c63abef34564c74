"""Signals that are no messages: typing, being online, calls."""

from __future__ import annotations

from typing import Literal, TypeAlias

from evolution_sdk.testing.fake.js import JsonObject, iso
from evolution_sdk.testing.fake.lids import LID_SUFFIX
from evolution_sdk.testing.fake.numbers import create_jid, is_group
from evolution_sdk.testing.fake.state import Instance, ServerState

from .people import actor, check_phone

PresenceState: TypeAlias = Literal["available", "unavailable", "composing", "recording", "paused"]
CallStatus: TypeAlias = Literal["offer", "ringing", "timeout", "reject", "accept", "terminate"]


def presence(
    server: ServerState,
    instance: Instance,
    *,
    from_: str,
    state: PresenceState,
    participant: str | None,
) -> None:
    """Show what somebody is doing, as :meth:`PhoneActs.presence`."""
    check_phone(instance)
    by = actor(server, instance, None, from_, participant, None)
    data = {"id": by.chat, "presences": {by.jid: {"lastKnownPresence": state}}}
    server.emit(instance, "presence.update", data)


def call(
    server: ServerState,
    instance: Instance,
    *,
    from_: str,
    status: CallStatus,
    call_id: str | None,
    is_video: bool,
) -> str:
    """Call, or end a call, as :meth:`PhoneActs.call`."""
    check_phone(instance)
    caller = create_jid(from_)
    made = call_id or server.ids.secret(16).hex().upper()
    data: JsonObject = {
        "chatId": caller,
        "from": caller,
        "id": made,
        "date": iso(server.now_ms()),
        "offline": False,
        "status": status,
        "isVideo": is_video,
        "isGroup": is_group(caller),
    }
    phone = server.network.lids.phone(caller) if caller.endswith(LID_SUFFIX) else None
    if phone is not None and server.profile.has("alternative_keys"):
        data["callerPn"] = phone
    server.emit(instance, "call", data)
    return made
