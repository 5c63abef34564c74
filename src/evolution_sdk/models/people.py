"""The ids under which the server's data name one person: hidden id, phone number, or both.

A hidden id's digits are never a phone number, though the server repeats them as one where it could
not resolve the id (`facts/versions/baileys.md` "Event → shape": participantsData).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from evolution_sdk.errors import RequestValidationError
from evolution_sdk.identity import Jid, PhoneNumber
from evolution_sdk.identity.lids import jid_or_none

from .base import Model


class PersonIds(NamedTuple):
    """The ids of one person.

    Attributes:
        jid: The first JID that was told, without device; None if there was none.
        lid: The hidden id.
        phone: The phone number.
    """

    jid: Jid | None = None
    lid: Jid | None = None
    phone: PhoneNumber | None = None

    @property
    def alt(self) -> Jid | None:
        """The person's other JID: the phone's for a hidden id, and the reverse."""
        if self.jid is None or not self.jid.is_lid:
            return self.lid
        return None if self.phone is None else self.phone.jid


class NamedByIds(Model):
    """A record that names a contact or a chat by hidden id, phone number, or both."""

    @property
    def jid(self) -> Jid | None:
        """The contact or chat, without device; None where the server did not name it."""
        return self._ids.jid

    @property
    def lid(self) -> Jid | None:
        """The hidden id, if it was told."""
        return self._ids.lid

    @property
    def phone(self) -> PhoneNumber | None:
        """The phone number, if it was told; never the digits of a hidden id."""
        return self._ids.phone

    @property
    def _ids(self) -> PersonIds:
        raise NotImplementedError


def person_ids(ids: tuple[object, ...], phones: tuple[object, ...] = ()) -> PersonIds:
    """Read the ids of one person.

    Args:
        ids: Values of fields that hold a JID; a value without ``@`` is none.
        phones: Values of fields that hold a phone number, as JID or as digits.

    Returns:
        The ids; what is no id is left out.
    """
    told = [jid.bare for jid in map(_jid, (*ids, *phones)) if jid is not None]
    lid = next((jid for jid in told if jid.is_lid), None)
    hidden = {jid.user for jid in told if jid.is_lid}
    numbers = [*(jid.phone for jid in told), *map(_digits, phones)]
    phone = next((each for each in numbers if each and each.digits not in hidden), None)
    # A phone's JID with the digits of the hidden id is the hidden id in disguise.
    real = (jid for jid in told if jid.is_lid or jid.user not in hidden)
    jid = next(real, None) or (None if phone is None else phone.jid)
    return PersonIds(jid, lid, phone)


def row_ids(told: Mapping[str, Any] | None, remote: object, *others: object) -> PersonIds:
    """Read the ids of a contact or a chat.

    Args:
        told: The row's fields that have no place in its model.
        remote: Its ``remoteJid``; digits alone are a phone, as Business writes them.
        others: Further ids. That of a row in the server's database is no JID, and is left out.

    Returns:
        The ids.
    """
    extra = told or {}
    alts = (extra.get(name) for name in ("remoteJidAlt", "lid", "remoteLid"))
    return person_ids((remote, *others, *alts), (remote, extra.get("phoneNumber")))


def real_name(ids: PersonIds, *names: str | None) -> str | None:
    """Return the first name that is one.

    Args:
        ids: The person's ids, whose digits the server writes where it knows no name.
        names: The names that were told.

    Returns:
        The name, or None.
    """
    digits = {jid.user for jid in (ids.jid, ids.lid) if jid is not None}
    if ids.phone is not None:
        digits.add(ids.phone.digits)
    return next((name for name in names if name and name not in digits), None)


def jid_at(value: object) -> Jid | None:
    """Read a field that holds a JID, without its device; digits alone are none.

    2.4 leaves bare digits of any id with a device (`facts/versions/baileys.md` "SDK misreadings"):
    they may be a phone's or a hidden id's, and no phone must be made of those.

    Args:
        value: The field's value.
    """
    found = _jid(value)
    return None if found is None else found.bare


def _jid(value: object) -> Jid | None:
    return jid_or_none(value) if isinstance(value, str) and "@" in value else None


def _digits(value: object) -> PhoneNumber | None:
    if not isinstance(value, str) or "@" in value:
        return None
    try:
        return PhoneNumber(value)
    except RequestValidationError:
        return None
