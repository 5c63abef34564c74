"""Judging if absence from the store proves anything: are messages kept there, and recognised?"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

from evolution_sdk._base.bounded_dict import BoundedDict
from evolution_sdk._base.forking import free_in_child
from evolution_sdk.operations.operation import Channel
from evolution_sdk.operations.target import Target
from evolution_sdk.reconcile.recorded_kinds import channel_of, unrecorded

from .ports import Ports
from .store_reads import StoreReads

_MOST_INSTANCES = 4_096
_REMEMBERED = 3
LATELY_S = 600.0
NOT_RECORDED = (
    "how a server stores this kind of message ({kind}) on the channel {channels} was never "
    "recorded, so that it may be there unrecognised; it is never sent again by itself"
)

# Baileys alone has a switch for it; the other channels always store (the server's source).
NOT_STORED = (
    "the server does not store this instance's messages: a send of this client that was answered "
    "is not in its store; switch DATABASE_SAVE_DATA_NEW_MESSAGE on"
)


NOTHING_SENT = (
    "no send of this instance was answered yet and no message of the last minutes is stored, so "
    "that nothing tells if the server stores messages at all"
)


class StoreProbe:
    """Finds out, and remembers for ten minutes, that an instance's messages are stored.

    Args:
        ports: Time.
        reads: Asks the store.
    """

    def __init__(self, ports: Ports, reads: StoreReads) -> None:
        self._ports = ports
        self._reads = reads
        self._answered: BoundedDict[str | None, deque[str]] = BoundedDict(_MOST_INSTANCES)
        self._proven: BoundedDict[str | None, float] = BoundedDict(_MOST_INSTANCES)
        self._channels: BoundedDict[str | None, Channel] = BoundedDict(_MOST_INSTANCES)
        self._lock = free_in_child(threading.Lock())

    def answered(self, instance: str | None, message_id: str, *, ours: bool = False) -> None:
        """Remember a send that was answered: it must be in the store.

        Args:
            instance: The instance.
            message_id: The id of the message.
            ours: Whether we made it, so that its form tells nothing.
        """
        if not ours:
            self.saw(instance, message_id)
        with self._lock:
            ids = self._answered.recall(instance)
            if ids is None:
                ids = self._answered[instance] = deque(maxlen=_REMEMBERED)
            ids.append(message_id)

    def saw(self, instance: str | None, message_id: object) -> None:
        """Learn from the id of one of an instance's own messages which channel it is."""
        channel = channel_of(message_id) if isinstance(message_id, str) else None
        if channel is not None and self._channels.get(instance) != channel:
            with self._lock:
                self._channels[instance] = channel

    async def unrecorded(
        self, target: Target, form: str, channels: tuple[Channel, ...]
    ) -> str | None:
        """Say why not having recognised a message proves nothing; None when it does.

        Args:
            target: The instance.
            form: The form of the send, by ``form_of``.
            channels: On which it can have been sent.
        """
        gaps = unrecorded(form, channels)
        if not gaps:
            return None
        if target.instance not in self._channels:
            page = await self._reads.find_messages(target, {"key": {"fromMe": True}}, size=1)
            for record in page.records:
                self.saw(target.instance, record.id)
        channel = self._channels.get(target.instance)
        if channel is not None and channel not in gaps:
            return None
        return NOT_RECORDED.format(
            kind=form, channels=" or ".join(gaps if channel is None else (channel,))
        )

    def prove(self, instance: str | None) -> None:
        """A message of the instance was seen in the store."""
        with self._lock:
            self._proven[instance] = self._ports.monotonic()

    def proven(self, instance: str | None) -> bool:
        """Tell if that was lately."""
        seen_at = self._proven.get(instance)
        return seen_at is not None and self._ports.monotonic() - seen_at < LATELY_S

    async def doubt(self, target: Target) -> str | None:
        """Say why absence from the store proves nothing; None when it does.

        Args:
            target: The instance.

        Returns:
            None when an answered send of this client is stored, and before any was answered:
            nothing tells a server that stores nothing from one that has nothing yet, and whoever
            chose to send again when it is absent has chosen it for that case, too.
        """
        if self.proven(target.instance):
            return None
        with self._lock:
            ids = tuple(self._answered.get(target.instance, ()))
        for message_id in reversed(ids):
            if await self.stored(target, message_id):
                return None
        return NOT_STORED if ids else None

    async def doubt_strictly(self, target: Target, sent: Sequence[str]) -> str | None:
        """Say why absence from the store proves nothing; None only where something is stored.

        For who sends again without having been told to: before anything was answered nothing
        tells a server that stores nothing from one that has nothing yet.

        Args:
            target: The instance.
            sent: Ids of messages of the instance that were sent lately, the newest first.
        """
        if self.proven(target.instance):
            return None
        for message_id in sent:
            if await self.stored(target, message_id):
                return None
        return NOT_STORED if sent else NOTHING_SENT

    async def stored(self, target: Target, message_id: str) -> bool:
        """Look for a message by its id.

        Args:
            target: The instance.
            message_id: The id.
        """
        page = await self._reads.find_messages(target, {"key": {"id": message_id}}, size=1)
        if page.records:
            self.prove(target.instance)
        return bool(page.records)
