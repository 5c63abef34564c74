"""Deciding whether a send happened, from the messages that look like it.

Pure: sightings, their places in time and the other sends that may own them, in; a verdict out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

from evolution_sdk.errors import (
    EvolutionAPIError,
    EvolutionError,
    EvolutionTimeoutError,
    UnexpectedResponseError,
)

from .observed_sends import Evidence
from .server_clock import Zone

__all__ = [
    "CLOCKS",
    "CONTESTED",
    "DOUBTS",
    "HIDDEN",
    "NUMBERED",
    "PARTIAL",
    "RIVALS",
    "UNANSWERED",
    "Rival",
    "Sighting",
    "Verdict",
    "answered_by_server",
    "decide",
    "works_on",
]

# A proxy that timed out; the server behind it works on, as after a timeout of our own.
_IMPATIENT = frozenset({408, 460, 499, 504, 524})
# Matching costs more with every rival; beyond this none is tried, and nothing is proven.
_MOST_RIVALS = 64

Doubt: TypeAlias = Literal["clocks", "rivals"]
CLOCKS: Doubt = "clocks"
RIVALS: Doubt = "rivals"
DOUBTS: Mapping[str, str] = {
    CLOCKS: (
        "the same content is stored, but the clocks do not tell whether from this send or from "
        "before it"
    ),
    RIVALS: (
        "the same content is stored, but may be of another send of this client, whose answer "
        "named no message or is not here yet"
    ),
}
HIDDEN = "the same content is stored under a hidden id (@lid) of unknown number"
NUMBERED = "the same content is stored under a phone number of unknown hidden id (@lid)"
CONTESTED = "another message is stored under the id that was chosen for it"
UNANSWERED = "the server did not answer under which id it keeps the recipient"
PARTIAL = "there were more messages than could be read"


class Sighting(NamedTuple):
    """A message that looks like the send and belongs to no other one by its id.

    Attributes:
        id: Its id.
        told: Its ``messageTimestamp``; None when it has none.
        record: The message.
        evidence: Where it was seen.
    """

    id: str
    told: float | None
    record: Any
    evidence: Evidence


class Rival(NamedTuple):
    """Another send that may own some of the sightings.

    Attributes:
        earlier: Whether it was begun before the send that is looked for.
        owns: The ids of the sightings that it may own; at most one of them is its own.
    """

    earlier: bool
    owns: Collection[str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of a look: what the sightings prove.

    Attributes:
        found: The message of the send; None when none is proven to be.
        doubt: Why absence is not proven either; None when it is.
    """

    found: Sighting | None = None
    doubt: Doubt | None = None


def decide(sightings: Sequence[Sighting], zone: Zone, rivals: Sequence[Rival]) -> Verdict:
    """Weigh what was seen.

    A message is the send's own when all other sends can have one each without it. Else nothing is
    proven, for an answer without an id may be a proxy's, and that send never have happened: only
    where nothing fits is the send absent.

    Args:
        sightings: What looks like the send.
        zone: When the send can have happened.
        rivals: The other sends that may own some of them.
    """
    ours = sorted(
        (one for one in sightings if zone.place(one.told) == "ours"),
        key=lambda one: one.told or 0.0,
    )
    others = [rival for rival in rivals if rival.owns]
    if len(others) <= _MOST_RIVALS:
        # Oldest first: of two equal texts, the earlier send gets the earlier message.
        first = sum(rival.earlier for rival in others)
        for one in ours[first:] + ours[:first]:
            if _all_served(others, one.id):
                return Verdict(found=one)
    if ours:
        return Verdict(doubt=RIVALS)
    # Equal content of doubtful time is no proof of the send, and no proof of its absence.
    doubtful = any(zone.place(one.told) == "doubtful" for one in sightings)
    return Verdict(doubt=CLOCKS if doubtful else None)


def _all_served(rivals: Sequence[Rival], without: str) -> bool:
    """Tell if each can have a message of its own, if one message is none of theirs."""
    # Bipartite matching by augmenting paths: sends on one side, messages on the other.
    served: dict[str, Rival] = {}

    def serve(rival: Rival, tried: set[str]) -> bool:
        for name in rival.owns:
            if name != without and name not in tried:
                tried.add(name)
                # Taken already: try to move its holder to another message.
                holder = served.get(name)
                if holder is None or serve(holder, tried):
                    served[name] = rival
                    return True
        return False

    return all(serve(rival, set()) for rival in rivals)


def answered_by_server(error: EvolutionError) -> bool:
    """Tell if the server itself answered, so that it is done with the send."""
    return isinstance(error, EvolutionAPIError) and error.by_server


def works_on(error: EvolutionError) -> bool:
    """Tell if the server was left at work: we, or a proxy, did not wait for its answer."""
    if isinstance(error, EvolutionAPIError | UnexpectedResponseError):
        return not answered_by_server(error) and error.status in _IMPATIENT
    return isinstance(error, EvolutionTimeoutError)
