"""Routes of ``/label``, ``/call``, ``/business`` and ``/baileys``: the channel does it all."""

from __future__ import annotations

from evolution_sdk.testing.fake.channels import on_channel
from evolution_sdk.testing.fake.router import Route
from evolution_sdk.testing.fake.schemas import account as schemas
from evolution_sdk.testing.fake.schemas.instance import CREATE

_LOW_LEVEL = {
    "baileys_on_whatsapp": "baileysOnWhatsapp",
    "baileys_profile_picture_url": "baileysProfilePictureUrl",
    "baileys_assert_sessions": "baileysAssertSessions",
    "baileys_create_participant_nodes": "baileysCreateParticipantNodes",
    "baileys_get_usync_devices": "baileysGetUSyncDevices",
    "baileys_generate_message_tag": "baileysGenerateMessageTag",
    "baileys_send_node": "baileysSendNode",
    "baileys_signal_decrypt": "baileysSignalRepositoryDecryptMessage",
    "baileys_get_auth_state": "baileysGetAuthState",
    "baileys_generate_message_id": "generateMessageID",
}
"""The server's methods by operation."""


ROUTES = [
    Route("label.find_labels", on_channel("fetchLabels")),
    Route("label.handle_label", on_channel("handleLabel"), schema=schemas.HANDLE_LABEL),
    Route("call.offer_call", on_channel("offerCall"), status=201, schema=schemas.OFFER_CALL),
    Route(
        "business.get_catalog",
        on_channel("fetchCatalog"),
        schema=schemas.SHOP,
        meta_errors="business_catalog",
    ),
    Route(
        "business.get_collections",
        on_channel("fetchCollections"),
        schema=schemas.SHOP,
        meta_errors="business_collections",
    ),
    # The server checks these bodies with the schema of create, which lets nearly all pass.
    *(
        Route(f"baileys.{operation}", on_channel(member), schema=CREATE)
        for operation, member in _LOW_LEVEL.items()
    ),
]
