"""Acknowledgements of sends: the sends that got SERVER_ACK in time, and those that did not."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from threading import Lock
from types import MappingProxyType
from typing import Final, NamedTuple

from evolution_sdk._base.bounded_dict import BoundedDict
from evolution_sdk.config._monitoring import Thresholds
from evolution_sdk.identity.chat_names import Lids, Whom, tells_of_own

from .watched import MOST_OTHERS, PerInstance

__all__ = ["NO_SENDS", "AckShare", "AckTracker"]

_MOST_PENDING: Final = 20_000
_MOST_JUDGED: Final = 2_000
_EARLY_PER_INSTANCE: Final = 4
_MOST_EARLY_OF_ID: Final = 8

# Baileys says ERROR, PENDING, SERVER_ACK …; Business SENT, DELIVERED, READ, FAILED. A later status
# proves the earlier one, whose own event the server may have dropped (`facts/semantics.md` §7).
_ACKED: Final = frozenset({"SERVER_ACK", "DELIVERY_ACK", "READ", "PLAYED", "SENT", "DELIVERED"})
_FAILED: Final = frozenset({"ERROR", "FAILED"})


@dataclass(frozen=True, slots=True)
class AckShare:
    """Counts of an instance's sends by their acknowledgement.

    Attributes:
        judged: Sends that were acknowledged, or are overdue.
        unacked: Sends without SERVER_ACK in time.
    """

    judged: int = 0
    unacked: int = 0

    @property
    def share(self) -> float | None:
        """Share of sends without it; None without any to judge."""
        return self.unacked / self.judged if self.judged else None


class _PendingSend(NamedTuple):
    """A send that waits for its acknowledgement."""

    at: float
    chat: Whom


class _EarlyStatus(NamedTuple):
    """A status of a message whose send is not known yet."""

    acked: bool
    chat: str
    from_me: bool | None

    def is_of(self, key_id: str, chat: Whom) -> bool:
        """Tell if it is about the message that was sent to a chat."""
        return chat.may_be_told_by(self.chat) and tells_of_own(key_id, chat, self.from_me)


NO_SENDS: Final = AckShare()


class _InstanceAcks:
    """The sends of one instance."""

    __slots__ = ("_judged", "_unacked", "last_event", "pending", "updates_come")

    def __init__(self) -> None:
        self.pending: BoundedDict[str, _PendingSend] = BoundedDict(_MOST_PENDING)
        self._judged: deque[tuple[float, bool]] = deque()
        # Counted along: each check asks for it.
        self._unacked = 0
        self.updates_come = False
        self.last_event = float("-inf")

    def judge(self, now: float, *, acked: bool) -> None:
        """Count a send whose fate is known."""
        self._judged.append((now, acked))
        self._unacked += not acked
        if len(self._judged) > _MOST_JUDGED:
            self._forget_oldest()

    def share(self, since: float) -> AckShare:
        """Count the sends that were judged since a time."""
        while self._judged and self._judged[0][0] < since:
            self._forget_oldest()
        return AckShare(len(self._judged), self._unacked) if self._judged else NO_SENDS

    def _forget_oldest(self) -> None:
        self._unacked -= not self._judged.popleft()[1]


class AckTracker:
    """Pairs sends with their ``messages.update`` events; safe to use from any thread.

    A send is only judged when the instance's updates do come here, and when some event of it came
    after the send: without events nothing is known about the send.

    An update counts for a send to the same chat of the same instance: others may use its id.

    Args:
        thresholds: Says how long a send has, and how long it counts.
        lids: The known pairs of hidden ids and phones.
    """

    def __init__(self, thresholds: Thresholds, lids: Lids | None = None) -> None:
        self._after = thresholds.ack_after_ms / 1_000
        self._window = thresholds.ack_window_ms / 1_000
        self._lids = lids
        self._instances: PerInstance[_InstanceAcks] = PerInstance()
        self._early: BoundedDict[tuple[str, str], tuple[_EarlyStatus, ...]] = BoundedDict(
            _MOST_JUDGED
        )
        self._lock = Lock()

    @property
    def dropped(self) -> int:
        """Instances forgotten for want of room; a watched one never is."""
        return self._instances.dropped

    def watch(self, names: frozenset[str], most_others: int = MOST_OTHERS) -> None:
        """Say which instances are watched: the bounds follow.

        Args:
            names: Their names.
            most_others: Other instances to remember.
        """
        with self._lock:
            self._instances.watch(names, most_others)
            self._early.max_entries = max(_MOST_JUDGED, _EARLY_PER_INSTANCE * len(names))

    def sent(self, instance: str, key_id: str, now: float, chat: Iterable[str | None] = ()) -> None:
        """Note that a message was accepted by the server.

        Args:
            instance: The instance.
            key_id: WhatsApp's id of the message.
            now: Seconds that never go back.
            chat: The names of its chat.
        """
        with self._lock:
            acks = self._acks_of(instance)
            sent = _PendingSend(now, Whom(chat, self._lids))
            # Its status may have overtaken the answer; the newest one counts.
            for early in reversed(self._early.pop((instance, key_id), ())):
                if early.is_of(key_id, sent.chat):
                    acks.judge(now, acked=early.acked)
                    return
            acks.pending[key_id] = sent

    def event(self, instance: str, now: float) -> None:
        """Note that some event of an instance came."""
        with self._lock:
            self._acks_of(instance).last_event = now

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
        """Note a ``messages.update``; empty or None stand for what it does not say.

        Args:
            instance: The instance.
            key_id: WhatsApp's id of the message.
            status: Its status.
            now: Seconds that never go back.
            chat: The chat that it names.
            from_me: Whether it calls the message an own one.
        """
        with self._lock:
            acks = self._acks_of(instance)
            acks.last_event = now
            acked = status in _ACKED
            # PENDING and the like leave the fate open.
            if not acked and status not in _FAILED:
                return
            acks.updates_come = True
            told = _EarlyStatus(acked, chat, from_me)
            sent = acks.pending.get(key_id)
            if sent is not None:
                # Somebody else's message may bear the same id: it settles nothing.
                if told.is_of(key_id, sent.chat):
                    del acks.pending[key_id]
                    acks.judge(now, acked=acked)
                return
            earlier = self._early.get((instance, key_id), ())
            # Bounded per id, too: whoever repeats an id must not fill the memory.
            if told not in earlier and len(earlier) < _MOST_EARLY_OF_ID:
                self._early[instance, key_id] = (*earlier, told)

    def shares(self, now: float) -> Mapping[str, AckShare]:
        """Count the recent sends of each instance.

        Args:
            now: Seconds that never go back.

        Returns:
            The counts by instance.
        """
        with self._lock:
            return MappingProxyType(
                {name: self._judge(acks, now) for name, acks in self._instances.items()}
            )

    def _judge(self, acks: _InstanceAcks, now: float) -> AckShare:
        # Sends are in the order of their time: the first that is not due ends the search.
        while acks.pending:
            key_id, (sent_at, _) = next(iter(acks.pending.items()))
            if sent_at + self._after > now:
                break
            del acks.pending[key_id]
            # Silence proves nothing where no update ever came, nor any event after the send.
            if acks.updates_come and acks.last_event > sent_at:
                acks.judge(now, acked=False)
        return acks.share(now - self._window)

    def _acks_of(self, instance: str) -> _InstanceAcks:
        acks = self._instances.get(instance)
        if acks is None:
            acks = _InstanceAcks()
            self._instances.put(instance, acks)
        return acks
