"""The map of hidden ids (``@lid``) and phone numbers, learned from the server's data.

No rule leads from one to the other, so nothing is computed: the map holds only pairs that the
server has reported. Facts: `facts/semantics.md` §5 "LID era", `facts/versions/baileys.md`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from evolution_sdk._base.bounded_dict import BoundedDict
from evolution_sdk._base.forking import free_in_child
from evolution_sdk._base.json_types import is_object
from evolution_sdk._common.arguments import checked
from evolution_sdk.errors import ConfigurationError, RequestValidationError

from ._told_pairs import is_stripped_lid, jid_or_none, number_pair, pairs_in
from ._values import Jid, PhoneNumber
from .chat_forms import LID, PHONE, chat_forms
from .lid_store import LidStore, StoreWriter

__all__ = ["LidMap", "is_stripped_lid", "jid_or_none", "pairs_in"]


@checked()
class LidMap:
    """Bounded map of hidden ids and phone numbers; safe to share between threads.

    One map may serve all instances, because a ``@lid`` names the same person everywhere.

    Args:
        max_entries: Limit of pairs; the least recently used are dropped first.
        store: Keeps the pairs beyond the process, see :class:`SqliteLidStore`,
            :class:`PostgresLidStore` and :class:`RedisLidStore`. What it holds is read here
            and now; new pairs are written by a thread of their own, and a store that fails is
            logged and harms nobody.

    Raises:
        RequestValidationError: ``max_entries`` is below 1.
        ConfigurationError: The store cannot be used.
    """

    def __init__(self, max_entries: int = 100_000, *, store: LidStore | None = None) -> None:
        if max_entries < 1:
            raise RequestValidationError("max_entries", "must be at least 1")
        self._lids: dict[str, str] = {}
        self._phones: BoundedDict[str, str] = BoundedDict(max_entries, self._dropped)
        self._lock = free_in_child(threading.Lock())
        self._writer: StoreWriter | None = None
        if store is not None:
            writer = StoreWriter(store)
            self._take(writer.load(max_entries))
            self._writer = writer

    def add(self, lid: Jid, phone: Jid) -> bool:
        """Add a pair, which replaces any older pair of either side.

        Args:
            lid: The hidden id.
            phone: The JID with the phone number.

        Returns:
            True if it was new; False also for ids that are not such a pair, and for the digits of
            a hidden id in place of a phone.
        """
        if not (lid.is_lid and phone.is_phone):
            return False
        hidden, known = lid.user, phone.user
        # Servers that know no phone repeat the digits of the hidden id.
        if hidden == known:
            return False
        with self._lock:
            if self._phones.recall(hidden) == known:
                return False
            # Either side may have belonged to another pair, which is no longer valid.
            self._forget(hidden)
            former = self._lids.get(known)
            self._forget(former)
            self._lids[known] = hidden
            self._phones[hidden] = known
            if self._writer is not None:
                # Within the lock, so that the store hears of changes in their order.
                self._writer.note(
                    {hidden: known} if former is None else {former: None, hidden: known}
                )
        return True

    def forget(self, who: Jid | PhoneNumber | str) -> bool:
        """Forget a person, in the store as well.

        Args:
            who: Their hidden id or phone.

        Returns:
            True if a pair was known.
        """
        lid = self.lid_of(who)
        with self._lock:
            if lid is None or lid.user not in self._phones:
                return False
            self._forget(lid.user)
            if self._writer is not None:
                self._writer.note({lid.user: None})
        return True

    def flush(self) -> None:
        """Wait until everything learned so far has been written to the store, or tried."""
        if self._writer is not None:
            self._writer.flush()

    def close(self) -> None:
        """Write what waits for the store and close it; the map itself can still be used."""
        if self._writer is not None:
            self._writer.close()

    def learn(self, told: Any) -> int:
        """Learn every pair in an event or an answer of the server.

        Args:
            told: An event, a model, their JSON, or a list of them. Message keys, chats, groups and
                their members, contacts, calls and number checks contain pairs; other data, and
                what people wrote, has no effect.

        Returns:
            The number of new pairs.
        """
        new = 0
        for lid, phone in pairs_in(told):
            new += self.add(lid, phone)
        return new

    def learn_number(self, number: Any, jid: Any) -> bool:
        """Learn the JID under which the server knows a recipient.

        Args:
            number: The recipient as written in the request: a number, or a hidden id.
            jid: The JID in the server's answer.

        Returns:
            True if it was new.
        """
        return sum(self.add(*pair) for pair in number_pair(number, jid)) > 0

    def phone_of(self, who: Jid | str) -> PhoneNumber | None:
        """Look up the phone number of a person.

        Args:
            who: A ``@lid``, or a phone's JID, whose own number is returned. Bare digits are a
                hidden id where they are known as one, or have 14 digits or more.

        Returns:
            The number, or None if it is unknown; never the digits of the ``@lid``.
        """
        jid = self._read(who) if isinstance(who, str) else who
        if jid is None or not jid.is_lid:
            return None if jid is None else jid.phone
        with self._lock:
            known = self._phones.recall(jid.user)
        if known is None:
            return None
        return Jid(known, "s.whatsapp.net").phone

    def lid_of(self, phone: PhoneNumber | Jid | str) -> Jid | None:
        """Look up the hidden id of a person.

        Args:
            phone: A number or a JID; a ``@lid`` is returned itself.

        Returns:
            The ``@lid``, or None if it is unknown.
        """
        if isinstance(phone, PhoneNumber):
            phone = phone.jid
        jid = self._read(phone) if isinstance(phone, str) else phone
        if jid is None or jid.is_lid:
            return None if jid is None else jid.bare
        if not jid.is_phone:
            return None
        with self._lock:
            hidden = self._lids.get(jid.user)
        return None if hidden is None else Jid(hidden, "lid")

    def resolve(self, who: Jid) -> Jid:
        """Replace a hidden id with the phone's JID, if it is known.

        Args:
            who: Any JID.

        Returns:
            The phone's JID, or the given one; without device.
        """
        phone = self.phone_of(who) if who.is_lid else None
        return who.bare if phone is None else phone.jid

    def forms(self, chats: Iterable[str]) -> tuple[str, ...]:
        """Return the other ids of chats.

        Args:
            chats: JIDs as the server writes them.

        Returns:
            The hidden ids of phones, and the phones of hidden ids in every form; unknown ones are
            left out.
        """
        found: list[str] = []
        with self._lock:
            for chat in filter(_is_text, chats):
                user = chat.partition("@")[0]
                if chat.endswith(PHONE) and user in self._lids:
                    found.append(f"{self._lids[user]}{LID}")
                elif chat.endswith(LID) and user in self._phones:
                    found.extend(chat_forms(f"{self._phones[user]}{PHONE}"))
        return tuple(found)

    def to_dict(self) -> dict[str, str]:
        """Return all pairs, the least recently used first.

        Returns:
            Phone digits by the user part of the ``@lid``.
        """
        with self._lock:
            return dict(self._phones)

    @classmethod
    def from_dict(cls, pairs: Mapping[str, str], *, max_entries: int = 100_000) -> Self:
        """Build a map from the result of :meth:`to_dict`, leaving out invalid pairs.

        Args:
            pairs: Phone digits by the user part of the ``@lid``.
            max_entries: Limit of pairs.

        Returns:
            The map.

        Raises:
            RequestValidationError: ``max_entries`` is below 1.
        """
        built = cls(max_entries)
        built._take(pairs.items())
        return built

    def save(self, path: str | Path) -> None:
        """Write the map to a file; after a crash the former file is still complete.

        Args:
            path: Path of the file. Only its owner may read it, because it holds phone numbers.

        Raises:
            ConfigurationError: The path does not name a file.
            OSError: The file cannot be written.
        """
        place = Path(path)
        if not place.name:
            raise ConfigurationError("path: must be the path of a file.", variable="path")
        # Loaded by those who save alone: every client has such a map.
        from evolution_sdk._base.private_file import write_private

        write_private(place, json.dumps(self.to_dict()).encode())

    @classmethod
    def load(cls, path: str | Path, *, max_entries: int = 100_000) -> Self:
        """Read a map from a file; the map is empty if the file does not exist yet.

        Args:
            path: Path of the file.
            max_entries: Limit of pairs.

        Returns:
            The map; empty if there is no such file yet.

        Raises:
            ConfigurationError: The file cannot be read, or was not written by :meth:`save`.
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
            raise ConfigurationError(f"{path} is not a saved LidMap: it is not JSON") from error
        if not is_object(pairs):
            raise ConfigurationError(
                f"{path} is not a saved LidMap: it does not hold a JSON object"
            )
        return cls.from_dict(pairs, max_entries=max_entries)

    def __len__(self) -> int:
        return len(self._phones)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} of at most {self._phones.max_entries})"

    def _read(self, text: str) -> Jid | None:
        """Read an id; digits alone may be a hidden id that a server cut off its ``@lid``."""
        if text.isdecimal() and (
            text in self._phones or (is_stripped_lid(text) and text not in self._lids)
        ):
            return Jid(text, "lid")
        return jid_or_none(text)

    def _take(self, pairs: Iterable[tuple[str, str]]) -> None:
        for hidden, known in pairs:
            lid, phone = jid_or_none(f"{hidden}@lid"), jid_or_none(f"{known}@s.whatsapp.net")
            if lid is not None and phone is not None:
                self.add(lid, phone)

    def _forget(self, hidden: str | None) -> None:
        if hidden is not None and hidden in self._phones:
            del self._lids[self._phones.pop(hidden)]

    def _dropped(self, _hidden: str, known: str) -> None:
        del self._lids[known]


def _is_text(value: object) -> bool:
    # A model is iterable, too, so that it passes for a collection of texts.
    return isinstance(value, str)
