"""The names that one chat or person goes by, and whether somebody else speaks of it. Pure.

A phone number may stand with a device (`…:12@s.whatsapp.net`), with or without the digit that
Brazilian, Mexican and Argentinian lines have twice, or as bare digits (EVOLUTION); one person also
has a hidden id (`@lid`). Server 2.4 even strips a hidden id to bare digits
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
"""Hidden ids have 14 digits or more; a phone number has so many in hardly any country."""


class Lids(Protocol):
    """Knowledge of hidden ids; see ``LidMap``."""

    def forms(self, chats: Iterable[str]) -> tuple[str, ...]:
        """The hidden ids of phones, and the phones of hidden ids."""
        ...

    def phone_of(self, who: str, /) -> object | None:
        """Name the phone behind a hidden id; None where nobody told."""
        ...


def names_of(jid: str) -> frozenset[str]:
    """Every name of somebody that follows from one name.

    Args:
        jid: A JID, or bare digits; anything.

    Returns:
        JIDs without device; empty for an empty text. Bare digits are a phone's and a hidden id's.
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
    """The names of somebody who is told in several ways."""
    return frozenset(name for jid in jids if jid for name in names_of(jid))


class Whom:
    """One chat or person, by all its names.

    Args:
        jids: How it is called; None and empty ones are left out.
        lids: What is known of hidden ids; asked each time, as it learns.
    """

    def __init__(self, jids: Iterable[str | Jid | None], lids: Lids | None = None) -> None:
        self._names = all_names(None if jid is None else str(jid) for jid in jids)
        self._lids = lids

    @property
    def names(self) -> frozenset[str]:
        """Its names, the ones that were learned among them."""
        if self._lids is None or not self._names:
            return self._names
        return self._names | all_names(self._lids.forms(self._names))

    @property
    def is_group(self) -> bool:
        """True if it is a group."""
        return any(name.endswith("@g.us") for name in self._names)

    def is_told_by(self, *jids: str | Jid | None) -> bool:
        """Tell if a name certainly is one of its own.

        Args:
            *jids: How somebody is called, in one or several ways.
        """
        told = Whom(jids, self._lids)
        return bool(self.names & told.names)

    def may_be_told_by(self, *jids: str | Jid | None) -> bool:
        """Tell if a name is its own, or a hidden id of which nobody has told whose it is.

        Receipts come from hidden ids, also of people who never wrote and of whom no pair was told.

        Args:
            *jids: How somebody is called; where nobody said, it fits anybody.
        """
        texts = [str(jid) for jid in jids if jid is not None and str(jid).strip()]
        if not texts or not self._names or self.is_told_by(*texts):
            return True
        own = self.names
        if not any(name.endswith(PHONE) for name in own) or any(n.endswith(LID) for n in own):
            return False
        return all(map(self._hides_somebody, texts))

    def _hides_somebody(self, text: str) -> bool:
        hidden = next((name for name in names_of(text) if name.endswith(LID)), None)
        if hidden is None or ("@" not in text and len(hidden) < _HIDDEN_DIGITS + len(LID)):
            return False
        return self._lids is None or self._lids.phone_of(hidden) is None


def tells_of_own(message_id: str, chat: Whom, from_me: object) -> bool:
    """Tell if a status with the id of a message of ours may be one of that message.

    Whoever edits a message of ours, or gives one of theirs its id, makes the server tell a status
    with that id, as of somebody else's (`facts/versions/baileys.md`, "edit"). Business says so of
    every message, and an old server of own ones in groups of hidden ids.

    Args:
        message_id: The id.
        chat: Our message's chat.
        from_me: What the server says of whose the message is; anything but False is no objection.
    """
    return from_me is not False or message_id.startswith("wamid.") or chat.is_group
