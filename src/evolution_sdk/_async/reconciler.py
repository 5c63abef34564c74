"""Finding out whether a send happened, after its answer was lost."""

from __future__ import annotations

import threading
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from evolution_sdk._base.effect import Phase
from evolution_sdk._base.forking import free_in_child, in_child
from evolution_sdk._base.harmless import quiet_logger
from evolution_sdk._base.json_types import is_object
from evolution_sdk.errors import EvolutionError
from evolution_sdk.identity import Jid
from evolution_sdk.identity.chat_forms import LID
from evolution_sdk.identity.lids import LidMap, pairs_in
from evolution_sdk.operations.target import Target
from evolution_sdk.reconcile.claimed_ids import ClaimedIds
from evolution_sdk.reconcile.content_match import matches_content
from evolution_sdk.reconcile.fingerprint import Fingerprint, fingerprint
from evolution_sdk.reconcile.message_ids import MessageIds
from evolution_sdk.reconcile.observed_sends import ObservedSend, ObservedSends, event_of, told_of
from evolution_sdk.reconcile.recorded_kinds import form_of
from evolution_sdk.reconcile.search import LostSend, Search, looks_ms
from evolution_sdk.reconcile.send_ledger import Ledger, Send
from evolution_sdk.reconcile.server_clock import Moment, ServerClock, Zone
from evolution_sdk.reconcile.verdict import (
    CONTESTED,
    DOUBTS,
    HIDDEN,
    NUMBERED,
    PARTIAL,
    UNANSWERED,
    Rival,
    Sighting,
    Verdict,
    answered_by_server,
    decide,
    works_on,
)
from evolution_sdk.retry.decision import SendAbsent, SendFound, SendUnsettled

from ._seam import Signal
from .ports import Ports
from .send_search import SendSearch
from .server_probe import ServerProbe
from .store_probe import LATELY_S, StoreProbe
from .store_reads import StoreReads

if TYPE_CHECKING:
    from evolution_sdk.models.message import SentMessage

_log = quiet_logger("evolution_sdk")

_MOST_LIDS = 20_000


class Reconciler:
    """Looks for lost sends in the server's message store, and hears of them by events.

    Each message is matched once at most, and never while it may be another send's.

    Args:
        ports: Time and sleep.
        reads: Asks the store.
        patience_ms: How long a lost send is looked for, in milliseconds.
        ids: Knows where ids of the client's own are heeded.
        probe: Finds out the server's version.
        lids: The pairs of hidden id and phone that are proven. Default: a map in memory.
    """

    def __init__(
        self,
        ports: Ports,
        reads: StoreReads,
        patience_ms: float,
        ids: MessageIds,
        probe: ServerProbe,
        lids: LidMap | None = None,
    ) -> None:
        self._ports = ports
        self._patience_ms = patience_ms
        self._ids = ids
        self._probe = probe
        self._claims = ClaimedIds()
        self._witnesses = ObservedSends()
        self._waiting: dict[Signal, Search] = {}
        self._lock = free_in_child(threading.Lock())
        self.clock: ServerClock = ServerClock()
        self.ledger: Ledger = Ledger()
        self.lids: LidMap = LidMap(_MOST_LIDS) if lids is None else lids
        self._reads = reads
        self.storing: StoreProbe = StoreProbe(ports, reads)
        self._search = SendSearch(reads, self.lids, self._passed, ports.monotonic)
        in_child(self._begin_anew)

    def _begin_anew(self) -> None:
        # What was claimed and seen stays known: no other send may be taken for it here either.
        self._waiting = {}

    def begin(self, send: Send) -> Moment:
        """Note that an attempt of a send is begun.

        Returns:
            Now.
        """
        now = self._ports.moment()
        self.ledger.begin(send, now)
        return now

    def answered(self, send: Send, result: Any, asked: Moment) -> None:
        """Remember which message belongs to a finished send, or that its answer did not say.

        Args:
            send: The send.
            result: What it returned.
            asked: When the attempt was begun.
        """
        from evolution_sdk.models.message import SentMessage

        now = self._ports.moment()
        # An answer without an id leaves a message of ours unnamed: it stays a rival to equal
        # sends.
        if not isinstance(result, SentMessage) or not result.id:
            self.ledger.leave(send, now, nameless=True)
            return
        self.ledger.settle(send)
        self._claims.take((send.instance, result.id))
        # The form of an id tells the channel, unless we made it.
        self.storing.answered(send.instance, result.id, ours=result.id == send.message_id)
        number, jid = send.body.get("number"), result.remote_jid
        if LID in f"{number}{jid}":  # a plain number teaches nothing about hidden ids
            self.lids.learn_number(number, jid)
        if result.sent_at is not None:
            self.clock.learn(result.sent_at.timestamp(), asked, now)

    def failed(self, send: Send, error: BaseException, limit_ms: float) -> None:
        """Note that an attempt failed: surely not sent, or left open.

        Args:
            send: The send.
            error: What it raised; also a cancellation.
            limit_ms: How long the server may be at work on it from its begin, in milliseconds.
        """
        if isinstance(error, EvolutionError) and error.phase is Phase.NOT_SENT:
            self.ledger.settle(send)
            return
        now, limit_s = self._ports.moment(), limit_ms / 1_000
        begun, over = send.begun or now, now
        # The server does not cancel when we leave (facts/semantics.md §6): allow its whole time.
        if not isinstance(error, EvolutionError) or not answered_by_server(error):
            mono = max(now.mono, begun.mono + limit_s)
            over = Moment(mono, max(now.wall, begun.wall + limit_s))
        self.ledger.leave(send, over)

    def learn(self, value: Any, own: Jid | None = None) -> None:
        """Learn from the answer to a read which hidden ids belong to which numbers.

        Args:
            value: The answer.
            own: The account's phone, where it is known.
        """
        told = list(getattr(value, "records", ())) or value
        for lid, phone in pairs_in(told, None if own is None else str(own)):
            self.lids.add(lid, phone)

    def witness(self, envelope: Any, own: Jid | None = None) -> bool:
        """Take a ``send.message`` event as evidence; wakes the look-ups that wait for it.

        Args:
            envelope: The event as webhooks, socket and queues carry it; surely the server's.
            own: The account's phone, where it is known.

        Returns:
            Whether it told of a sent message.
        """
        seen = event_of(envelope, self._ports.wall())
        if seen is None:
            return False
        # The envelope, which names the account: an own message under it makes no pair.
        self.learn(envelope, own)
        self._witnesses.add(seen)
        with self._lock:
            waiting = tuple(self._waiting.items())
        # Outside the lock: matching walks the content of the message.
        for signal, search in waiting:
            if self._fits(search, seen):
                signal.set()
        return True

    async def resolve(self, lost: LostSend) -> SendFound[SentMessage] | SendAbsent | SendUnsettled:
        """Look for the message of one send.

        Args:
            lost: The send.

        Returns:
            The message, or what was searched without finding it; ``SendAbsent`` only when
            that proves that the message was not sent.
        """
        search = self.search_for(lost.target, lost.send)
        answered = answered_by_server(lost.error)
        looks = self._schedule(lost)
        begun = self._ports.monotonic()
        search.until = begun + sum(looks) / 1_000
        due_ms = 0.0
        for number, wait_ms in enumerate(looks, 1):
            due_ms += wait_ms
            left_ms = due_ms - (self._ports.monotonic() - begun) * 1_000
            # Slow looks do not add up: what should be over is left out, but for the last one.
            if left_ms < 0 and number < len(looks):
                continue
            if wait_ms and left_ms > 0:
                await self._rest(search, lost.send, min(wait_ms, left_ms))
            try:
                found = await self.look(search, lost.send)
            except EvolutionError as error:
                # A passing failure of one look is no answer; only the last one is passed on.
                if number == len(looks) or not error.transient:
                    raise
                continue
            if found is not None:
                return self._settled(lost, search, found)
            # An answer, even an error, means that the server is done: one look settles it.
            if answered and not (lost.resend and await self.storing.doubt(lost.target)):
                break
        found = await self.look_everywhere(search, lost.send)
        if found is not None:
            return self._settled(lost, search, found)
        return await self._in_vain(lost, search)

    def search_for(self, target: Target, send: Send, zone: Zone | None = None) -> Search:
        """Begin to look for a send.

        Args:
            target: The instance.
            send: What it was.
            zone: When it can have happened. Default: by its begin, and what clocks tell.
        """
        wanted = fingerprint(send.kind, send.body).resolved(self.lids)
        number = send.body.get("number")
        when = (lambda: self._zone(send)) if zone is None else (lambda: zone)
        return Search(
            target,
            wanted,
            number,
            send.channels,
            when,
            message_id=send.message_id,
            id_chosen=send.id_chosen,
        )

    def claimed(self, target: Target, message_id: str) -> bool:
        """Tell if a message belongs to a send of this client.

        Args:
            target: The instance.
            message_id: Its id.
        """
        return (target.instance, message_id) in self._claims

    async def named(self, search: Search) -> Sighting | None:
        """Look once for the message under the id that it was given.

        Returns:
            The message; it is not claimed.
        """
        self._hear(search)
        if search.named is None:
            await self._search.look_by_id(search)
        return search.named

    async def heeds_ids(self, target: Target, send: Send) -> bool:
        """Tell if the server surely makes our id the message's own: then only the id counts."""
        witness = self._ids.witness(send.instance, send.operation)
        if send.message_id is None or witness is None:
            return False
        # The answers that told so may have been another version's, or another instance's of this
        # name: it is the same one while their message is there.
        profile = await self._probe.anew(target)
        if profile is None or not profile.has("message_ids"):
            return False
        return await self.storing.stored(target, witness)

    async def look(self, search: Search, send: Send) -> Sighting | None:
        """Look once: at the events noted, then in the store.

        Returns:
            The message, claimed for the send.
        """
        self._hear(search)
        before = search.zone().since
        if (found := self._take(search, send)) is not None:
            return found
        if search.message_id is not None:
            await self._search.look_by_id(search)
            if search.named is None and not search.contested and search.exact is None:
                search.exact = await self.heeds_ids(search.target, send)
            if search.named is not None or search.exact or search.contested:
                return self._take(search, send)
        await self._search.look(search, lambda: self._found(search, send) is not None)
        # The first answer may tell that the look went by a clock far from the server's.
        if self._found(search, send) is None and search.zone().since < before - 1:
            await self._search.look(search, lambda: self._found(search, send) is not None)
        return self._take(search, send)

    async def look_everywhere(self, search: Search, send: Send) -> Sighting | None:
        """Look without a limit of time, if nothing proves what the limit is.

        Returns:
            The message, claimed for the send.
        """
        if search.exact or search.contested:
            return None
        if search.zone().proven or self.weigh(search, send).doubt is not None:
            return None
        search.placed = False
        await self._search.look(
            search, lambda: self.weigh(search, send) != Verdict(), everywhere=True
        )
        return self._take(search, send)

    def weigh(self, search: Search, send: Send | None) -> Verdict:
        """Decide by what has been seen so far.

        Args:
            search: What has been seen.
            send: Whose message it may be; None to count no other send's.
        """
        claimed = search.target.instance
        seen = [one for one in search.seen.values() if (claimed, one.id) not in self._claims]
        if send is not None and seen:
            seen = self._without_named(send, seen)
        # Without a sighting there is nothing to contest, so that no rival need be weighed.
        rivals = () if send is None or not seen else self._rivals(send, seen)
        return decide(seen, search.zone(), rivals)

    def _found(self, search: Search, send: Send) -> Sighting | None:
        """The message of the send, if it is proven: by its id, or by what else was seen."""
        if search.contested:
            return None
        if search.named is not None or search.exact:
            return search.named
        return self.weigh(search, send).found

    def _without_named(self, send: Send, seen: list[Sighting]) -> list[Sighting]:
        """Leave out what has the id of another send, and learn that ids are heeded there."""
        named = self.ledger.named(send)
        for one in seen:
            if one.id in named and not named[one.id].id_chosen:
                self._ids.learn(send.instance, named[one.id].operation, one.id)
        return [one for one in seen if one.id not in named]

    async def survey(self, search: Search) -> None:
        """Gather all that looks like what is wanted, without claiming any."""
        self._hear(search)
        await self._search.look(search, lambda: False)

    def under_way(self, instance: str | None, wanted: Fingerprint) -> bool:
        """Tell if a send of this client of the same kind, to the same chat, is under way."""
        return any(
            send.kind == wanted.kind and set(wanted.chats) & set(self._wanted_by(send).chats)
            for send in self.ledger.under_way(instance)
        )

    async def doubt(self, search: Search, known_ids: Collection[str] = ()) -> str | None:
        """Say why not having seen a message proves nothing; None when it does.

        Args:
            search: What was looked for.
            known_ids: Messages that are known to be of other sends.
        """
        zone = search.zone()
        instance = search.target.instance
        if any(
            name not in known_ids
            and (instance, name) not in self._claims
            and zone.place(told_of(record)) != "before"
            for name, record in search.hidden.items()
        ):
            return NUMBERED if search.wanted.by_lid else HIDDEN
        if search.unanswered:
            return UNANSWERED
        if not search.whole:
            return PARTIAL
        # A stored shape that was never recorded may not match: absence proves nothing there.
        form = form_of(search.wanted.kind, search.wanted.body)
        unknown = await self.storing.unrecorded(search.target, form, search.channels)
        return unknown or await self.storing.doubt(search.target)

    async def doubt_strictly(self, search: Search, sent: Sequence[str]) -> str | None:
        """Say why it proves nothing that the store has no message; None only if it has any.

        Args:
            search: What was looked for.
            sent: Ids of messages of the instance that were sent lately, the newest first.
        """
        doubt = await self.storing.doubt_strictly(search.target, sent)
        if doubt is None or sent:
            return doubt
        # Whoever's it is, and whichever way it went: a message of the last minutes.
        newest = await self._reads.find_messages(search.target, {}, size=1)
        for record in newest.records:
            self._passed(search, record.raw)
        return None if self.storing.proven(search.target.instance) else doubt

    async def _in_vain(self, lost: LostSend, search: Search) -> SendAbsent | SendUnsettled:
        if search.exact or search.contested:
            return await self._not_under_id(lost, search)
        checked = (
            f"not in the server's message store after {search.looks} look(s) under "
            f"{len(search.wanted.chats)} chat id(s), nor among the send.message events noted"
        )
        seen = self.weigh(search, lost.send).doubt
        doubt = DOUBTS[seen] if seen is not None else await self.doubt(search)
        if doubt is None:
            # Proven absent and about to be sent anew: until then it owns no message.
            if lost.resend:
                self.ledger.settle(lost.send)
            return SendAbsent(checked)
        return SendUnsettled(f"{checked}; that proves nothing: {doubt}")

    async def _not_under_id(self, lost: LostSend, search: Search) -> SendAbsent | SendUnsettled:
        checked = (
            f"not in the server's message store after {search.looks} look(s) for its id "
            f"{search.message_id}, nor among the send.message events noted"
        )
        doubt = CONTESTED if search.contested else await self.storing.doubt(search.target)
        if doubt is not None:
            return SendUnsettled(f"{checked}; that proves nothing: {doubt}")
        if lost.resend:
            self.ledger.settle(lost.send)
        return SendAbsent(checked)

    def _schedule(self, lost: LostSend) -> tuple[float, ...]:
        """Waits before the looks, in milliseconds."""
        begun = lost.send.begun
        passed_ms = 0.0 if begun is None else (self._ports.monotonic() - begun.mono) * 1_000
        patience_ms = self._patience_ms
        # With a delay, the server sends only after it (facts/semantics.md §6).
        hold_ms = 0.0 if answered_by_server(lost.error) else max(0.0, lost.hold_ms - passed_ms)
        if lost.resend and works_on(lost.error):
            # The server goes on after we left: absent means nothing before it could be done.
            left_ms = lost.hold_ms + lost.limit_ms - passed_ms - hold_ms
            patience_ms = max(patience_ms, left_ms)
        return looks_ms(patience_ms, hold_ms)

    async def _rest(self, search: Search, send: Send, wait_ms: float) -> None:
        """Wait for the next look, or until an event tells of the message."""
        signal = Signal()
        # Listen first, then check: an event between the two would otherwise be missed.
        with self._listening(signal, search):
            self._hear(search)
            if self._found(search, send) is None:
                await self._ports.rest_ms(signal, wait_ms)

    @contextmanager
    def _listening(self, signal: Signal, search: Search) -> Generator[None]:
        with self._lock:
            self._waiting[signal] = search
        try:
            yield
        finally:
            with self._lock:
                self._waiting.pop(signal, None)

    def _fits(self, search: Search, seen: ObservedSend) -> bool:
        return (
            seen.instance == search.target.instance
            and (seen.instance, seen.record["key"]["id"]) not in self._claims
            and (
                seen.record["key"]["id"] == search.message_id
                or search.wanted.resolved(self.lids).matches(seen.record)
            )
        )

    def _hear(self, search: Search) -> None:
        """Note what events have told of."""
        search.wanted = search.wanted.resolved(self.lids)
        since = search.zone().earliest
        for record in self._witnesses.matching(search.target.instance, search.wanted, since - 1):
            search.sight(record, "event")
        if search.message_id is not None:
            for record in self._witnesses.under(search.target.instance, search.message_id):
                search.meet(record, "event")

    def _take(self, search: Search, send: Send) -> Sighting | None:
        """Claim the message of the send, if it is proven."""
        found = self._found(search, send)
        if found is None:
            return None
        # Another search may have claimed it since it was weighed; the claim decides.
        if not self._claims.take((search.target.instance, found.id)):
            # Another send of ours has the message under the id that was chosen for this one, too.
            if found is search.named:
                search.contested = True
            return None
        self.ledger.settle(send)
        if found.id == send.message_id and not send.id_chosen:
            self._ids.learn(send.instance, send.operation, found.id)
        return found

    def _settled(self, lost: LostSend, search: Search, found: Sighting) -> SendFound[SentMessage]:
        _log.info(
            "outcome settled: operation=%r instance=%r evidence=%s looks=%d",
            lost.operation.name, lost.target.instance, found.evidence, search.looks,
        )  # fmt: skip
        from evolution_sdk.models.message import SentMessage

        return SendFound(SentMessage.from_store(found.record, found.evidence))

    def _rivals(self, send: Send, seen: list[Sighting]) -> tuple[Rival, ...]:
        """The other sends of this client that may own some of what was seen."""
        rivals = [self._rival(send, other, seen) for other in self.ledger.rivals(send)]
        return tuple(rival for rival in rivals if rival.owns)

    def _rival(self, send: Send, other: Send, seen: list[Sighting]) -> Rival:
        now = self._ports.moment()
        begun = other.begun or now
        owns = [
            one.id
            for one in seen
            if matches_content(other.kind, other.body, one.record)
            and self._wanted_by(other).matches(one.record)
            and self.clock.could_be(one.told, begun, other.over or now)
        ]
        return Rival(other.place < send.place, owns)

    def _wanted_by(self, other: Send) -> Fingerprint:
        return fingerprint(other.kind, other.body).resolved(self.lids)

    def _zone(self, send: Send) -> Zone:
        now = self._ports.moment()
        return self.clock.zone(send.begun or now, now)

    def _passed(self, search: Search, record: Mapping[str, Any]) -> None:
        """Learn from a record of the store that its instance's messages are stored."""
        key = record.get("key")
        name = key.get("id") if is_object(key) else None
        instance = search.target.instance
        self.storing.saw(instance, name)
        # Proven once, the dates of further records add nothing.
        if self.storing.proven(instance):
            return
        now = self._ports.moment()
        lately = self.clock.zone(Moment(now.mono - LATELY_S, now.wall - LATELY_S), now)
        if (instance, name) in self._claims or lately.place(told_of(record)) == "ours":
            self.storing.prove(instance)
