"""Votes in a poll: waiting for one, and counting them all. No I/O.

Since server 2.3.7 a vote is a message with its choices. Up to 2.3.4 a server tells a tally of names
instead, in ``messages.update`` (`facts/versions/baileys.md` "poll vote, poll known").
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from evolution_sdk._base.json_types import is_object
from evolution_sdk._common.arguments import checked
from evolution_sdk.events import Event, EventMessage, MessagesUpdate, MessagesUpsert
from evolution_sdk.events.polls import PollVote
from evolution_sdk.identity import Jid, PhoneNumber
from evolution_sdk.identity.chat_forms import PHONE
from evolution_sdk.identity.chat_names import Lids, Whom
from evolution_sdk.models.message import Message, MessageStatus, StoredMessage
from evolution_sdk.models.wire import decode_long

from .event_topics import MESSAGE, STATUS, Topic, chat_topics
from .expectations import as_event, chat_of, checked_id, is_of_instance, places_of

__all__ = ["PollTally", "VoteExpectation"]

_DAY_MS = 86_400_000


class VoteExpectation:
    """Somebody votes in a poll.

    Args:
        message: The poll.
        voter: The only person whose votes count; None for everybody.
        option: The choice that must be among the votes; None for any.
        instance: The instance whose events count; None for any.
        lids: Pairs of hidden id and phone.

    Attributes:
        vote: The event with the vote, once it came.

    Raises:
        RequestValidationError: The message has no id.
    """

    status: MessageStatus | None = None

    def __init__(
        self,
        message: Message,
        *,
        voter: str | Jid | None,
        option: str | None,
        instance: str | None,
        lids: Lids | None = None,
    ) -> None:
        self._poll = _Poll(message, instance, lids)
        self._message = message
        self._voter = None if voter is None else Whom([voter], lids)
        self._option = option
        self._instance = instance
        self._lids = lids
        self.vote: MessagesUpsert | MessagesUpdate | None = None

    @property
    def topics(self) -> Collection[Topic]:
        """Return the topics of the messages of its chat, and of all updates (2.2.3)."""
        return self._poll.topics

    @property
    def done(self) -> bool:
        """Tell if a vote came."""
        return self.vote is not None

    def take(self, event: Event) -> bool:
        """Take an event in.

        Args:
            event: The event.

        Returns:
            True when the expectation is met.
        """
        if self.vote is None and isinstance(event, MessagesUpsert | MessagesUpdate):
            told = self._poll.votes_in(event)
            if any(self._fits(one) for one in told):
                self.vote = event
        return self.done

    def places(self) -> tuple[str, ...]:
        """Return the chats in which votes may be stored, the likeliest first."""
        return places_of(self._message, self._lids)

    def learn(self, records: Iterable[StoredMessage]) -> None:
        """Take stored messages in; a vote names its poll, so that none is older than it.

        Args:
            records: The messages, in any order.
        """
        for record in sorted(records, key=lambda each: each.timestamp):
            event = as_event(record, self._instance)
            if event is not None:
                self.take(event)

    def result(self) -> MessagesUpsert | MessagesUpdate:
        """Return the event; ask only once it is there."""
        assert self.vote is not None  # noqa: S101
        return self.vote

    def _fits(self, vote: _Vote) -> bool:
        if vote.is_own or vote.options == ():
            return False
        if self._voter is not None and not self._voter.is_told_by(*vote.voter):
            return False
        return self._option is None or self._option in (vote.options or ())

    def __str__(self) -> str:
        return f"a vote in poll {self._message.id}"


@dataclass(slots=True)
class _Ballot:
    """The newest vote of one person.

    Attributes:
        names: All his names, in every form of his line.
        told: The names as they were told.
        options: His choices.
        at_ms: Time of the vote, in milliseconds since 1970.
    """

    names: frozenset[str] = field(repr=False)
    told: tuple[str, ...] = field(repr=False)
    options: tuple[str, ...] | None = field(repr=False)
    at_ms: int


@checked()
class PollTally:
    """Counts the votes in one poll: of each person the newest counts, and one taken back does not.

    A person is one voter under phone and hidden id where an event or ``lids`` tells the pair.

    Args:
        sent: The poll, as it was sent or found.
        instance: Only events of this instance count. Default: of any.
        lids: Pairs of hidden id and phone, such as a ``LidMap``. Default: only what events tell.

    Raises:
        RequestValidationError: The message has no id.
    """

    def __init__(
        self, sent: Message, *, instance: str | None = None, lids: Lids | None = None
    ) -> None:
        self._poll = _Poll(sent, instance, lids)
        self._lids = lids
        self._ballots: dict[int, _Ballot] = {}
        # Which ballots have a name: a poll may have thousands of voters.
        self._by_name: dict[str, set[int]] = {}
        self._latest = 0
        poll = EventMessage.from_wire(
            {"message": sent.content, "messageType": sent.message_type}
        ).poll
        self._options = () if poll is None else poll.options

    def take(self, event: Event) -> bool:
        """Take an event in; every event may be given, in any order.

        Args:
            event: The event.

        Returns:
            True if it told a vote in this poll that is not older than the one known of its voter.
        """
        if not isinstance(event, MessagesUpsert | MessagesUpdate):
            return False
        counted = [self._count(vote) for vote in self._poll.votes_in(event)]
        return any(counted)

    @property
    def counts(self) -> Mapping[str, int]:
        """Number of voters by choice; those of the poll first, also without any."""
        counts = dict.fromkeys(self._options, 0)
        for ballot in self._ballots.values():
            for option in ballot.options or ():
                counts[option] = counts.get(option, 0) + 1
        return MappingProxyType(counts)

    @property
    def votes(self) -> Mapping[str, tuple[str, ...]]:
        """The choices by voter: by phone number's JID where it is known, else by hidden id."""
        return MappingProxyType(
            {
                self._shown(ballot): ballot.options
                for ballot in self._ballots.values()
                if ballot.options
            }
        )

    @property
    def unreadable(self) -> int:
        """Number of voters whose newest vote the server could not read."""
        return sum(ballot.options is None for ballot in self._ballots.values())

    def _count(self, vote: _Vote) -> bool:
        names = Whom(vote.voter, self._lids).names
        if not names:
            return False
        # Asked anew each time: a pair that was learned meanwhile makes one voter of two.
        # And of the names that the found ones have beside it: a pair may be known from one side.
        near = names | Whom(names, self._lids).names
        numbers = sorted({number for name in near for number in self._by_name.get(name, ())})
        found = {number: self._ballots[number] for number in numbers}
        found = {number: one for number, one in found.items() if self._is_same(one, names)}
        same = tuple(found.values())
        known = max(same, key=lambda one: one.at_ms, default=None)
        at_ms = vote.at_ms if vote.at_ms is not None else (known.at_ms if known else 0)
        if known is not None and at_ms < known.at_ms:
            return False
        told = (*(str(name) for name in vote.voter if name), *(n for one in same for n in one.told))
        merged = _Ballot(
            names.union(*(one.names for one in same)),
            tuple(dict.fromkeys(told)),
            vote.options,
            at_ms,
        )
        for number, one in found.items():
            del self._ballots[number]
            for name in one.names:
                self._by_name[name].discard(number)
        self._latest += 1
        self._ballots[self._latest] = merged
        for name in merged.names:
            self._by_name.setdefault(name, set()).add(self._latest)
        return True

    def _is_same(self, ballot: _Ballot, names: frozenset[str]) -> bool:
        return bool(names & (ballot.names | Whom(ballot.names, self._lids).names))

    def _shown(self, ballot: _Ballot) -> str:
        """Return the name of a voter: never a form of his number that nobody told."""
        learned = () if self._lids is None else map(self._lids.phone_of, ballot.told)
        phones = (f"{one.digits}{PHONE}" for one in learned if isinstance(one, PhoneNumber))
        names = (*ballot.told, *phones)
        return next((name for name in names if name.endswith(PHONE)), names[0])

    def __repr__(self) -> str:
        return f"PollTally(voters={len(self._ballots)}, unreadable={self.unreadable})"


@dataclass(frozen=True, slots=True)
class _Vote:
    """The vote of one person, as one event tells it.

    Attributes:
        voter: His names.
        options: His choices; empty for a vote taken back, None for one that could not be read.
        at_ms: Time, in milliseconds since 1970; None where it is not told.
        is_own: True if it is of this account.
    """

    voter: tuple[Jid | str | None, ...] = field(repr=False)
    options: tuple[str, ...] | None = field(repr=False)
    at_ms: int | None = None
    is_own: bool = False


class _Poll:
    """A poll, by which the votes in it are told from others."""

    def __init__(self, message: Message, instance: str | None, lids: Lids | None) -> None:
        self._id = checked_id(message)
        self._chat = chat_of(message, lids)
        self._instance = instance

    @property
    def topics(self) -> Collection[Topic]:
        """The topics of the events that can tell a vote."""
        return chat_topics(MESSAGE, self._chat) | {(STATUS, None)}

    def votes_in(self, event: MessagesUpsert | MessagesUpdate) -> list[_Vote]:
        """Return the votes in this poll that an event tells."""
        vote = event.poll_vote
        # An id alone proves nothing: senders choose ids, and others may use this one elsewhere.
        if vote is None or vote.poll_id != self._id or not is_of_instance(event, self._instance):
            return []
        if isinstance(event, MessagesUpdate):
            told = self._chat.is_told_by(event.data.remote_jid)
            return _of_tally(vote) if told else []
        message = event.message
        if not self._chat.is_told_by(message.remote_jid, message.chat, message.chat_alt):
            return []
        voter = (message.sender or event.sender or vote.voter, message.sender_alt)
        options = () if vote.is_removed else vote.options
        return [_Vote(voter, options, _time_ms(message), message.from_me)]


def _of_tally(vote: PollVote) -> list[_Vote]:
    """Return the votes of everybody whom a tally names."""
    # Who took his vote back is not named in it: then nothing is told that could be counted.
    chosen: dict[str, list[str]] = {}
    for count in vote.tally:
        for voter in count.voters:
            chosen.setdefault(str(voter), []).append(count.name)
    return [_Vote((voter,), tuple(names)) for voter, names in chosen.items()]


def _time_ms(message: EventMessage) -> int:
    part = message.content.get("pollUpdateMessage") if message.content is not None else None
    told = decode_long(part.get("senderTimestampMs")) if is_object(part) else None
    # Recorded with a nonsensical 1: the phone's own time counts only where it can be one.
    seconds = message.timestamp.timestamp()
    return (
        told if told is not None and abs(told / 1_000 - seconds) < _DAY_S else int(seconds * 1000)
    )


_DAY_S = 86_400.0
