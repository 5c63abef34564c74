"""Which hidden id (``@lid``) belongs to which phone number, learned from what the server tells.

No rule leads from one to the other, so that nothing here ever computes: only pairs that the server
told stand in the map. Facts: `facts/semantics.md` §5 "LID era".
"""

from __future__ import annotations

import json
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

from evolution_sdk._base.forking import free_in_child
from evolution_sdk._base.json_types import is_array, is_object
from evolution_sdk._common.arguments import checked
from evolution_sdk.errors import ConfigurationError, RequestValidationError
from evolution_sdk.identity import Jid, PhoneNumber

from ._base import Event
from ._reading import jid_or_none

# Pairs of fields that name one person twice, in message keys and where groups are told about.
_PAIRS = (
    ("remoteJid", "remoteJidAlt"),
    ("remoteJid", "previousRemoteJid"),
    ("participant", "participantAlt"),
    ("id", "phoneNumber"),
    ("id", "lid"),
    ("jid", "phoneNumber"),
    ("jid", "lid"),
    ("owner", "ownerPn"),
    ("subjectOwner", "subjectOwnerPn"),
    ("descOwner", "descOwnerPn"),
    ("author", "authorPn"),
)
_INSIDE = ("key", "participants", "participantsData")


@checked()
class LidMap:
    """A bounded map of hidden ids and phone numbers; safe to share between threads.

    One map may serve all instances: a ``@lid`` names the same person everywhere.

    Args:
        max_entries: How many pairs to keep; the ones not used for longest go first.

    Raises:
        RequestValidationError: ``max_entries`` is below 1.
    """

    def __init__(self, max_entries: int = 100_000) -> None:
        if max_entries < 1:
            raise RequestValidationError("max_entries", "must be at least 1")
        self._max_entries = max_entries
        self._phones: OrderedDict[str, str] = OrderedDict()
        self._lids: dict[str, str] = {}
        self._lock = free_in_child(threading.Lock())

    def add(self, lid: Jid, phone: Jid) -> bool:
        """Remember a pair. A newer one replaces what was known of either side.

        Args:
            lid: The hidden id.
            phone: The JID with the phone number.

        Returns:
            Whether it was news; False also for what is no such pair.
        """
        if not (lid.is_lid and phone.is_phone):
            return False
        hidden, known = lid.user, phone.user
        with self._lock:
            if self._phones.get(hidden) == known:
                self._phones.move_to_end(hidden)
                return False
            self._forget(hidden)
            self._forget(self._lids.get(known))
            self._phones[hidden] = known
            self._lids[known] = hidden
            while len(self._phones) > self._max_entries:
                self._forget(next(iter(self._phones)))
        return True

    def learn(self, event: Event[Any]) -> int:
        """Take in every pair that an event tells.

        Args:
            event: Any event; message keys, group members and contacts tell pairs.

        Returns:
            How many were news.
        """
        return sum(self.add(*pair) for pair in pairs_in(event))

    def phone_of(self, who: Jid | str) -> PhoneNumber | None:
        """The phone number of somebody.

        Args:
            who: A ``@lid``, or a phone's JID, which then answers for itself.

        Returns:
            The number, or None where nobody told; never the digits of the ``@lid``.
        """
        jid = jid_or_none(who) if isinstance(who, str) else who
        if jid is None or not jid.is_lid:
            return None if jid is None else jid.phone
        with self._lock:
            known = self._phones.get(jid.user)
            if known is None:
                return None
            self._phones.move_to_end(jid.user)
        return Jid(known, "s.whatsapp.net").phone

    def lid_of(self, phone: PhoneNumber | Jid | str) -> Jid | None:
        """The hidden id of somebody.

        Args:
            phone: A number, or a JID; a ``@lid`` answers for itself.

        Returns:
            The ``@lid``, or None where nobody told.
        """
        if isinstance(phone, PhoneNumber):
            phone = phone.jid
        jid = jid_or_none(phone) if isinstance(phone, str) else phone
        if jid is None or jid.is_lid:
            return None if jid is None else jid.bare
        if not jid.is_phone:
            return None
        with self._lock:
            hidden = self._lids.get(jid.user)
        return None if hidden is None else Jid(hidden, "lid")

    def resolve(self, who: Jid) -> Jid:
        """The phone's JID where it is known, else the id as it is.

        Args:
            who: Anybody.

        Returns:
            A JID without device.
        """
        phone = self.phone_of(who) if who.is_lid else None
        return who.bare if phone is None else phone.jid

    def to_dict(self) -> dict[str, str]:
        """All pairs, the ones not used for longest first.

        Returns:
            Phone digits by the user part of the ``@lid``.
        """
        with self._lock:
            return dict(self._phones)

    @classmethod
    def from_dict(cls, pairs: Mapping[str, str], *, max_entries: int = 100_000) -> Self:
        """Build from what :meth:`to_dict` gave; what is no pair is left out.

        Args:
            pairs: Phone digits by the user part of the ``@lid``.
            max_entries: How many pairs to keep.

        Returns:
            The map.

        Raises:
            RequestValidationError: ``max_entries`` is below 1.
        """
        built = cls(max_entries)
        for hidden, known in pairs.items():
            lid, phone = jid_or_none(f"{hidden}@lid"), jid_or_none(f"{known}@s.whatsapp.net")
            if lid is not None and phone is not None:
                built.add(lid, phone)
        return built

    def save(self, path: str | Path) -> None:
        """Write the map to a file; a crash leaves the former one whole.

        Args:
            path: Where to; only the owner may read it, because it holds phone numbers.

        Raises:
            OSError: It cannot be written.
        """
        place = Path(path)
        if not place.name:
            raise ConfigurationError("path: must be the path of a file.", variable="path")
        made = place.with_name(f"{place.name}.{os.getpid()}.{threading.get_ident()}.tmp")
        try:
            handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(self.to_dict(), file)
                file.flush()
                os.fsync(file.fileno())
            made.replace(place)
        finally:
            made.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: str | Path, *, max_entries: int = 100_000) -> Self:
        """Read a map from a file; empty when there is none yet.

        Args:
            path: Where from.
            max_entries: How many pairs to keep.

        Returns:
            The map.

        Raises:
            ConfigurationError: The file is none that :meth:`save` wrote.
            RequestValidationError: ``max_entries`` is below 1.
        """
        try:
            pairs: Any = json.loads(Path(path).read_text("utf-8"))
        except FileNotFoundError:
            pairs = {}
        except OSError as error:
            raise ConfigurationError(
                f"path: cannot be read ({type(error).__name__}).", variable="path"
            ) from error
        except ValueError as error:
            raise ConfigurationError(f"{path} is no saved LidMap: it is not JSON") from error
        if not is_object(pairs):
            raise ConfigurationError(f"{path} is no saved LidMap: it holds no JSON object")
        return cls.from_dict(pairs, max_entries=max_entries)

    def __len__(self) -> int:
        return len(self._phones)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} of at most {self._max_entries})"

    def _forget(self, hidden: str | None) -> None:
        if hidden is not None and hidden in self._phones:
            del self._lids[self._phones.pop(hidden)]


def pairs_in(event: Event[Any]) -> Iterator[tuple[Jid, Jid]]:
    """Every pair of a hidden id and a phone's JID that an event tells."""
    data = event.raw.get("data", event.raw)
    todo: list[Any] = list(data) if is_array(data) else [data]
    while todo:
        part = todo.pop()
        if not is_object(part):
            continue
        for one, other in _PAIRS:
            if one in part and other in part:
                yield from _pair(jid_or_none(part[one]), jid_or_none(part[other]))
        if "senderPn" in part and part.get("fromMe") is not True:
            # Older servers name the writer apart: in groups the participant, else the chat.
            who = jid_or_none(part.get("participant") or part.get("remoteJid"))
            yield from _pair(who, jid_or_none(part["senderPn"]))
        for name in _INSIDE:
            inner = part.get(name)
            todo.extend(inner if is_array(inner) else [inner])


def _pair(one: Jid | None, other: Jid | None) -> Iterator[tuple[Jid, Jid]]:
    if one is not None and other is not None:
        if one.is_lid and other.is_phone:
            yield one, other
        elif other.is_lid and one.is_phone:
            yield other, one
