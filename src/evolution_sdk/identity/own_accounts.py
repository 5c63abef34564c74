"""The accounts that instances are logged in to, by phone and hidden id, learned in passing."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from evolution_sdk._base.bounded_dict import BoundedDict
from evolution_sdk._base.forking import free_in_child
from evolution_sdk._base.json_types import is_array, is_object

from ._told_pairs import jid_or_none
from ._values import Jid

__all__ = ["OwnAccount", "OwnAccounts"]

_MOST_INSTANCES: Final = 10_000
_MOST_LIDS: Final = 4
_MOST_ROWS: Final = 5_000
_LONGEST: Final = 300
"""Most characters of a name or id that is remembered; made-up ones may have megabytes."""
# Only these tell who wrote a message. In ``messages.edited`` the account stands for the contact
# who edited, with ``fromMe`` true (`facts/versions/baileys.md`, "SDK misreadings").
_OF_MESSAGES: Final = frozenset(
    {
        "messages.upsert", "send.message", "messages.set",
        "MESSAGES_UPSERT", "SEND_MESSAGE", "MESSAGES_SET",
    }
)  # fmt: skip
_OF_CONNECTION: Final = frozenset({"connection.update", "CONNECTION_UPDATE"})
_WRITER: Final = ("participant", "participantAlt", "participantLid", "senderLid")


@dataclass(frozen=True, slots=True, repr=False)
class OwnAccount:
    """An account of WhatsApp, as far as it is known.

    Attributes:
        phone: Its phone's JID.
        lids: Its hidden ids, the newest last; usually one.
        proven: True if the server surely told so.
    """

    phone: Jid | None = None
    lids: tuple[Jid, ...] = ()
    proven: bool = False

    def __repr__(self) -> str:
        return f"{type(self).__name__}(phone={self.phone!r}, lids={len(self.lids)})"


_UNKNOWN: Final = OwnAccount()


class OwnAccounts:
    """The account of each instance; bounded, and safe to share between threads.

    Learned from the envelope's ``sender``, ``connection.update`` (``wuid``), ``fetchInstances``
    (``ownerJid``), and the writer of own messages in groups. Another phone number means another
    account: what was known of the former one is forgotten.
    """

    def __init__(self) -> None:
        self._accounts: BoundedDict[str, OwnAccount] = BoundedDict(_MOST_INSTANCES)
        self._told: BoundedDict[str, tuple[str, bool]] = BoundedDict(_MOST_INSTANCES)
        self._lock = free_in_child(threading.Lock())

    def of(self, instance: str) -> OwnAccount:
        """Return what is known of an instance's account.

        Args:
            instance: Name of the instance.
        """
        return self._accounts.get(instance, _UNKNOWN)

    def learn(self, told: Any, *, proven: bool = True) -> None:
        """Learn from an event, or from the answer of ``fetchInstances``.

        Args:
            told: An event, its envelope, a model, or a list of them; anything else has no effect.
            proven: False if a stranger may have made it up; it then changes nothing that is proven.
        """
        rows: Iterable[Any] = told[:_MOST_ROWS] if is_array(told) else (told,)
        for row in rows:
            raw = getattr(row, "raw", row)
            if is_object(raw):
                learn = self._learn_event if "event" in raw else self._learn_row
                learn(raw, proven)

    def _learn_event(self, raw: Mapping[str, Any], proven: bool) -> None:
        instance, sender, event = raw.get("instance"), raw.get("sender"), raw["event"]
        if type(instance) is not str or not 0 < len(instance) <= _LONGEST:
            return
        # Nearly every event repeats the account: text is compared before it is read.
        if type(sender) is str and self._told.get(instance) != (sender, proven):
            self._phone(instance, sender, proven)
            if len(sender) <= _LONGEST:
                with self._lock:
                    self._told[instance] = (sender, proven)
        if type(event) is not str:
            return
        if event in _OF_CONNECTION:
            for row in _rows(raw.get("data")):
                if isinstance(row.get("wuid"), str):
                    self._phone(instance, row["wuid"], proven)
                    self._look_again(instance)
        elif event in _OF_MESSAGES:
            for row in _rows(raw.get("data")):
                key = row.get("key")
                if is_object(key) and key.get("fromMe") is True:
                    self._writer(instance, key, proven)

    def _learn_row(self, raw: Mapping[str, Any], proven: bool) -> None:
        name, owner = raw.get("name") or raw.get("instanceName"), raw.get("ownerJid")
        if isinstance(name, str) and len(name) <= _LONGEST and isinstance(owner, str):
            known = self.of(name)
            # A list of thousands is asked for again and again, and says the same.
            phone = known.phone
            if not known.proven or phone is None or f"{phone.user}@{phone.server}" != owner:
                self._phone(name, owner, proven)
            self._look_again(name)

    def _look_again(self, instance: str) -> None:
        """Read the next envelope's account, even if it is the one that was read last."""
        # Of thousands of listed instances, few have told anything since.
        if instance in self._told:
            with self._lock:
                self._told.pop(instance, None)

    def _phone(self, instance: str, text: str, proven: bool) -> None:
        jid = jid_or_none(text)
        if jid is None or not jid.is_phone:
            return
        with self._lock:
            known = self.of(instance)
            if known.proven and not proven:
                return
            if known.phone != jid.bare:
                # Hidden ids that were learned before any phone are of the same account.
                lids = known.lids if known.phone is None else ()
                self._accounts[instance] = OwnAccount(jid.bare, lids, proven)
            elif proven and not known.proven:
                self._accounts[instance] = OwnAccount(jid.bare, known.lids, proven)

    def _writer(self, instance: str, key: Mapping[str, Any], proven: bool) -> None:
        told = [jid.bare for jid in map(jid_or_none, map(key.get, _WRITER)) if jid is not None]
        phones = [jid for jid in told if jid.is_phone]
        with self._lock:
            known = self.of(instance)
            if known.proven and not proven:
                return
            # Where the key names another phone, somebody else wrote it.
            if known.phone is not None and phones and known.phone not in phones:
                return
            lids = tuple(jid for jid in told if jid.is_lid and jid not in known.lids)
            if lids:
                kept = (*known.lids, *lids)[-_MOST_LIDS:]
                self._accounts[instance] = OwnAccount(known.phone, kept, known.proven or proven)


def _rows(data: Any) -> Iterator[Mapping[str, Any]]:
    rows = data[:_MOST_ROWS] if is_array(data) else [data]
    return (row for row in rows if is_object(row))
