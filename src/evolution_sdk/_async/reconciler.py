"""Finding out whether a send happened, after its answer was lost."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from evolution_sdk._core.effect import Effect
from evolution_sdk._core.fingerprint import Fingerprint, fingerprint
from evolution_sdk._core.operation import Operation
from evolution_sdk._core.operations.chat import FIND_MESSAGES
from evolution_sdk.errors import EvolutionAPIError, EvolutionError
from evolution_sdk.models.base import to_iso
from evolution_sdk.models.message import MessagePage, SentMessage, StoredMessage
from evolution_sdk.retry import Absent, Found

if TYPE_CHECKING:
    from .caller import Caller, Target

# The row is written after the message went to the socket, and the server goes on after we left.
LOOKS_MS = (0.0, 400.0, 1_000.0, 1_600.0)
_PAGE_SIZE = 100
_MOST_PAGES = 5
_MARGIN_S = 5.0
_MARGIN_UNKNOWN_CLOCK_S = 120.0
_MOST_CLAIMED = 20_000


class Reconciler:
    """Looks for lost sends in the server's message store; matches each message at most once."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._claimed: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def can_resolve(self, operation: Operation[Any]) -> bool:
        """Whether the store can tell: only for messages."""
        return operation.effect is Effect.SEND and operation.group == "message"

    def claim(self, result: Any) -> bool:
        """Remember that a message belongs to a finished send.

        Args:
            result: What a send returned.

        Returns:
            False when another send had claimed it before.
        """
        if not isinstance(result, SentMessage) or not result.id:
            return True
        with self._lock:
            if result.id in self._claimed:
                return False
            self._claimed[result.id] = None
            while len(self._claimed) > _MOST_CLAIMED:
                self._claimed.popitem(last=False)
            return True

    async def resolve(
        self,
        operation: Operation[Any],
        target: Target,
        body: Mapping[str, Any],
        error: EvolutionError,
        begun: float,
        hold_ms: float,
    ) -> Found[SentMessage] | Absent:
        """Look for the message of one send.

        Args:
            operation: The send.
            target: Its instance.
            body: Its body.
            error: Why its outcome is unknown.
            begun: When it was begun, in unix seconds of our clock.
            hold_ms: How long the server holds such a send before acting, in milliseconds.

        Returns:
            The message as found in the store, or what was looked at in vain.
        """
        wanted = fingerprint(operation.name, body)
        # An answer, even an error, means that the server is done: one look settles it.
        looks = LOOKS_MS[:1] if isinstance(error, EvolutionAPIError) else LOOKS_MS
        if hold_ms and len(looks) > 1:
            looks = (hold_ms, *looks[1:])
        for wait_ms in looks:
            if wait_ms:
                await self._caller.sleep(wait_ms)
            for chat in wanted.chats:
                found = await self._look(target, chat, wanted, begun)
                if found is not None:
                    return Found(found)
        return Absent(
            f"not in the server's message store after {len(looks)} look(s) under "
            f"{len(wanted.chats)} chat id(s); the server may not store messages"
        )

    async def _look(
        self, target: Target, chat: str, wanted: Fingerprint, begun: float
    ) -> SentMessage | None:
        skew = self._caller.clock_skew()
        margin = _MARGIN_UNKNOWN_CLOCK_S if skew is None else _MARGIN_S
        now = self._caller.wall_clock()
        first = to_iso(datetime.fromtimestamp(begun + (skew or 0.0) - margin, tz=UTC))
        last = to_iso(datetime.fromtimestamp(now + (skew or 0.0) + margin, tz=UTC))
        for page in range(1, _MOST_PAGES + 1):
            result: MessagePage = await self._caller.call(
                FIND_MESSAGES,
                target,
                {
                    "where": {
                        "key": {"remoteJid": chat, "fromMe": True},
                        "messageTimestamp": {"gte": first, "lte": last},
                    },
                    "offset": _PAGE_SIZE,
                    "page": page,
                },
                direct=True,
            )
            # Oldest first: of two equal texts, the earlier send gets the earlier message.
            for record in reversed(result.records):
                sent = self._claimed_match(record, wanted)
                if sent is not None:
                    return sent
            if len(result.records) < _PAGE_SIZE:
                break
        return None

    def _claimed_match(self, record: StoredMessage, wanted: Fingerprint) -> SentMessage | None:
        raw = record.raw
        if not wanted.matches(raw):
            return None
        sent = SentMessage.from_store(raw)
        return sent if self.claim(sent) else None
