"""The names of one chat or person, and comparison of chats by their names. Pure.

A phone number may come with a device (`…:12@s.whatsapp.net`), with or without the extra digit of
Brazilian, Mexican and Argentine lines, or as bare digits (EVOLUTION). The same person also has a
hidden id (`@lid`). Server 2.4 even strips a hidden id to bare digits
(`facts/versions/baileys.md`, "receipt from a device jid").
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Protocol

from evolution_sdk.errors import RequestValidationError
from evolution_sdk.identity import Jid, PhoneNumber
from evolution_sdk.identity._values import GROUP_ID

from .chat_forms import LID, PHONE

_NOT_DIGITS = re.compile(r"[^0-9]")
_HIDDEN_DIGITS = 14
"""Least digits of a hidden id. Hardly any country has phone numbers of that length."""


class Lids(Protocol):
    """Knowledge of hidden ids; see ``LidMap``."""

    def forms(self, chats: Iterable[str]) -> tuple[str, ...]:
        """Return the hidden ids of phones, and the phones of hidden ids."""
        ...

    def phone_of(self, who: str, /) -> object | None:
        """Return the phone behind a hidden id, or None if unknown."""
        ...


def names_of(jid: str) -> frozenset[str]:
    """Return every name that follows from one name of a chat or person.

    Args:
        jid: A JID, bare digits, or any other text.

    Returns:
        JIDs without device; empty for an empty text. Bare digits may be a phone or a hidden id and
        give both.
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
    """Return the names of a chat or person that is given in several ways."""
    return frozenset(name for jid in jids if jid for name in names_of(jid))


class Whom:
    """One chat or person, known by all its names.

    Args:
        jids: Its names; None and empty texts are left out.
        lids: The known hidden ids, looked up anew each time because they grow.
    """

    def __init__(self, jids: Iterable[str | Jid | None], lids: Lids | None = None) -> None:
        self._names = all_names(None if jid is None else str(jid) for jid in jids)
        self._lids = lids

    @property
    def names(self) -> frozenset[str]:
        """Its names, including those learned since it was made."""
        if self._lids is None or not self._names:
            return self._names
        return self._names | all_names(self._lids.forms(self._names))

    @property
    def is_group(self) -> bool:
        """True if it is a group."""
        return any(name.endswith("@g.us") for name in self._names)

    def is_told_by(self, *jids: str | Jid | None) -> bool:
        """Return True if the names certainly are this chat's or person's.

        Args:
            *jids: The names of one chat or person.
        """
        told = Whom(jids, self._lids)
        return bool(self.names & told.names)

    def may_be_told_by(self, *jids: str | Jid | None) -> bool:
        """Return True if the names are this chat's, or a hidden id that may belong to it.

        Receipts come from hidden ids, also of people who never wrote, so that no pair is known.

        Args:
            *jids: The names of one chat or person; no name at all fits any.
        """
        texts = [str(jid) for jid in jids if jid is not None and str(jid).strip()]
        if not texts or not self._names or self.is_told_by(*texts):
            return True
        own = self.names
        # Only a phone whose hidden id is not known can be behind an unknown hidden id.
        if not any(name.endswith(PHONE) for name in own) or any(n.endswith(LID) for n in own):
            return False
        return all(map(self._hides_somebody, texts))

    def _hides_somebody(self, text: str) -> bool:
        hidden = next((name for name in names_of(text) if name.endswith(LID)), None)
        if hidden is None or ("@" not in text and len(hidden) < _HIDDEN_DIGITS + len(LID)):
            return False
        return self._lids is None or self._lids.phone_of(hidden) is None


def tells_of_own(message_id: str, chat: Whom, from_me: object) -> bool:
    """Return True if a status update with the id of our message may be about that message.

    A person who edits a message, or gives a message the id of ours, makes the server report a
    status with that id and `fromMe: false` (`facts/versions/baileys.md`, "edit"). Business reports
    false for every message, and an old server for own messages in groups with hidden ids.

    Args:
        message_id: The id.
        chat: The chat of our message.
        from_me: The server's `fromMe`; only False counts against it.
    """
    return from_me is not False or message_id.startswith("wamid.") or chat.is_group
