"""Judging if absence from the store proves anything: are messages kept there, and recognised?"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from typing import TYPE_CHECKING

from evolution_sdk._base.forking import free_in_child
from evolution_sdk.models.message import MessagePage
from evolution_sdk.operations.operation import Channel
from evolution_sdk.operations.routes.chat import FIND_MESSAGES
from evolution_sdk.reconcile.recorded_kinds import channel_of, unrecorded

if TYPE_CHECKING:
    from .pipeline import Pipeline, Target

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


class StoreProbe:
    """Finds out, and remembers for ten minutes, that an instance's messages are stored."""

    def __init__(self, caller: Pipeline) -> None:
        self._pipeline = caller
        self._answered: OrderedDict[str | None, deque[str]] = OrderedDict()
        self._proven: dict[str | None, float] = {}
        self._channels: OrderedDict[str | None, Channel] = OrderedDict()
        self._lock = free_in_child(threading.Lock())

    def answered(self, instance: str | None, message_id: str) -> None:
        """Remember a send that was answered: it must be in the store."""
        self.saw(instance, message_id)
        with self._lock:
            ids = self._answered.setdefault(instance, deque(maxlen=_REMEMBERED))
            self._answered.move_to_end(instance)
            ids.append(message_id)
            while len(self._answered) > _MOST_INSTANCES:
                self._answered.popitem(last=False)

    def saw(self, instance: str | None, message_id: object) -> None:
        """Learn from the id of one of an instance's own messages which channel it is."""
        channel = channel_of(message_id) if isinstance(message_id, str) else None
        if channel is not None and self._channels.get(instance) != channel:
            with self._lock:
                self._channels[instance] = channel
                while len(self._channels) > _MOST_INSTANCES:
                    self._channels.popitem(last=False)

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
            body = {"where": {"key": {"fromMe": True}}, "offset": 1, "page": 1}
            page: MessagePage = await self._pipeline.look_up(FIND_MESSAGES, target, body)
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
            if len(self._proven) >= _MOST_INSTANCES:
                self._proven.clear()
            self._proven[instance] = self._pipeline.monotonic()

    def proven(self, instance: str | None) -> bool:
        """Tell if that was lately."""
        seen_at = self._proven.get(instance)
        return seen_at is not None and self._pipeline.monotonic() - seen_at < LATELY_S

    async def doubt(self, target: Target) -> str | None:
        """Why absence from the store proves nothing; None when it does.

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
            if await self._stored(target, message_id):
                return None
        return NOT_STORED if ids else None

    async def _stored(self, target: Target, message_id: str) -> bool:
        page: MessagePage = await self._pipeline.look_up(
            FIND_MESSAGES,
            target,
            {"where": {"key": {"id": message_id}}, "offset": 1, "page": 1},
        )
        if page.records:
            self.prove(target.instance)
        return bool(page.records)
