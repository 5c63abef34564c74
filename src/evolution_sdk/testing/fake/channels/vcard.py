"""Contact cards as the server writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evolution_sdk.testing.fake.js import JsonObject
from evolution_sdk.testing.fake.numbers import create_jid


def vcard(contact: Mapping[str, Any]) -> str:
    """Write one card; the ``waid`` is a whole JID unless the caller gave one."""
    name = contact["fullName"]
    lines = ["BEGIN:VCARD", "VERSION:3.0", f"N:{name}", f"FN:{name}"]
    if contact.get("organization"):
        lines.append(f"ORG:{contact['organization']};")
    if contact.get("email"):
        lines.append(f"EMAIL:{contact['email']}")
    if contact.get("url"):
        lines.append(f"URL:{contact['url']}")
    phone = contact["phoneNumber"]
    lines += [
        f"item1.TEL;waid={contact.get('wuid') or create_jid(phone)}:{phone}",
        # The label is Portuguese whatever the server's language.
        "item1.X-ABLabel:Celular",
        "END:VCARD",
    ]
    return "\n".join(lines)


def cards(contacts: list[Any], single: str) -> JsonObject:
    """Make the message for one contact (under the name ``single``) or several."""
    entries = [{"displayName": c["fullName"], "vcard": vcard(c)} for c in contacts]
    if len(entries) == 1:
        return {single: entries[0]}
    name = f"{len(entries)} contacts"
    return {"contactsArrayMessage": {"displayName": name, "contacts": entries}}
