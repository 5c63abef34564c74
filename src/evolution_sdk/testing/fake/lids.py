"""LIDs: the second name under which WhatsApp knows every phone, used inside groups."""

from __future__ import annotations

import hashlib

from .numbers import USER_SUFFIX

LID_SUFFIX = "@lid"
_SMALLEST = 10**14


class Lids:
    """Which LID belongs to which phone; one is derived for a phone that was not given any."""

    def __init__(self) -> None:
        self._lids: dict[str, str] = {}
        self._phones: dict[str, str] = {}

    def set(self, phone: str, lid: str) -> None:
        """Pair a phone's JID with a LID."""
        self._lids[phone] = lid
        self._phones[lid] = phone

    def of(self, jid: str) -> str:
        """The LID of a phone; anything else is its own."""
        if not jid.endswith(USER_SUFFIX):
            return jid
        if jid in self._lids:
            return self._lids[jid]
        digest = int.from_bytes(hashlib.sha256(jid.encode()).digest()[:8])
        lid = f"{_SMALLEST + digest % (9 * _SMALLEST)}{LID_SUFFIX}"
        self._phones[lid] = jid
        return lid

    def known(self, phone: str) -> str | None:
        """The LID that a phone was given, not one derived for it."""
        return self._lids.get(phone)

    def phone(self, lid: str) -> str | None:
        """The phone behind a LID, if known."""
        return self._phones.get(lid)
