"""Finding out whether a send happened, after its answer was lost."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from evolution_sdk._core.effect import Effect
from evolution_sdk._core.evidence import (
    Claims,
    Evidence,
    Witness,
    Witnesses,
    event_of,
    looks_ms,
)
from evolution_sdk._core.fingerprint import Fingerprint, fingerprint
from evolution_sdk._core.harmless import quiet_logger
from evolution_sdk._core.lids import LidBook
from evolution_sdk._core.operation import Operation
from evolution_sdk._core.operations.chat import CHECK_WHATSAPP_NUMBERS, FIND_MESSAGES
from evolution_sdk.errors import (
    ChannelNotSupportedError,
    EvolutionAPIError,
    EvolutionError,
    EvolutionTimeoutError,
)
from evolution_sdk.models.base import to_iso
from evolution_sdk.models.message import MessagePage, SentMessage
from evolution_sdk.retry import Absent, Found, Unsettled

from ._seam import Signal
from .storing import Storing

if TYPE_CHECKING:
    from .caller import Caller, Target

_log = quiet_logger("evolution_sdk")

_PAGE_SIZE = 100
_MOST_PAGES = 5
_MARGIN_S = 5.0
_MARGIN_UNKNOWN_CLOCK_S = 120.0
_MOST_HIDDEN = 3
# A proxy gave up; the server behind it works on.
_PROXY_STATUSES = frozenset({502, 503, 504})
_TEACHING = frozenset(
    {
        "chat.find_messages",
        "chat.check_whatsapp_numbers",
        "chat.find_chats",
        "chat.find_contacts",
    }
)


@dataclass(slots=True)
class Lost:
    """A send whose answer was lost.

    Attributes:
        operation: What was sent.
        target: Through which instance.
        body: Its body.
        error: Why its outcome is unknown.
        begun: When it was begun, in unix seconds of our clock.
        hold_ms: How long the server holds such a send before acting, in milliseconds.
        limit_ms: How long the server is given for it beyond that, in milliseconds.
        resend: Whether it will be sent again if it is proven absent.
    """

    operation: Operation[Any]
    target: Target
    body: Mapping[str, Any]
    error: EvolutionError
    begun: float
    hold_ms: float
    limit_ms: float
    resend: bool


@dataclass(slots=True)
class _Hunt:
    """One look-up under way: what is wanted, and what has been learned meanwhile."""

    lost: Lost
    wanted: Fingerprint
    hidden: dict[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    asked: set[str] = field(default_factory=set[str])
    placed: bool = False
    looks: int = 0
    whole: bool = True


class Reconciler:
    """Looks for lost sends in the server's message store, and hears of them by events.

    Each message is matched once at most.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._claims = Claims()
        self._witnesses = Witnesses()
        self._waiting: dict[Signal, _Hunt] = {}
        self._lock = threading.Lock()
        self.lids: LidBook = LidBook()
        self.storing: Storing = Storing(caller)

    def can_resolve(self, operation: Operation[Any]) -> bool:
        """Whether the store can tell: only for messages."""
        return operation.effect is Effect.SEND and operation.group == "message"

    def answered(self, target: Target, body: Mapping[str, Any], result: Any) -> None:
        """Remember that a message belongs to a finished send.

        Args:
            target: Its instance.
            body: Its body.
            result: What the send returned.
        """
        if isinstance(result, SentMessage) and result.id:
            self._claims.take(result.id)
            self.storing.answered(target.instance, result.id)
            self.lids.pair_number(body.get("number"), result.remote_jid)

    def observe(self, operation: Operation[Any], value: Any) -> None:
        """Learn from the answer to a read which hidden ids belong to which numbers."""
        if operation.name in _TEACHING:
            self.lids.learn(list(value.records) if isinstance(value, MessagePage) else value)

    def witness(self, envelope: Any) -> bool:
        """Take a ``send.message`` event as evidence; wakes the look-ups that wait for it.

        Args:
            envelope: The event as webhooks, socket and queues carry it.

        Returns:
            Whether it told of a sent message.
        """
        seen = event_of(envelope, self._caller.wall_clock())
        if seen is None:
            return False
        self.lids.learn(seen.record)
        self._witnesses.add(seen)
        with self._lock:
            waiting = tuple(self._waiting.items())
        for signal, hunt in waiting:
            if self._fits(hunt, seen):
                signal.set()
        return True

    async def resolve(self, lost: Lost) -> Found[SentMessage] | Absent | Unsettled:
        """Look for the message of one send.

        Args:
            lost: The send.

        Returns:
            The message, or what was looked at in vain; ``Absent`` only when that proves something.
        """
        hunt = _Hunt(lost, self.lids.known(fingerprint(lost.operation.name, lost.body)))
        answered = _answered_by_server(lost.error)
        looks = self._schedule(lost)
        for number, wait_ms in enumerate(looks, 1):
            if wait_ms:
                await self._rest(hunt, wait_ms)
            skew, margin_s = self._caller.clock_skew(), self._margin()
            try:
                found = await self._look(hunt)
                # The first answer may tell that the look went by a clock far from the server's.
                if found is None and skew is None and self._far(margin_s):
                    found = await self._look(hunt)
            except EvolutionError as error:
                if number == len(looks) or not error.transient:
                    raise
                continue
            if found is not None:
                return Found(found)
            # An answer, even an error, means that the server is done: one look settles it.
            if answered and not (lost.resend and await self.storing.doubt(lost.target)):
                break
        return await self._in_vain(hunt)

    async def _in_vain(self, hunt: _Hunt) -> Absent | Unsettled:
        lost = hunt.lost
        checked = (
            f"not in the server's message store after {hunt.looks} look(s) under "
            f"{len(hunt.wanted.chats)} chat id(s), nor among the send.message events noted"
        )
        doubt = await self.storing.doubt(lost.target)
        if hunt.hidden:
            doubt = "the same content is stored under a hidden id (@lid) of unknown number"
        elif not hunt.whole:
            doubt = "there were more messages than could be read"
        if doubt is None:
            return Absent(checked)
        checked = f"{checked}; that proves nothing: {doubt}"
        return Unsettled(checked)

    def _schedule(self, lost: Lost) -> tuple[float, ...]:
        """Waits before the looks, in milliseconds."""
        passed_ms = (self._caller.wall_clock() - lost.begun) * 1_000
        patience_ms: float = self._caller.config.retry.reconcile_wait_ms
        hold_ms = 0.0 if _answered_by_server(lost.error) else max(0.0, lost.hold_ms - passed_ms)
        if lost.resend and isinstance(lost.error, EvolutionTimeoutError):
            # The server goes on after we left: absent means nothing before it could be done.
            left_ms = lost.hold_ms + lost.limit_ms - passed_ms - hold_ms
            patience_ms = max(patience_ms, left_ms)
        return looks_ms(patience_ms, hold_ms)

    async def _rest(self, hunt: _Hunt, wait_ms: float) -> None:
        """Wait for the next look, or until an event tells of the message."""
        signal = Signal()
        with self._listening(signal, hunt):
            if not any(True for _ in self._heard(hunt)):
                await self._caller.rest(signal, wait_ms)

    @contextmanager
    def _listening(self, signal: Signal, hunt: _Hunt) -> Generator[None]:
        with self._lock:
            self._waiting[signal] = hunt
        try:
            yield
        finally:
            with self._lock:
                del self._waiting[signal]

    def _fits(self, hunt: _Hunt, seen: Witness) -> bool:
        return (
            seen.instance == hunt.lost.target.instance
            and seen.record["key"]["id"] not in self._claims
            and self.lids.known(hunt.wanted).matches(seen.record)
        )

    def _heard(self, hunt: _Hunt) -> Iterator[Mapping[str, Any]]:
        """Records of events that fit and belong to no send yet."""
        hunt.wanted = self.lids.known(hunt.wanted)
        since = self._since(hunt.lost)
        for record in self._witnesses.matching(hunt.lost.target.instance, hunt.wanted, since):
            if record["key"]["id"] not in self._claims:
                yield record

    async def _look(self, hunt: _Hunt) -> SentMessage | None:
        """Look once: at the events noted, in the chats, then in the whole instance."""
        hunt.looks += 1
        hunt.whole = True
        for record in self._heard(hunt):
            if (sent := self._claim(record, hunt, "event")) is not None:
                return sent
        for chat in hunt.wanted.chats:
            sent = await self._search(hunt, {"remoteJid": chat, "fromMe": True})
            if sent is not None:
                return sent
        if hunt.wanted.lid_unknown and not hunt.placed:
            return await self._place(hunt)
        return None

    async def _place(self, hunt: _Hunt) -> SentMessage | None:
        """Ask under which id the server keeps the number; if it does not tell, look everywhere."""
        before, lost = hunt.wanted.chats, hunt.lost
        body = {"numbers": [lost.body.get("number") or hunt.wanted.phone]}
        try:
            checks = await self._caller.look_up(CHECK_WHATSAPP_NUMBERS, lost.target, body)
            told = [check.jid for check in checks if check.jid]
        except ChannelNotSupportedError:  # only Baileys has hidden ids
            told = [before[0]]
        except EvolutionAPIError as error:
            _log.debug("the number's id is not told: %s", type(error).__name__)
            told = []
        hunt.placed = bool(told)
        hunt.wanted = self.lids.known(hunt.wanted.also(told))
        for chat in hunt.wanted.chats[len(before) :]:
            sent = await self._search(hunt, {"remoteJid": chat, "fromMe": True})
            if sent is not None:
                return sent
        if hunt.placed:
            return None
        return await self._search(hunt, {"fromMe": True}) or await self._unveil(hunt)

    async def _search(self, hunt: _Hunt, key: Mapping[str, Any]) -> SentMessage | None:
        target = hunt.lost.target
        window = {"gte": _iso(self._since(hunt.lost)), "lte": _iso(self._until())}
        for page in range(1, _MOST_PAGES + 1):
            where = {"key": key, "messageTimestamp": window}
            result: MessagePage = await self._caller.look_up(
                FIND_MESSAGES, target, {"where": where, "offset": _PAGE_SIZE, "page": page}
            )
            if result.records:
                self.storing.prove(target.instance)
                hunt.wanted = self.lids.known(hunt.wanted)
            # Oldest first: of two equal texts, the earlier send gets the earlier message.
            for record in reversed(result.records):
                if (sent := self._claim(record.raw, hunt, "store")) is not None:
                    return sent
                if (lid := hunt.wanted.hidden(record.raw)) and record.id not in self._claims:
                    hunt.hidden[lid] = record.raw
            if len(result.records) < _PAGE_SIZE:
                return None
        hunt.whole = False
        return None

    async def _unveil(self, hunt: _Hunt) -> SentMessage | None:
        """Find out from their chats whose the hidden ids are that have the same content."""
        for lid in list(hunt.hidden)[:_MOST_HIDDEN]:
            if lid not in hunt.asked and self.lids.phone_of(lid) is None:
                hunt.asked.add(lid)
                # What comes in from there names the number; the answer teaches us in passing.
                body = {"where": {"key": {"remoteJid": lid}}, "offset": _PAGE_SIZE, "page": 1}
                await self._caller.look_up(FIND_MESSAGES, hunt.lost.target, body)
        hunt.wanted = self.lids.known(hunt.wanted)
        for lid, record in tuple(hunt.hidden.items()):
            if self.lids.phone_of(lid) is not None:
                del hunt.hidden[lid]
                if (sent := self._claim(record, hunt, "store")) is not None:
                    return sent
        return None

    def _claim(
        self, record: Mapping[str, Any], hunt: _Hunt, evidence: Evidence
    ) -> SentMessage | None:
        if not hunt.wanted.matches(record):
            return None
        sent = SentMessage.from_store(record, evidence)
        if not sent.id or not self._claims.take(sent.id):
            return None
        lost = hunt.lost
        _log.info(
            "outcome settled: operation=%r instance=%r evidence=%s looks=%d",
            lost.operation.name, lost.target.instance, evidence, hunt.looks,
        )  # fmt: skip
        return sent

    def _since(self, lost: Lost) -> float:
        skew = self._caller.clock_skew() or 0.0
        return lost.begun + skew - self._margin()

    def _until(self) -> float:
        return self._caller.server_clock() + self._margin()

    def _far(self, seconds: float) -> bool:
        return abs(self._caller.clock_skew() or 0.0) > seconds

    def _margin(self) -> float:
        known = self._caller.clock_skew() is not None
        return _MARGIN_S if known else _MARGIN_UNKNOWN_CLOCK_S


def _iso(seconds: float) -> str:
    return to_iso(datetime.fromtimestamp(seconds, tz=UTC))


def _answered_by_server(error: EvolutionError) -> bool:
    return isinstance(error, EvolutionAPIError) and error.status not in _PROXY_STATUSES
