"""Each kind of send that a server can do without a phone, as often as one likes."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from evolution_sdk import Button, ContactCard, ListRow, ListSection, MessageKey
from evolution_sdk.media import Media

NUMBER = "5511987654321"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SUN = "https://files.example.com/sun.png"

Send = Callable[[Any, int, Mapping[str, Any]], Any]


def person(name: str) -> ContactCard:
    return ContactCard(full_name=name, phone_number="5511912345678")


KINDS: Mapping[str, Send] = MappingProxyType(
    {
        "text": lambda api, at, more: api.send_text(NUMBER, f"Aviso {at}", **more),
        "media base64": lambda api, at, more: api.send_media(
            NUMBER, PNG, caption=f"Foto {at}", file_name="a.png", prefer="base64", **more
        ),
        "media multipart": lambda api, at, more: api.send_media(
            NUMBER, PNG, caption=f"Foto {at}", file_name="a.png", prefer="multipart", **more
        ),
        "media url": lambda api, at, more: api.send_media(
            NUMBER, SUN, caption=f"Sol {at}", mediatype="image", **more
        ),
        "whatsapp_audio": lambda api, at, more: api.send_whatsapp_audio(
            NUMBER, Media.from_bytes(b"OggS" + bytes([at] * 40), file_name="a.ogg"), **more
        ),
        "location": lambda api, at, more: api.send_location(
            NUMBER, latitude=-23.5, longitude=-46.6, name=f"Loja {at}", address="Rua 1", **more
        ),
        "contact": lambda api, at, more: api.send_contact(NUMBER, person(f"Ana {at}"), **more),
        "contact several": lambda api, at, more: api.send_contact(
            NUMBER, [person(f"Ana {at}"), person("Bia")], **more
        ),
        "reaction": lambda api, at, more: api.send_reaction(
            MessageKey(id=f"wamid.A{at}", remote_jid=f"{NUMBER}@s.whatsapp.net", from_me=False),
            "👍",
            **more,
        ),
        "list": lambda api, at, more: api.send_list(
            NUMBER,
            title=f"Menu {at}",
            button_text="Ver",
            footer_text="f",
            description="d",
            sections=[
                ListSection(title="A", rows=[ListRow(title="x", row_id="1", description="y")])
            ],
            **more,
        ),
        "buttons": lambda api, at, more: api.send_buttons(
            NUMBER,
            title=f"Certo {at}?",
            buttons=[Button(display_text=f"Sim {at}", id=f"sim-{at}")],
            **more,
        ),
        "template": lambda api, at, more: api.send_template(
            NUMBER, f"aviso_{at}", language="pt_BR", **more
        ),
    }
)

ON_EVOLUTION = (
    "text", "media base64", "media multipart", "media url", "whatsapp_audio", "buttons"
)  # fmt: skip
ON_BUSINESS = tuple(KINDS)
UPLOADED = frozenset({"media base64", "media multipart", "whatsapp_audio"})
"""Kinds whose files 2.2.3 cannot send from WHATSAPP-BUSINESS."""
