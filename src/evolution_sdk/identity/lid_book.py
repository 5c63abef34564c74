"""Which hidden id (LID) stands for which phone number, learned from what passes by."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

from evolution_sdk._base.forking import free_in_child
from evolution_sdk._base.json_types import is_array, is_object
from evolution_sdk.identity import server_jid
from evolution_sdk.models.base import Model
from evolution_sdk.reconcile.fingerprint import Fingerprint

from .chat_forms import LID, PHONE, chat_forms

__all__ = ["LidBook"]

_MOST = 20_000
_PAIRS = (("remoteJid", "remoteJidAlt"), ("participant", "participantAlt"), ("jid", "lid"))
_MOST_ROWS = 1_000


class LidBook:
    """Pairs of hidden id and phone number: bounded, the longest unused goes first; thread-safe."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._phones: OrderedDict[str, str] = OrderedDict()
        self._lids: dict[str, str] = {}
        self._lock = free_in_child(threading.Lock())

    def __len__(self) -> int:
        return len(self._phones)

    def phone_of(self, lid: str) -> str | None:
        """The phone's JID behind a hidden id."""
        with self._lock:
            return self._phones.get(lid)

    def forms(self, chats: Iterable[str]) -> tuple[str, ...]:
        """The hidden ids of phones, and the phones (in every form) of hidden ids."""
        found: list[str] = []
        with self._lock:
            for chat in chats:
                if chat in self._lids:
                    found.append(self._lids[chat])
                elif chat in self._phones:
                    found.extend(chat_forms(self._phones[chat]))
        return tuple(found)

    def known(self, wanted: Fingerprint) -> Fingerprint:
        """A fingerprint that also looks under the ids learned since."""
        forms = self.forms(wanted.chats)
        return wanted.also(forms) if forms else wanted

    def pair(self, one: Any, other: Any) -> None:
        """Learn that two JIDs are one person, if one is a phone's and the other hidden."""
        if not isinstance(one, str) or not isinstance(other, str):
            return
        if one.endswith(PHONE):
            one, other = other, one
        if not one.endswith(LID) or not other.endswith(PHONE) or len(one) <= len(LID):
            return
        with self._lock:
            self._lids.pop(self._phones.pop(one, ""), None)
            self._phones[one] = other
            self._lids[other] = one
            while len(self._phones) > self._most:
                _, phone = self._phones.popitem(last=False)
                self._lids.pop(phone, None)

    def pair_number(self, number: Any, jid: Any) -> None:
        """Learn under which JID the server knows a number, or hidden id, as it was written."""
        if isinstance(number, str) and isinstance(jid, str):
            if jid.endswith(LID):
                self.pair(jid, server_jid(number))
            elif number.endswith(LID):  # 2.3.7 and later answer, and store, the phone
                self.pair(number, jid)

    def learn(self, seen: Any) -> None:
        """Learn from an answer or event: keys, number checks, chats, and lists of them.

        Args:
            seen: A model, its JSON, or a list of either; anything else teaches nothing.
        """
        if isinstance(seen, Model):
            seen = seen.raw
        if is_array(seen):
            for row in seen[:_MOST_ROWS]:
                self.learn(row)
        elif is_object(seen):
            for name, other in _PAIRS:
                self.pair(seen.get(name), seen.get(other))
            if "exists" in seen:  # a number check may answer with the hidden id
                self.pair_number(seen.get("number"), seen.get("jid"))
            for name in ("key", "lastMessage", "messages", "records"):
                inner = seen.get(name)
                if inner is not None:
                    self.learn(inner)
