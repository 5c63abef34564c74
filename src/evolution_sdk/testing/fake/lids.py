"""LIDs: the hidden ids of phones, under which groups name their members."""

from __future__ import annotations

import hashlib

from .numbers import USER_SUFFIX

LID_SUFFIX = "@lid"
_SMALLEST = 10**14


class Lids:
    """Pairs of phone and LID; a LID is derived for a phone that was not given one."""

    def __init__(self) -> None:
        self._lids: dict[str, str] = {}
        self._phones: dict[str, str] = {}

    def set(self, phone: str, lid: str) -> None:
        """Pair a phone's JID with a LID."""
        self._lids[phone] = lid
        self._phones[lid] = phone

    def of(self, jid: str) -> str:
        """Return the LID of a phone; any other JID is returned unchanged."""
        if not jid.endswith(USER_SUFFIX):
            return jid
        if jid in self._lids:
            return self._lids[jid]
        # Derived from the phone, so that no seed or order of calls changes it.
        digest = int.from_bytes(hashlib.sha256(jid.encode()).digest()[:8])
        lid = f"{_SMALLEST + digest % (9 * _SMALLEST)}{LID_SUFFIX}"
        self._phones[lid] = jid
        return lid

    def known(self, phone: str) -> str | None:
        """Return the LID that a phone was given; None where one would be derived."""
        return self._lids.get(phone)

    def other(self, jid: str) -> str | None:
        """Return the LID that a phone was given, or the phone behind a LID; None if unknown."""
        return self.phone(jid) if jid.endswith(LID_SUFFIX) else self.known(jid)

    def phone(self, lid: str) -> str | None:
        """Return the phone behind a LID, if known."""
        return self._phones.get(lid)
