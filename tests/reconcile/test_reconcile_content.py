"""A stored message is recognised by its content, and by nothing less than all of it."""

from __future__ import annotations

from typing import Any

import pytest

from evolution_sdk.reconcile.fingerprint import fingerprint

NUMBER = "5511987654321"
JID = f"{NUMBER}@s.whatsapp.net"

# What was asked, and what Baileys stores of it.
SENT: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "text": ({"text": "olá"}, "conversation", {"conversation": "olá"}),
    "reaction": (
        {"key": {"remoteJid": JID, "fromMe": False, "id": "3EB0AA"}, "reaction": "👍"},
        "reactionMessage",
        {"reactionMessage": {"key": {"id": "3EB0AA"}, "text": "👍"}},
    ),
    "poll": (
        {"name": "Almoço?", "selectableCount": 1, "values": ["pizza", "sushi"]},
        "pollCreationMessageV3",
        {
            "pollCreationMessageV3": {
                "name": "Almoço?",
                "options": [{"optionName": "pizza"}, {"optionName": "sushi"}],
            }
        },
    ),
    "location": (
        {"name": "Loja", "address": "Rua A, 1", "latitude": -23.5505, "longitude": -46.6333},
        "locationMessage",
        {
            "locationMessage": {
                "name": "Loja",
                "address": "Rua A, 1",
                "degreesLatitude": -23.55050001,
                "degreesLongitude": -46.6333,
            }
        },
    ),
    "contact": (
        {"contact": [{"fullName": "Ana", "phoneNumber": "+55 11 91234-5678"}]},
        "contactMessage",
        {
            "contactMessage": {
                "displayName": "Ana",
                "vcard": "BEGIN:VCARD\nFN:Ana\nTEL;waid=5511912345678:+55 11 91234-5678\nEND:VCARD",
            }
        },
    ),
    "media": (
        {"mediatype": "document", "media": "AAAA", "caption": "Nota", "fileName": "nota.pdf"},
        "documentMessage",
        {"documentMessage": {"caption": "Nota", "fileName": "nota.pdf"}},
    ),
    "list": (
        {
            "title": "Menu",
            "description": "Escolha",
            "buttonText": "Abrir",
            "footerText": "",
            "sections": [{"title": "Hoje", "rows": [{"title": "Pizza", "rowId": "1"}]}],
        },
        "listMessage",
        {
            "listMessage": {
                "title": "Menu",
                "description": "Escolha",
                "buttonText": "Abrir",
                "sections": [{"title": "Hoje", "rows": [{"title": "Pizza", "rowId": "1"}]}],
            }
        },
    ),
}
# Another send of the same kind to the same chat, which differs in one thing.
OTHERS: list[tuple[str, dict[str, Any]]] = [
    ("text", {"text": "olá!"}),
    ("text", {"text": None}),
    ("reaction", {"key": {"remoteJid": JID, "fromMe": False, "id": "3EB0BB"}}),
    ("reaction", {"reaction": "❤️"}),
    ("poll", {"name": "Jantar?"}),
    ("poll", {"values": ["pizza", "salada"]}),
    ("poll", {"values": ["sushi", "pizza"]}),
    ("location", {"name": "Depósito"}),
    ("location", {"address": "Rua B, 2"}),
    ("location", {"latitude": -23.5515}),
    ("location", {"longitude": -46.6343}),
    ("contact", {"contact": [{"fullName": "Bia", "phoneNumber": "+55 11 91234-5678"}]}),
    ("contact", {"contact": [{"fullName": "Ana", "phoneNumber": "+55 11 91234-9999"}]}),
    ("contact", {"contact": []}),
    ("media", {"caption": "Recibo"}),
    ("media", {"fileName": "recibo.pdf"}),
    ("media", {"mediatype": "image"}),
    ("list", {"title": "Cardápio"}),
    ("list", {"description": "Veja"}),
    ("list", {"buttonText": "Ver"}),
    ("list", {"sections": [{"title": "Hoje", "rows": [{"title": "Sushi", "rowId": "1"}]}]}),
]


def matches(kind: str, changes: dict[str, Any]) -> bool:
    body, message_type, message = SENT[kind]
    record = {
        "key": {"id": "3EB0CC", "fromMe": True, "remoteJid": JID},
        "messageType": message_type,
        "message": message,
    }
    return fingerprint(kind, {"number": NUMBER, **body, **changes}).matches(record)


@pytest.mark.parametrize("kind", SENT)
def test_a_send_is_recognised_by_its_content(kind: str) -> None:
    assert matches(kind, {})


@pytest.mark.parametrize(("kind", "changes"), OTHERS)
def test_a_send_that_differs_in_one_thing_is_another_one(
    kind: str, changes: dict[str, Any]
) -> None:
    assert not matches(kind, changes)
