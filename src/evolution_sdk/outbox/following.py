"""Following messages by events: what a client is fed with moves the rows of the outbox."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from evolution_sdk._base.harmless import harmless, quiet_logger
from evolution_sdk._base.quiet_log import QuietLog
from evolution_sdk._base.serial_worker import SerialWorker
from evolution_sdk.errors import OutboxStoreError
from evolution_sdk.events import Event, MessagesUpdate, SendMessage
from evolution_sdk.events.messages import tells_status
from evolution_sdk.identity.chat_names import Lids, Whom, tells_of_own
from evolution_sdk.models.message import MessageStatus

from .records import OutboxFailure, OutboxMessage
from .store import OutboxStore
from .told import Told, rows_told, take_told

__all__ = ["Follower", "told_by"]

_log = quiet_logger("evolution_sdk.outbox")
_MOST_WAITING = 20_000
_AT_ONCE = 200
# A status may be here before the row says which message is its own: its answer may take a minute.
_FIRST_AGAIN_S = 1.0
_TRIES = 7

_STATES: dict[int, Literal["server", "delivered", "read"]] = {
    MessageStatus.SERVER_ACK.rank: "server",
    MessageStatus.DELIVERY_ACK.rank: "delivered",
    MessageStatus.READ.rank: "read",
    MessageStatus.PLAYED.rank: "read",
}


def told_by(event: Any, lids: Lids | None, now_ms: int) -> Told | None:
    """Say what an event tells about a message that was sent; None if nothing.

    Args:
        event: The typed event.
        lids: Pairs of hidden id and phone.
        now_ms: The present, in milliseconds since 1970.
    """
    instance = getattr(event, "instance", None)
    if not instance:
        return None
    if isinstance(event, SendMessage):
        return _sent(event, instance, lids, now_ms)
    if not isinstance(event, MessagesUpdate):
        return None
    change = event.data
    message_id = change.key_id or change.id  # v1 says "id"
    if not message_id or change.status is None or not tells_status(change):
        return None
    raw: Any = change.raw
    from_me = raw.get("fromMe") if hasattr(raw, "get") else None

    def fits(names: Any) -> bool:
        chat = Whom(names, lids)
        return chat.may_be_told_by(change.remote_jid) and tells_of_own(message_id, chat, from_me)

    if change.status.rank == 0:
        refusal = event.refusal
        failure = OutboxFailure(
            "DeliveryRefusedError",
            "" if refusal is None else refusal.meaning,
            code=None if refusal is None else refusal.code,
        )
        return Told(instance, message_id, fits, "refused", now_ms, failure.dump())
    state = _STATES.get(change.status.rank)
    return None if state is None else Told(instance, message_id, fits, state, now_ms)


def _sent(event: SendMessage, instance: str, lids: Lids | None, now_ms: int) -> Told | None:
    message = event.message
    if not message.id:
        return None

    def fits(names: Any) -> bool:
        chat = Whom(names, lids)
        return chat.may_be_told_by(message.remote_jid, message.chat_alt)

    return Told(instance, message.id, fits, "sent", now_ms)


@dataclass(slots=True)
class _Early:
    """News of a message that no row knows: not ours, or its answer is not here yet.

    Attributes:
        told: What was told.
        tries: How often no row knew it.
        due: When it is looked at again, by a clock that only goes forward.
    """

    told: Told
    tries: int = 0
    due: float = 0.0


class Follower:
    """Writes down what events tell, off the thread that feeds them; never raises.

    Args:
        store: The store.
        lids: Pairs of hidden id and phone.
        wall: Seconds since 1970.
        monotonic: Seconds that only go forward.
        changed: Hears of each message that changed; must not raise.
    """

    def __init__(
        self,
        store: OutboxStore,
        lids: Lids | None,
        wall: Callable[[], float],
        monotonic: Callable[[], float],
        changed: Callable[[OutboxMessage], None],
    ) -> None:
        self._store = store
        self._lids = lids
        self._wall = wall
        self._monotonic = monotonic
        self._changed = changed
        self._waiting: deque[_Early] = deque(maxlen=_MOST_WAITING)
        self._early: dict[str, list[_Early]] = {}
        self._looked = 0.0
        self._worker = SerialWorker("evolution-outbox-events")
        self._quiet = QuietLog(_log)

    def hear(self, event: Event) -> None:
        """Take an event; what it tells is written down soon.

        Args:
            event: The event.
        """
        told = told_by(event, self._lids, round(self._wall() * 1_000))
        if told is not None:
            self._waiting.append(_Early(told))
            if self._worker.waiting < 2:
                self._worker.submit(partial(harmless, self._write))

    def learned(self, message_id: str) -> None:
        """Take note that a row knows its id now: what was told of it before is written down.

        Args:
            message_id: The id.
        """
        # The worker's own thread files what came too early: it may be doing so just now.
        if self._early or self._worker.waiting:
            self._worker.submit(partial(harmless, self._write_early, message_id))

    def flush(self) -> None:
        """Write down all that was told so far."""
        self._worker.submit(partial(harmless, self._write)).result()

    def again(self) -> None:
        """Try once more what was told of messages that no row knew yet."""
        if (self._waiting or self._early) and self._worker.waiting == 0:
            self._worker.submit(partial(harmless, self._write))

    def close(self) -> None:
        """Write down what is left, and end."""
        if self._waiting:
            self.flush()
        self._worker.close()

    def _write_early(self, message_id: str) -> None:
        self._waiting.extend(self._early.pop(message_id, ()))
        self._write()

    def _write(self) -> None:
        self._take_due()
        for _ in range(len(self._waiting) // _AT_ONCE + 1):
            some = [self._waiting.popleft() for _ in range(min(_AT_ONCE, len(self._waiting)))]
            if not some:
                return
            try:
                moved, unknown = self._moved(some)
            except OutboxStoreError as error:
                self._waiting.extendleft(reversed(some))
                self._quiet.trouble(
                    "store", "what events told cannot be written down (%s)", error.kind
                )
                return
            self._quiet.over("store", "what events told is written down again")
            for early in unknown:
                self._put_off(early)
            for message in moved:
                harmless(self._changed, message)

    def _take_due(self) -> None:
        """Look again at what came too early, once a second at most."""
        now = self._monotonic()
        if not self._early or now - self._looked < _FIRST_AGAIN_S:
            return
        self._looked = now
        for message_id, ones in list(self._early.items()):
            if ones[0].due <= now:
                del self._early[message_id]
                self._waiting.extend(ones)

    def _put_off(self, early: _Early) -> None:
        if early.tries >= _TRIES:
            return
        early.due = self._monotonic() + _FIRST_AGAIN_S * 2.0**early.tries
        early.tries += 1
        self._early.setdefault(early.told.message_id, []).append(early)
        if len(self._early) > _MOST_WAITING:
            del self._early[next(iter(self._early))]

    def _moved(self, some: list[_Early]) -> tuple[list[OutboxMessage], list[_Early]]:
        moved: list[OutboxMessage] = []
        # Most of what a phone tells is not the outbox's: that takes no lock.
        with self._store.reading() as session:
            known = [bool(rows_told(session, early.told)) for early in some]
        unknown = [early for early, ours in zip(some, known, strict=True) if not ours]
        if any(known):
            with self._store.writing() as (session, _):
                for early, ours in zip(some, known, strict=True):
                    message = take_told(session, early.told) if ours else None
                    if message is not None:
                        moved.append(message)
        return moved, unknown
