"""The low-level routes (WHATSAPP-BAILEYS only); the server checks no argument there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from evolution_sdk._base.effect import Effect
from evolution_sdk.models.baileys import (
    AuthState,
    GeneratedId,
    JidCheck,
    ParticipantNodes,
    UsyncDevice,
)
from evolution_sdk.models.readers import anything, content, list_of, text, text_or_none, yes
from evolution_sdk.operations.error_facts import USUAL_ERRORS, ErrorFacts, pattern
from evolution_sdk.operations.operation import EmptyMeans, Operation

from ._declare import BAILEYS, Family

T = TypeVar("T")

_baileys = Family("baileys", session=True)


def _low_level(
    name: str,
    route: str,
    effect: Effect,
    read: Callable[[Any], T],
    empty_means: EmptyMeans = "unexpected",
    errors: ErrorFacts = USUAL_ERRORS,
) -> Operation[T]:
    return _baileys(
        f"baileys_{name}",
        "POST",
        route,
        effect,
        read,
        channels=BAILEYS,
        empty_means=empty_means,
        errors=errors,
    )


ON_WHATSAPP = _low_level("on_whatsapp", "onWhatsapp", Effect.READ, list_of(JidCheck), "nothing")
PROFILE_PICTURE_URL = _low_level(
    "profile_picture_url", "profilePictureUrl", Effect.READ, text_or_none, "nothing"
)
ASSERT_SESSIONS = _low_level("assert_sessions", "assertSessions", Effect.IDEMPOTENT, yes)
CREATE_PARTICIPANT_NODES = _low_level(
    "create_participant_nodes",
    "createParticipantNodes",
    Effect.SEND,  # advances the keys of every session
    ParticipantNodes.from_wire,
)
GET_USYNC_DEVICES = _low_level(
    "get_usync_devices", "getUSyncDevices", Effect.READ, list_of(UsyncDevice)
)
GENERATE_MESSAGE_TAG = _low_level("generate_message_tag", "generateMessageTag", Effect.READ, text)
SEND_NODE = _low_level(
    "send_node",
    "sendNode",
    Effect.SEND,
    anything,
    "nothing",
    # A connection that stalls may do so after the stanza has left.
    ErrorFacts(may_have_acted=pattern(r"Timed Out")),
)
SIGNAL_DECRYPT = _low_level(
    "signal_decrypt",
    "signalRepositoryDecryptMessage",
    Effect.SEND,  # uses up the key of that message
    content,
)
GET_AUTH_STATE = _low_level("get_auth_state", "getAuthState", Effect.READ, AuthState.from_wire)
# The only one that is a GET: asks nothing of WhatsApp.
GENERATE_MESSAGE_ID = _baileys(
    "baileys_generate_message_id",
    "GET",
    "generateMessageID",
    Effect.READ,
    GeneratedId.from_wire,
    channels=BAILEYS,
    since="2.4",
)
