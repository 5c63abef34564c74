"""Memory of who was in contact with each instance, and of the messages that WhatsApp refused.

A chat is known once a message of it came in, or an own one was delivered there. What is not known
here may still be an old contact: the memory begins with the client.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias, TypeGuard

from evolution_sdk._base.bounded_dict import BoundedDict
from evolution_sdk._base.forking import free_in_child
from evolution_sdk._base.handler_log import tell_handler_failure
from evolution_sdk._base.harmless import quiet_logger
from evolution_sdk._base.json_types import is_array, is_object
from evolution_sdk._base.quiet_log import QuietLog
from evolution_sdk.identity.chat_names import Lids, Whom, all_names, tells_of_own
from evolution_sdk.models.message import MessageStatus
from evolution_sdk.models.refusals import Refusal, likely_refusal

if TYPE_CHECKING:
    from evolution_sdk.resilience.new_contacts import NewContactPause

__all__ = ["Contacts", "KnownContacts"]

KnownContacts: TypeAlias = Callable[[str, str], bool] | Collection[str]
"""Chats that are known beside those seen: numbers and JIDs, or a function of instance and JID."""

_log = quiet_logger("evolution_sdk")
_MOST_CHATS: Final = 50_000
_MOST_SENDS: Final = 10_000
_MOST_REFUSALS: Final = 2_000
_MOST_INSTANCES: Final = 4_096
_MOST_ROWS: Final = 5_000
_LONGEST: Final = 100
_LONGEST_NAME: Final = 300
# First contacts of one day count as many: a lock lasts hours at least.
_LATELY_S: Final = 86_400.0
# Fields of a key that name the chat or, in a chat of two, the other person.
_CHAT_FIELDS: Final = ("remoteJid", "remoteJidAlt", "previousRemoteJid", "senderPn")
# Nobody has to be known to write to these: the lock is about chats of two.
_OPEN_TO_ALL: Final = ("@g.us", "@newsletter", "@broadcast")


class _Status(NamedTuple):
    """A status of a message, as far as it says whose it is."""

    names: tuple[str, ...]
    from_me: object

    def is_of(self, key_id: str, chats: tuple[str, ...], lids: Lids) -> bool:
        """Tell if it is about the message with its id that was sent to a chat.

        An id alone proves nothing: others may use it elsewhere.
        """
        if self.from_me is True and chats and self.names == chats[:1]:
            return True  # the usual way, without deriving every form of the name
        chat = Whom(chats, lids)
        return tells_of_own(key_id, chat, self.from_me) and chat.may_be_told_by(*self.names)


class Contacts:
    """Remembers known chats, own sends and refusals; bounded, and safe to use from any thread.

    Args:
        lids: The pairs of hidden ids and phones: a chat is known under both.
        clock: Unix seconds.
        pause: Counts the refusals; None where nothing is paused.
        known: Further chats that are known.
    """

    def __init__(
        self,
        lids: Lids,
        clock: Callable[[], float],
        pause: NewContactPause | None = None,
        known: KnownContacts | None = None,
    ) -> None:
        self._lids = lids
        self._clock = clock
        self._pause = pause
        self._told = known if callable(known) else None
        given = () if known is None or callable(known) else known
        self._given = all_names(each for each in given if _is_text(each))
        self._chats: BoundedDict[tuple[str, str], None] = BoundedDict(_MOST_CHATS)
        self._sends: BoundedDict[tuple[str, str], tuple[str, ...]] = BoundedDict(_MOST_SENDS)
        self._early: BoundedDict[tuple[str, str], _Status] = BoundedDict(_MOST_REFUSALS)
        self._refused: BoundedDict[tuple[str, str], None] = BoundedDict(_MOST_REFUSALS)
        self._strangers: BoundedDict[tuple[str, str], float] = BoundedDict(_MOST_REFUSALS)
        self._listening: BoundedDict[str, None] = BoundedDict(_MOST_INSTANCES)
        self._failures = QuietLog(_log)
        self._lock = free_in_child(threading.Lock())

    def sent(self, instance: str | None, message: Any) -> None:
        """Remember a message that this client sent: refusals of it are surely its own.

        Args:
            instance: The instance that sent it.
            message: The answer to the send.
        """
        key_id, key = getattr(message, "id", None), getattr(message, "key", None)
        if not isinstance(key_id, str) or not key_id:
            return
        told = (getattr(key, "remote_jid", None), getattr(key, "remote_jid_alt", None))
        names = tuple(name for name in told if isinstance(name, str) and name)
        owner = instance or ""
        with self._lock:
            self._sends[owner, key_id] = names
            early = self._early.pop((owner, key_id), None)
        # Its refusal may have overtaken the answer.
        if early is not None and early.is_of(key_id, names, self._lids):
            self.note_refusal(owner, key_id, names)

    def take(self, event: Any, *, verified: bool) -> None:
        """Learn from an event: who wrote, what was delivered, what was refused.

        Args:
            event: The typed event.
            verified: True if it is surely the server's. A refusal that is not counts only for a
                message that this client sent.
        """
        raw = event.raw
        if not is_object(raw):
            return
        instance = event.instance if isinstance(event.instance, str) else ""
        if len(instance) > _LONGEST_NAME:
            return
        data = raw.get("data")
        if event.event == "messages.upsert":
            with self._lock:
                self._listening[instance] = None
            self._incoming(instance, _first(data))
        elif event.event == "messages.set" and is_array(data):
            for row in data[:_MOST_ROWS]:
                self._incoming(instance, row)
        elif event.event == "messages.update":
            # What a backfill finds may be days old: it is no reason to pause now.
            past = getattr(event, "source", None) == "backfill"
            self._status(instance, _first(data), verified, past)

    def note_refusal(self, instance: str | None, message_id: str, chats: Iterable[str]) -> None:
        """Count a refusal of an own message, once.

        Args:
            instance: The instance that sent it.
            message_id: Its id.
            chats: The names of its chat.
        """
        owner, names = instance or "", tuple(chats)
        known = self.knows(owner, names)
        chat = min(all_names(names), default="") or next(iter(names), "")
        with self._lock:
            if (owner, message_id) in self._refused:
                return
            self._refused[owner, message_id] = None
            if not known and names:
                self._strangers[owner, chat] = self._clock()
        if self._pause is not None:
            self._pause.refused(owner, self._clock(), chat)

    def knows(self, instance: str | None, chats: Iterable[str]) -> bool:
        """Tell if a chat is known; a group, a channel and a status always are.

        Args:
            instance: The instance that is in contact.
            chats: The names of the chat: JIDs, or bare digits.
        """
        owner, names = instance or "", Whom(chats, self._lids).names
        if any(name.endswith(_OPEN_TO_ALL) for name in names) or names & self._given:
            return True
        # An event may name a chat by its digits alone, as the EVOLUTION channel does.
        with self._lock:
            seen = any(
                (owner, form) in self._chats
                for name in names
                for form in (name, name.partition("@")[0])
            )
        return seen or any(self._is_told(owner, name) for name in sorted(names))

    def likely(self, instance: str | None, chats: Iterable[str]) -> Refusal | None:
        """Guess why a message was refused, where the server does not tell.

        Args:
            instance: The instance that sent it.
            chats: The names of its chat.

        Returns:
            The likely reason; None where too little is known: the chat is, or this client has
            never been given a message that came in, so that everybody would look like a stranger.
        """
        owner, names = instance or "", tuple(chats)
        with self._lock:
            listening = owner in self._listening
        if not listening or not names or self.knows(owner, names):
            return None
        since = self._clock() - _LATELY_S
        with self._lock:
            many = sum(at > since for (of, _), at in self._strangers.items() if of == owner)
        return likely_refusal(max(1, many))

    def _is_told(self, instance: str, chat: str) -> bool:
        """Ask the caller's own function; one that fails knows nobody."""
        if self._told is None:
            return False
        try:
            return bool(self._told(instance, chat))
        except Exception as error:  # noqa: BLE001 - it is the caller's, and must not stop an event
            tell_handler_failure(self._failures, "known_contacts", error)
            return False

    def _incoming(self, instance: str, data: object) -> None:
        """Learn the chat of a message of somebody else."""
        key = data.get("key") if is_object(data) else None
        if is_object(key) and key.get("fromMe") is False:
            self._learn(instance, (key.get(name) for name in _CHAT_FIELDS))

    def _status(self, instance: str, data: object, verified: bool, past: bool) -> None:
        # An edit comes as a status, too; it says nothing about delivery.
        if not is_object(data) or is_object(data.get("message")):
            return
        key_id, word = data.get("keyId") or data.get("id"), data.get("status")
        if not isinstance(key_id, str) or not isinstance(word, str):
            return
        rank, chat = MessageStatus(word).rank, data.get("remoteJid")
        told = _Status(
            (chat,) if _is_text(chat) and 0 < len(chat) <= _LONGEST else (), data.get("fromMe")
        )
        with self._lock:
            own = self._sends.get((instance, key_id))
        # What was not sent here counts if the server calls it an own message.
        mine = told.from_me is True if own is None else told.is_of(key_id, own, self._lids)
        if not mine:
            return
        names = (*(own or ()), *told.names)
        if rank >= MessageStatus.DELIVERY_ACK.rank:
            self._learn(instance, names)
        elif past:
            return
        elif rank == 0 and (verified or own is not None):
            self.note_refusal(instance, key_id, names)
        elif rank == 0 and len(key_id) <= _LONGEST:
            with self._lock:
                self._early[instance, key_id] = told

    def _learn(self, instance: str, chats: Iterable[object]) -> None:
        # As it is told, without the device: all forms are derived when somebody asks.
        plain = [_without_device(chat) for chat in chats if _is_chat_of_two(chat)]
        with self._lock:
            for chat in plain:
                self._chats[instance, chat] = None


def _first(data: object) -> object:
    """Return the object itself, or the first of a list, as the typed events read it."""
    return (data[0] if data else None) if is_array(data) else data


def _is_text(value: object) -> TypeGuard[str]:
    return isinstance(value, str)


def _is_chat_of_two(value: object) -> TypeGuard[str]:
    return _is_text(value) and 0 < len(value) <= _LONGEST and not value.endswith(_OPEN_TO_ALL)


def _without_device(chat: str) -> str:
    user, at, server = chat.lower().partition("@")
    server = "s.whatsapp.net" if server == "c.us" else server
    return f"{user.partition(':')[0]}{at}{server}"
