"""The map of hidden ids (``@lid``) and phone numbers, learned from the server's data.

No rule leads from one to the other, so nothing is computed: the map holds only pairs that the
server has reported. Facts: `facts/semantics.md` §5 "LID era", `facts/versions/baileys.md`.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

from evolution_sdk._base.bounded_dict import BoundedDict
from evolution_sdk._base.forking import free_in_child
from evolution_sdk._base.json_types import is_array, is_object
from evolution_sdk._common.arguments import checked
from evolution_sdk.errors import ConfigurationError, RequestValidationError

from ._server import server_jid
from ._values import Jid, PhoneNumber
from .chat_forms import LID, PHONE, chat_forms

__all__ = ["LidMap", "jid_or_none", "pairs_in"]

# Pairs of fields that name one person twice: in message keys, chats, group members, contacts.
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
# Fields that contain such objects: in events, group answers, and pages of the store.
_INSIDE = ("key", "participants", "participantsData", "lastMessage", "messages", "records")
# A page of the store has 100 rows and the largest group 2,000 members. The rest of a longer list is
# not read.
_MOST_ROWS = 5_000


@checked()
class LidMap:
    """Bounded map of hidden ids and phone numbers; safe to share between threads.

    One map may serve all instances, because a ``@lid`` names the same person everywhere.

    Args:
        max_entries: Limit of pairs; the least recently used are dropped first.

    Raises:
        RequestValidationError: ``max_entries`` is below 1.
    """

    def __init__(self, max_entries: int = 100_000) -> None:
        if max_entries < 1:
            raise RequestValidationError("max_entries", "must be at least 1")
        self._lids: dict[str, str] = {}
        self._phones: BoundedDict[str, str] = BoundedDict(max_entries, self._dropped)
        self._lock = free_in_child(threading.Lock())

    def add(self, lid: Jid, phone: Jid) -> bool:
        """Add a pair, which replaces any older pair of either side.

        Args:
            lid: The hidden id.
            phone: The JID with the phone number.

        Returns:
            True if it was new; False also for ids that are not such a pair.
        """
        if not (lid.is_lid and phone.is_phone):
            return False
        hidden, known = lid.user, phone.user
        with self._lock:
            if self._phones.recall(hidden) == known:
                return False
            # Either side may have belonged to another pair, which is no longer valid.
            self._forget(hidden)
            self._forget(self._lids.get(known))
            self._lids[known] = hidden
            self._phones[hidden] = known
        return True

    def learn(self, told: Any) -> int:
        """Learn every pair in an event or an answer of the server.

        Args:
            told: An event, a model, their JSON, or a list of them. Message keys, chats, group
                members, contacts and number checks contain pairs; other data has no effect.

        Returns:
            The number of new pairs.
        """
        return sum(self.add(*pair) for pair in pairs_in(told))

    def learn_number(self, number: Any, jid: Any) -> bool:
        """Learn the JID under which the server knows a recipient.

        Args:
            number: The recipient as written in the request: a number, or a hidden id.
            jid: The JID in the server's answer.

        Returns:
            True if it was new.
        """
        return sum(self.add(*pair) for pair in _number_pair(number, jid)) > 0

    def phone_of(self, who: Jid | str) -> PhoneNumber | None:
        """Look up the phone number of a person.

        Args:
            who: A ``@lid``, or a phone's JID, whose own number is returned.

        Returns:
            The number, or None if it is unknown; never the digits of the ``@lid``.
        """
        jid = jid_or_none(who) if isinstance(who, str) else who
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
        jid = jid_or_none(phone) if isinstance(phone, str) else phone
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
        for hidden, known in pairs.items():
            lid, phone = jid_or_none(f"{hidden}@lid"), jid_or_none(f"{known}@s.whatsapp.net")
            if lid is not None and phone is not None:
                built.add(lid, phone)
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
        # Written beside the old file and renamed: the file is the old one or the new one, whole.
        made = place.with_name(f"{place.name}.{os.getpid()}.{threading.get_ident()}.tmp")
        try:
            # Created with these rights, not changed afterwards: it is never readable by others.
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

    def _forget(self, hidden: str | None) -> None:
        if hidden is not None and hidden in self._phones:
            del self._lids[self._phones.pop(hidden)]

    def _dropped(self, _hidden: str, known: str) -> None:
        del self._lids[known]


def _is_text(value: object) -> bool:
    # A model is iterable, too, so that it passes for a collection of texts.
    return isinstance(value, str)


def pairs_in(told: Any) -> Iterator[tuple[Jid, Jid]]:
    """Find every pair of a hidden id and a phone's JID in data of the server.

    Args:
        told: An event, a model, their JSON, or a list of them.
    """
    # A list of things to do instead of recursion, so that the depth of nesting does not matter.
    todo: list[Any] = [told]
    # JSON never contains itself, but what a program hands over may. The parts are kept, not their
    # ids alone: an id is given anew once its object is gone.
    seen: dict[int, Any] = {}
    while todo:
        part = todo.pop()
        part = getattr(part, "raw", part)  # events and models keep what the server wrote
        if id(part) in seen:
            continue
        seen[id(part)] = part
        if is_array(part):
            todo.extend(part[:_MOST_ROWS])
        elif is_object(part):
            if "data" in part:  # the envelope of an event
                todo.append(part["data"])
            yield from _pairs_of(part)
            todo.extend(part[name] for name in _INSIDE if part.get(name))


def _pairs_of(part: Mapping[str, Any]) -> Iterator[tuple[Jid, Jid]]:
    for one, other in _PAIRS:
        if one in part and other in part:
            yield from _pair(part[one], part[other])
    if "senderPn" in part and part.get("fromMe") is not True:
        # Older servers name the writer separately: in groups the participant, otherwise the chat.
        yield from _pair(part.get("participant") or part.get("remoteJid"), part["senderPn"])
    if "exists" in part:  # a number check, which may answer with the hidden id
        yield from _number_pair(part.get("number"), part.get("jid"))


def _number_pair(number: Any, jid: Any) -> Iterator[tuple[Jid, Jid]]:
    if isinstance(number, str) and isinstance(jid, str):
        if jid.endswith(LID):
            yield from _pair(jid, server_jid(number))
        elif number.endswith(LID):  # 2.3.7 and later answer, and store, the phone
            yield from _pair(number, jid)


def _pair(one: Any, other: Any) -> Iterator[tuple[Jid, Jid]]:
    # Most pairs of fields hold no hidden id: a check before parsing saves the time.
    if not (isinstance(one, str) and isinstance(other, str)) or (LID in one) is (LID in other):
        return
    hidden, phone = (one, other) if LID in one else (other, one)
    lid, known = jid_or_none(hidden), jid_or_none(phone)
    if lid is not None and known is not None and lid.is_lid and known.is_phone:
        yield lid, known


def jid_or_none(text: object) -> Jid | None:
    """Read a JID.

    Args:
        text: Anything.

    Returns:
        The JID, or None if it is not one.
    """
    if not isinstance(text, str):
        return None
    try:
        return Jid.parse(text)
    except RequestValidationError:
        return None
