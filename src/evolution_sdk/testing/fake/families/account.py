"""Families that hand everything to the instance's channel: label, call, business and baileys."""

from __future__ import annotations

from evolution_sdk.testing.fake.channels import on_channel
from evolution_sdk.testing.fake.router import Route
from evolution_sdk.testing.fake.schemas import account as schemas
from evolution_sdk.testing.fake.schemas.instance import CREATE

_LOW_LEVEL = {
    "onWhatsapp": "baileys_on_whatsapp",
    "profilePictureUrl": "baileys_profile_picture_url",
    "assertSessions": "baileys_assert_sessions",
    "createParticipantNodes": "baileys_create_participant_nodes",
    "getUSyncDevices": "baileys_get_usync_devices",
    "generateMessageTag": "baileys_generate_message_tag",
    "sendNode": "baileys_send_node",
    "signalRepositoryDecryptMessage": "baileys_signal_decrypt",
    "getAuthState": "baileys_get_auth_state",
}


def _low_level(path: str, operation: str) -> Route:
    """Its body is checked as if it were to create an instance, which lets nearly all pass."""
    return Route(
        f"baileys.{operation}",
        "POST",
        f"/baileys/{path}/{{instance}}",
        on_channel(f"baileys{path[0].upper()}{path[1:]}"),
        schema=CREATE,
    )


ROUTES = [
    Route("label.find_labels", "GET", "/label/findLabels/{instance}", on_channel("fetchLabels")),
    Route("label.handle_label", "POST", "/label/handleLabel/{instance}", on_channel("handleLabel"),
          schema=schemas.HANDLE_LABEL),
    Route("call.offer_call", "POST", "/call/offer/{instance}", on_channel("offerCall"), status=201,
          schema=schemas.OFFER_CALL),
    Route("business.get_catalog", "POST", "/business/getCatalog/{instance}",
          on_channel("fetchCatalog"), schema=schemas.SHOP, meta_errors="business_catalog"),
    Route("business.get_collections", "POST", "/business/getCollections/{instance}",
          on_channel("fetchCollections"), schema=schemas.SHOP,
          meta_errors="business_collections"),
    *(_low_level(path, operation) for path, operation in _LOW_LEVEL.items()),
]  # fmt: skip
