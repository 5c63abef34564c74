"""Polls, votes and results, in the forms of every version.

Facts: `facts/versions/baileys.md` "Event → shape" (poll votes). Servers up
to 2.3.4 report a vote as ``messages.update``, those since 2.3.7 as ``messages.upsert``, 2.3.5 and
2.3.6 not at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from evolution_sdk._base.json_types import is_array, is_object
from evolution_sdk.identity import Jid
from evolution_sdk.models.message import MessageKey
from evolution_sdk.models.wire import decode_bytes, decode_long

from ._json import jids, object_at, text_at

# A vote is encrypted by AES-GCM, which adds 16 bytes and hides no length; each option is the
# SHA-256 of its name with two bytes before it (``PollVoteMessage`` in WhatsApp's protobuf).
_SEAL_BYTES = 16
_OPTION_BYTES = 34


@dataclass(frozen=True, slots=True)
class Poll:
    """A poll.

    Attributes:
        name: The question.
        options: The options, in their order.
        selectable: Number of options that one person may choose; 0 for any number.
    """

    name: str = field(repr=False)
    options: tuple[str, ...] = field(repr=False)
    selectable: int = 0


@dataclass(frozen=True, slots=True)
class PollCount:
    """The votes for one option, as far as one event or result tells them.

    Attributes:
        name: The option.
        voters: The people who chose it, where they are told.
        count: Number of votes.
    """

    name: str = field(repr=False)
    voters: tuple[Jid, ...] = field(default=(), repr=False)
    count: int = 0


@dataclass(frozen=True, slots=True)
class PollVote:
    """A vote in a poll, or a vote that was taken back.

    A person who votes anew replaces their earlier vote.

    Attributes:
        poll: The poll's message.
        options: Names of the chosen options; empty when the vote was taken back, None when the
            server could not decrypt it, because it has not stored the poll.
        voter: The person, by phone or hidden id, where it is told.
        tally: The options with the voters that this event tells, which is this vote alone.
    """

    poll: MessageKey
    options: tuple[str, ...] | None = field(default=None, repr=False)
    voter: Jid | None = field(default=None, repr=False)
    tally: tuple[PollCount, ...] = field(default=(), repr=False)

    @property
    def poll_id(self) -> str:
        """The WhatsApp id of the poll's message."""
        return self.poll.id

    @property
    def is_readable(self) -> bool:
        """True if it is told what was chosen, or that the vote was taken back."""
        return self.options is not None

    @property
    def is_removed(self) -> bool:
        """True if the vote was taken back."""
        return self.options == ()


@dataclass(frozen=True, slots=True)
class PollResult:
    """The result of a poll, as somebody shared it.

    Attributes:
        name: The question.
        counts: The options with their numbers of votes.
    """

    name: str = field(repr=False)
    counts: tuple[PollCount, ...] = field(default=(), repr=False)


def poll_of(part: Mapping[str, object]) -> Poll:
    """Read a poll."""
    options = part.get("options")
    found = filter(is_object, options) if is_array(options) else ()
    names = (text_at(option, "optionName") for option in found)
    return Poll(
        text_at(part, "name") or "",
        tuple(name for name in names if name is not None),
        decode_long(part.get("selectableOptionsCount")) or 0,
    )


def result_of(part: Mapping[str, object]) -> PollResult:
    """Read the result of a poll."""
    votes = part.get("pollVotes")
    counts = tuple(
        PollCount(
            text_at(vote, "optionName") or "", count=decode_long(vote.get("optionVoteCount")) or 0
        )
        for vote in (filter(is_object, votes) if is_array(votes) else ())
    )
    return PollResult(text_at(part, "name") or "", counts)


def vote_of(part: Mapping[str, object], told: object, voter: Jid | None) -> PollVote:
    """Read the vote of a ``messages.upsert``.

    Args:
        part: The ``pollUpdateMessage``.
        told: The ``pollUpdates`` beside the message, as the server counted this vote.
        voter: The writer of the message.
    """
    vote = object_at(part, "vote")
    tally = tally_of(told)
    voters = {jid for option in tally for jid in option.voters}
    only = next(iter(voters)) if len(voters) == 1 else None
    return PollVote(
        MessageKey.from_wire(object_at(part, "pollCreationMessageKey")),
        _options(vote, tally),
        voter or only,
        tally,
    )


def vote_in_update(poll: MessageKey, told: object) -> PollVote | None:
    """Read the vote of a ``messages.update`` (server 2.2.3); None if there is none.

    Args:
        poll: The poll's message.
        told: The update's ``pollUpdates``.
    """
    tally = tally_of(told)
    if not tally:
        return None
    voters = {jid for option in tally for jid in option.voters}
    # The votes of several people are a count, not the vote of one of them.
    if len(voters) > 1:
        return PollVote(poll, None, None, tally)
    options = tuple(option.name for option in tally if option.voters)
    return PollVote(poll, options, next(iter(voters), None), tally)


def tally_of(told: object) -> tuple[PollCount, ...]:
    """Read ``pollUpdates``: the options, each with its voters."""
    found: list[PollCount] = []
    for option in filter(is_object, told) if is_array(told) else ():
        name, voters = text_at(option, "name"), jids(option.get("voters"))
        if name is not None:
            found.append(PollCount(name, voters, len(voters)))
    return tuple(found)


def _options(vote: Mapping[str, object], tally: tuple[PollCount, ...]) -> tuple[str, ...] | None:
    chosen = vote.get("selectedOptions")
    names = tuple(filter(_is_text, chosen)) if is_array(chosen) else ()
    names = names or tuple(option.name for option in tally if option.voters)
    if names:
        return names
    # 2.3.7 writes an empty list for a vote that it could not decrypt as well as for one taken
    # back; the length of the encrypted vote tells the two apart.
    sealed = decode_bytes(vote.get("encPayload"))
    if sealed is not None and len(sealed) >= _SEAL_BYTES:
        count, rest = divmod(len(sealed) - _SEAL_BYTES, _OPTION_BYTES)
        if not rest:
            return None if count else ()
    # Without a word about the options, nothing was decrypted (recorded: a poll not stored).
    return () if (is_array(chosen) and not chosen) or tally else None


def _is_text(value: object) -> bool:
    return isinstance(value, str)
