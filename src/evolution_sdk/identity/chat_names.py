"""The names of one chat or person, and their comparison with names in other messages.

A phone number may appear with a device (`…:12@s.whatsapp.net`), with or without the extra digit of
Brazilian, Mexican and Argentinian lines, or as bare digits (EVOLUTION). A person also has a hidden
id (`@lid`), which server 2.4 even strips to bare digits (`facts/versions/baileys.md`, "receipt
from a device jid").
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Protocol

from evolution_sdk.errors import RequestValidationError
from evolution_sdk.identity import Jid, PhoneNumber
from evolution_sdk.identity._values import GROUP_ID

from .chat_forms import LID, PHONE

_NOT_DIGITS = re.compile(r"[^0-9]")
_HIDDEN_DIGITS = 14
"""Hidden ids have 14 digits or more; phone numbers of that length are very rare."""


class Lids(Protocol):
    """Knowledge of hidden ids; see ``LidMap``."""

    def forms(self, chats: Iterable[str]) -> tuple[str, ...]:
        """Return the hidden ids of phones, and the phones of hidden ids."""
        ...

    def phone_of(self, who: str, /) -> object | None:
        """Return the phone behind a hidden id; None if it is unknown."""
        ...


@lru_cache(maxsize=4_096)
def names_of(jid: str) -> frozenset[str]:
    """Derive all names of a chat or person from one name.

    Args:
        jid: A JID or bare digits; any text is accepted.

    Returns:
        JIDs without device; empty for an empty text. Bare digits count as a phone and as a hidden
        id.
    """
    user, at, server = jid.strip().partition("@")
    user = user.partition(":")[0]
    if not at:
        if GROUP_ID.fullmatch(user):
            return frozenset({f"{user}@g.us"})
        digits = _NOT_DIGITS.sub("", user)
        return _of_phone(digits) | {f"{digits}{LID}"} if digits else frozenset()
    server = server.lower()
    if server in ("s.whatsapp.net", "c.us"):
        return _of_phone(user.lstrip("+"))
    return frozenset({f"{user}@{server}"}) if user else frozenset()


def _of_phone(digits: str) -> frozenset[str]:
    try:
        lines = PhoneNumber(digits).candidates()
    except RequestValidationError:
        return frozenset({f"{digits}{PHONE}"}) if digits else frozenset()
    return frozenset(f"{line.digits}{PHONE}" for line in lines)


def all_names(jids: Iterable[str | None]) -> frozenset[str]:
    """Derive all names of a chat or person that is named in several ways."""
    return frozenset(name for jid in jids if jid for name in names_of(jid))


class Whom:
    """One chat or person, known by all its names.

    Args:
        jids: Its known names; None and empty ones are ignored.
        lids: The map of hidden ids; asked on every comparison, because it keeps learning.
    """

    def __init__(self, jids: Iterable[str | Jid | None], lids: Lids | None = None) -> None:
        self._names = all_names(None if jid is None else str(jid) for jid in jids)
        self._lids = lids

    @property
    def names(self) -> frozenset[str]:
        """Its names, including those learned from the map of hidden ids."""
        if self._lids is None or not self._names:
            return self._names
        return self._names | all_names(self._lids.forms(self._names))

    @property
    def is_group(self) -> bool:
        """True if it is a group."""
        return any(name.endswith("@g.us") for name in self._names)

    def is_told_by(self, *jids: str | Jid | None) -> bool:
        """Tell whether the names certainly belong to it.

        Args:
            *jids: One or several names of a chat or person.
        """
        told = Whom(jids, self._lids)
        return bool(self.names & told.names)

    def may_be_told_by(self, *jids: str | Jid | None) -> bool:
        """Tell whether the names belong to it, or are a hidden id whose owner is unknown.

        Receipts come from hidden ids, even of people who never wrote and whose phone is unknown.

        Args:
            *jids: One or several names of a chat or person; without any name, the answer is True.
        """
        texts = [str(jid) for jid in jids if jid is not None and str(jid).strip()]
        if not texts or not self._names or self.is_told_by(*texts):
            return True
        # An unknown hidden id can only be its own if it is a phone whose hidden id is not known.
        own = self.names
        # Only a phone whose hidden id is not known can be behind an unknown hidden id.
        if not any(name.endswith(PHONE) for name in own) or any(n.endswith(LID) for n in own):
            return False
        return all(map(self._hides_somebody, texts))

    def _hides_somebody(self, text: str) -> bool:
        hidden = next((name for name in names_of(text) if name.endswith(LID)), None)
        # Short bare digits are a phone number, not a hidden id stripped of its server.
        if hidden is None or ("@" not in text and len(hidden) < _HIDDEN_DIGITS + len(LID)):
            return False
        return self._lids is None or self._lids.phone_of(hidden) is None


def tells_of_own(message_id: str, chat: Whom, from_me: object) -> bool:
    """Tell whether a status with the id of one of our messages may be about that message.

    Another person can edit our message, or send one with its id. The server then reports a status
    with that id and ``fromMe`` False (`facts/versions/baileys.md`, "edit"). Business reports False
    for every message, and an old server for own ones in groups with hidden ids.

    Args:
        message_id: The id.
        chat: The chat of our message.
        from_me: ``fromMe`` in the status; only False can exclude it.
    """
    return from_me is not False or message_id.startswith("wamid.") or chat.is_group
