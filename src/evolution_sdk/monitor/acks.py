"""Whether sends reach WhatsApp: which of them got SERVER_ACK, and in time."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from threading import Lock
from types import MappingProxyType
from typing import Final, NamedTuple

from evolution_sdk.identity.chat_names import Lids, Whom, tells_of_own

from .thresholds import Thresholds

__all__ = ["AckBook", "AckShare"]

_MOST_PENDING: Final = 20_000
_MOST_JUDGED: Final = 2_000
_MOST_INSTANCES: Final = 1_000
_MOST_EARLY_OF_ID: Final = 8

# Baileys says ERROR, PENDING, SERVER_ACK …; Business SENT, DELIVERED, READ, FAILED. A later status
# proves the earlier one, whose own event the server may have dropped (`facts/semantics.md` §7).
_ACKED: Final = frozenset({"SERVER_ACK", "DELIVERY_ACK", "READ", "PLAYED", "SENT", "DELIVERED"})
_FAILED: Final = frozenset({"ERROR", "FAILED"})


@dataclass(frozen=True, slots=True)
class AckShare:
    """How an instance's sends did.

    Attributes:
        judged: Sends whose fate is known.
        unacked: Those without SERVER_ACK in time.
    """

    judged: int = 0
    unacked: int = 0

    @property
    def share(self) -> float | None:
        """Share of sends without it; None without any to judge."""
        return self.unacked / self.judged if self.judged else None


class _Sent(NamedTuple):
    """A send whose fate is open."""

    at: float
    chat: Whom


class _Told(NamedTuple):
    """A status of which no send is known yet."""

    acked: bool
    chat: str
    from_me: bool | None

    def is_of(self, key_id: str, chat: Whom) -> bool:
        return chat.may_be_told_by(self.chat) and tells_of_own(key_id, chat, self.from_me)


class _Instance:
    """The sends of one instance."""

    def __init__(self) -> None:
        self.pending: OrderedDict[str, _Sent] = OrderedDict()
        self.judged: deque[tuple[float, bool]] = deque(maxlen=_MOST_JUDGED)
        self.updates_come = False
        self.last_event = float("-inf")


class AckBook:
    """Pairs sends with their ``messages.update`` events; told by any thread.

    A send is only judged when the instance's updates do come here, and when some event of it came
    after the send: without events nothing is known about the send.

    An update counts for a send to the same chat of the same instance: others may use its id.

    Args:
        thresholds: Says how long a send has, and how long it counts.
        lids: What is known of hidden ids.
    """

    def __init__(self, thresholds: Thresholds, lids: Lids | None = None) -> None:
        self._after = thresholds.ack_after_ms / 1_000
        self._window = thresholds.ack_window_ms / 1_000
        self._lids = lids
        self._instances: dict[str, _Instance] = {}
        self._early: OrderedDict[tuple[str, str], tuple[_Told, ...]] = OrderedDict()
        self._lock = Lock()

    def sent(self, instance: str, key_id: str, now: float, chat: Iterable[str | None] = ()) -> None:
        """Note that a message was accepted by the server; ``chat`` is how its chat is called."""
        with self._lock:
            book = self._book(instance)
            sent = _Sent(now, Whom(chat, self._lids))
            for told in reversed(self._early.pop((instance, key_id), ())):
                if told.is_of(key_id, sent.chat):
                    book.judged.append((now, told.acked))  # its event overtook the answer
                    return
            book.pending[key_id] = sent
            if len(book.pending) > _MOST_PENDING:
                book.pending.popitem(last=False)

    def event(self, instance: str, now: float) -> None:
        """Note that some event came."""
        with self._lock:
            self._book(instance).last_event = now

    def status(
        self,
        instance: str,
        key_id: str,
        status: str,
        now: float,
        *,
        chat: str = "",
        from_me: bool | None = None,
    ) -> None:
        """Note what ``messages.update`` says about a message; empty or None for what it does not.

        Args:
            instance: The instance.
            key_id: WhatsApp's id of the message.
            status: Its status.
            now: When it came, in seconds.
            chat: The chat that it names.
            from_me: Whether it calls the message an own one.
        """
        with self._lock:
            book = self._book(instance)
            book.last_event = now
            acked = status in _ACKED
            if not acked and status not in _FAILED:
                return
            book.updates_come = True
            told = _Told(acked, chat, from_me)
            sent = book.pending.get(key_id)
            if sent is not None:
                if told.is_of(key_id, sent.chat):
                    del book.pending[key_id]
                    book.judged.append((now, acked))
                return
            earlier = self._early.get((instance, key_id), ())
            if told not in earlier and len(earlier) < _MOST_EARLY_OF_ID:
                self._early[instance, key_id] = (*earlier, told)
            if len(self._early) > _MOST_JUDGED:
                self._early.popitem(last=False)

    def shares(self, now: float) -> Mapping[str, AckShare]:
        """How the sends of each instance did lately."""
        with self._lock:
            return MappingProxyType(
                {name: self._judge(book, now) for name, book in self._instances.items()}
            )

    def _judge(self, book: _Instance, now: float) -> AckShare:
        while book.pending:
            key_id, (sent_at, _) = next(iter(book.pending.items()))
            if sent_at + self._after > now:
                break
            del book.pending[key_id]
            if book.updates_come and book.last_event > sent_at:
                book.judged.append((now, False))
        while book.judged and book.judged[0][0] < now - self._window:
            book.judged.popleft()
        return AckShare(len(book.judged), sum(not acked for _, acked in book.judged))

    def _book(self, instance: str) -> _Instance:
        book = self._instances.get(instance)
        if book is None:
            if len(self._instances) >= _MOST_INSTANCES:
                del self._instances[next(iter(self._instances))]
            book = self._instances[instance] = _Instance()
        return book
