"""State of the limiter in memory, and what of it goes into a shared store."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from evolution_sdk._base.bounded_dict import BoundedDict
from evolution_sdk._base.forking import free_in_child
from evolution_sdk._base.json_types import is_object

from .pacing import Line, Place, Rules, Ruling, reserve, with_own, with_place, without_place

__all__ = [
    "MemoryStates",
    "Swap",
    "Ticket",
    "address",
    "changes",
    "line_key",
    "recipient_key",
]

_MOST_INSTANCES = 4_096
_MOST_RECIPIENTS = 50_000
# A store forgets an unused instance after this: long enough for a warm-up not to begin again.
_KEPT_MS: Final = 90 * 86_400_000


class Swap(NamedTuple):
    """A change of a value in a shared store.

    Attributes:
        key: Its key.
        old: The value as it was read; None where there was none.
        new: The value to be written.
        kept_ms: Time after which it may be forgotten, in milliseconds.
    """

    key: str
    old: str | None
    new: str
    kept_ms: int


@dataclass(slots=True)
class Ticket:
    """A place that was taken, with the data to give it back.

    Attributes:
        line_key: Key of its line.
        recipient_key: Key of the recipient whose gap begins with it, or None.
        place: The place.
        free_before: Moment when the recipient was free before, in unix seconds.
        free_after: Moment when the recipient is free afterwards, in unix seconds.
        shared: True if it was taken in the shared store.
        handed_over: True if the request may have left, so that the place was used.
    """

    line_key: str
    recipient_key: str | None
    place: Place
    free_before: float = 0.0
    free_after: float = 0.0
    shared: bool = False
    handed_over: bool = False


class MemoryStates:
    """State of one process; bounded, and safe for threads.

    With a writer's name it also keeps the places of its own, to restore them in a shared store
    that has lost them.

    Args:
        writer: Name of this process in a shared store; empty without one.
        most_instances: Most instances remembered; those unused for longest go first.
        most_recipients: Most recipients remembered.
    """

    def __init__(
        self,
        writer: str = "",
        *,
        most_instances: int = _MOST_INSTANCES,
        most_recipients: int = _MOST_RECIPIENTS,
    ) -> None:
        self.writer: str = writer
        self._lines: BoundedDict[str, Line] = BoundedDict(most_instances)
        self._own: BoundedDict[str, Line] = BoundedDict(most_instances)
        self._recipients: BoundedDict[str, float] = BoundedDict(most_recipients)
        self._lock = free_in_child(threading.Lock())

    def disown(self, writer: str) -> None:
        """Continue under another name after a fork, without the places of the parent.

        Args:
            writer: Name of this process in a shared store.
        """
        self.writer = writer
        self._own = BoundedDict(self._own.max_entries)

    def take(
        self,
        rules: Rules,
        line_key: str,
        recipient_key: str | None,
        now: float,
        chance: float,
        max_wait_ms: float,
        cost: int = 1,
    ) -> Ruling:
        """Decide about one message from the state of this process, and remember the decision.

        Args:
            rules: The limits.
            line_key: Key of the line.
            recipient_key: Key of the recipient, or None.
            now: The present, in unix seconds.
            chance: Random number from 0 to 1.
            max_wait_ms: Longest acceptable wait in milliseconds; a longer one takes no place.
            cost: Number of messages that it counts for.

        Returns:
            The decision.
        """
        with self._lock:
            line = self._merged(line_key, self._lines.get(line_key, Line()))
            free_at = self._recipients.get(recipient_key, 0.0) if recipient_key else 0.0
            ruling = reserve(rules, line, free_at, now, chance, max_wait_ms, cost, self.writer)
            self._note(rules, line_key, recipient_key, ruling, now)
            return ruling

    def learn(
        self, rules: Rules, line_key: str, recipient_key: str | None, ruling: Ruling, now: float
    ) -> None:
        """Remember a decision that was made on the shared state.

        Args:
            rules: The limits.
            line_key: Key of the line.
            recipient_key: Key of the recipient, or None.
            ruling: The decision, which the store has accepted.
            now: The present, in unix seconds.
        """
        with self._lock:
            self._note(rules, line_key, recipient_key, ruling, now)

    def merged(self, line_key: str, line: Line) -> Line:
        """Add to a line of the shared store the places of ours that it lacks.

        Args:
            line_key: Key of the line.
            line: The line as found in the store.

        Returns:
            The line, which counts at least the messages of this process.
        """
        with self._lock:
            return self._merged(line_key, line)

    def free_at(self, recipient_key: str) -> float:
        """Return the moment when a recipient may be written to again, in unix seconds."""
        with self._lock:
            return self._recipients.get(recipient_key, 0.0)

    def give_back(self, ticket: Ticket) -> None:
        """Give back a place that was not used.

        Args:
            ticket: Ticket of the place.
        """
        with self._lock:
            for lines, writer in ((self._lines, self.writer), (self._own, "")):
                line = lines.get(ticket.line_key)
                if line is not None:
                    lines[ticket.line_key] = without_place(line, ticket.place, writer)
            key = ticket.recipient_key
            # Unless a later message has moved the recipient's gap on.
            if key is not None and self._recipients.get(key) == ticket.free_after:
                self._recipients[key] = ticket.free_before

    def pause(self, line_key: str, until: float) -> None:
        """Let nothing through before a moment.

        Args:
            line_key: Key of the line.
            until: The moment, in unix seconds.
        """
        with self._lock:
            for lines in (self._lines, self._own) if self.writer else (self._lines,):
                line = lines.get(line_key, Line())
                paused = line._replace(paused_until=max(line.paused_until, until))
                lines[line_key] = paused

    def paused_until(self, line_key: str) -> float:
        """Return the end of a line's pause, in unix seconds; 0 without a pause."""
        with self._lock:
            return self._lines.get(line_key, Line()).paused_until

    def _merged(self, line_key: str, line: Line) -> Line:
        own = self._own.get(line_key)
        return line if own is None else with_own(line, own, self.writer)

    def _note(
        self, rules: Rules, line_key: str, recipient_key: str | None, ruling: Ruling, now: float
    ) -> None:
        if ruling.line is None or ruling.place is None:
            return
        self._lines[line_key] = ruling.line
        if self.writer:
            own = with_place(rules, self._own.get(line_key, Line()), ruling.place, now)
            # The first day may be another process's. Kept here, so that the warm-up does not begin
            # again when the store loses its data.
            own = own._replace(first_day=min(own.first_day, ruling.line.first_day))
            self._own[line_key] = own
        if recipient_key and rules.gap_s:
            self._recipients[recipient_key] = ruling.next_to_recipient


def line_key(kind: str, instance: str) -> str:
    """Return the key of an instance's line."""
    return f"{{{instance}}}:{kind}"  # in braces: a Redis cluster keeps these together


def recipient_key(instance: str, recipient: str) -> str:
    """Return the key of a recipient; the number is hashed, so that the store does not hold it."""
    digest = hashlib.blake2b(recipient.encode(), digest_size=12).hexdigest()
    return f"{{{instance}}}:to:{digest}"


def address(body: Mapping[str, Any]) -> str | None:
    """Return the chat that a message goes to, from its body; None if it names no chat."""
    key = body.get("key")  # of a reaction
    number = key.get("remoteJid") if is_object(key) else body.get("number")
    if not isinstance(number, str):
        return None
    return number.removesuffix("@s.whatsapp.net").lstrip("+")


def changes(
    keys: Sequence[str],
    old: Sequence[str | None],
    line: Line,
    recipient: float | None,
    now: float,
) -> list[Swap]:
    """Make the changes of an instance's line and, if given, of a recipient's time.

    Args:
        keys: Key of the line, and that of the recipient.
        old: Their values as they were read.
        line: The line.
        recipient: Moment from which the recipient may be written to, in unix seconds, or None.
        now: The present, in unix seconds.
    """
    swaps = [Swap(keys[0], old[0], line.dump(), _KEPT_MS)]
    # A recipient's gap is short, so its key goes soon after the gap ends.
    if recipient is not None:
        left_ms = max(1_000, int((recipient - now) * 1_000) + 1_000)
        swaps.append(Swap(keys[1], old[1], repr(recipient), left_ms))
    return swaps
