"""Recognising a message of ours in the server's store, after its answer was lost.

For servers that take no message id from us, and channels that ignore it: there only chat, time and
content tell (`facts/semantics.md` §7). Pure: records in, verdict out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from evolution_sdk._base.json_types import is_object
from evolution_sdk.identity.chat_forms import LID, PHONE, STATUS_CHAT, chat_forms
from evolution_sdk.identity.chat_names import Lids
from evolution_sdk.operations.operation import SentKind

from .content_match import matches_content


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The marks by which a message of ours is recognised in the server's store.

    Attributes:
        kind: The kind of send.
        body: Its body, with the server's names.
        chats: JIDs under which the server may have stored it.
    """

    kind: SentKind
    body: Mapping[str, Any]
    chats: tuple[str, ...]

    @property
    def phone(self) -> str | None:
        """The recipient's JID by phone number; None for groups, stories and hidden ids."""
        return next((chat for chat in self.chats if chat.endswith(PHONE)), None)

    @property
    def lid(self) -> str | None:
        """The recipient's hidden id; None for groups and stories, and while it is not known."""
        return next((chat for chat in self.chats if chat.endswith(LID)), None)

    @property
    def place_unknown(self) -> bool:
        """Tell if it may be stored under an id of the recipient that we do not know.

        A person is a phone number or a hidden id to the server, and not always the one that was
        written: 2.3.7 and later store a send to a hidden id under the phone number (recorded). The
        other id may be remembered, but no memory is certain: numbers are given to other people.
        """
        return self.phone is not None or self.lid is not None

    @property
    def by_lid(self) -> bool:
        """Tell if the send named the recipient by hidden id."""
        return self.chats[:1] != () and self.chats[0].endswith(LID)

    def also(self, chats: Iterable[str]) -> Fingerprint:
        """The same with further chats."""
        return replace(self, chats=tuple(dict.fromkeys((*self.chats, *chats))))

    def resolved(self, lids: Lids) -> Fingerprint:
        """The same, looking also under the ids that are known to be the same person's.

        Args:
            lids: What is known of hidden ids.
        """
        # Learned during the search: an event or a read may tell the pair after the send began.
        forms = lids.forms(self.chats)
        return self.also(forms) if forms else self

    def matches(self, record: Mapping[str, Any]) -> bool:
        """Tell if chat, kind and content of a record fit; the query limits the time."""
        key = _own_key(record)
        # The row may stand under the one id and name the other beside it, in remoteJidAlt.
        if key is None or not {key.get("remoteJid"), key.get("remoteJidAlt")} & set(self.chats):
            return False
        return matches_content(self.kind, self.body, record)

    def hidden(self, record: Mapping[str, Any]) -> str | None:
        """The id of a person under which the same content stands, if it is not told whose it is.

        Args:
            record: A stored record.

        Returns:
            The ``@lid`` where the send named the phone, the phone's JID where it named the hidden
            id; None when the record is none of ours, of another content, or names both.
        """
        key = _own_key(record)
        if key is None or not self.place_unknown:
            return None
        unknown, known = (PHONE, LID) if self.by_lid else (LID, PHONE)
        chat, other = key.get("remoteJid"), key.get("remoteJidAlt")
        if not isinstance(chat, str) or not chat.endswith(unknown) or chat in self.chats:
            return None
        # It names the person's other id as well, so that matches() has judged it.
        if isinstance(other, str) and other.endswith(known):
            return None
        return chat if matches_content(self.kind, self.body, record) else None


def fingerprint(kind: SentKind, body: Mapping[str, Any]) -> Fingerprint:
    """Describe the message that a request would have made.

    Args:
        kind: The kind of send.
        body: Its body, with the server's names.

    Returns:
        What to look for.
    """
    return Fingerprint(kind, body, _chats(kind, body))


def _own_key(record: Mapping[str, Any]) -> Mapping[str, Any] | None:
    key = record.get("key")
    # Received messages may have the same text; only our own count as evidence.
    return key if is_object(key) and key.get("fromMe") is True else None


def _chats(kind: SentKind, body: Mapping[str, Any]) -> tuple[str, ...]:
    """The recipient in every form under which the server may store the chat, likeliest first."""
    if kind == "status":  # a story names no recipient
        return (STATUS_CHAT,)
    key = body.get("key")
    # A reaction names its chat in the key of the message it reacts to.
    number = key.get("remoteJid") if is_object(key) else body.get("number")
    return chat_forms(number) if isinstance(number, str) and number else ()
