"""Pacing of messages: computes a wait from a state, the time and a random number. Pure."""

from __future__ import annotations

import json
import math
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import repeat
from typing import Any, Final, NamedTuple

from evolution_sdk._base.json_types import is_array
from evolution_sdk.config import RateLimitConfig

from .quiet_hours import QuietHours, quiet_until

__all__ = [
    "Line",
    "Place",
    "Rules",
    "Ruling",
    "day_allows",
    "reserve",
    "until_awake",
    "with_own",
    "with_place",
    "without_place",
]

_MINUTE_S = 60.0
_DAY_S = 86_400.0
_EPOCH = date(1970, 1, 1)
# So many places are kept one by one, which is exact. More of them are taken together.
_MOST_ALONE: Final = 64
_MOST_FAR: Final = 32
_MOST_WRITERS: Final = 256
_MOST_NIGHTS: Final = 8
_NOBODY: Final[Mapping[str, int]] = {}
_MISSING: Final[list[Any]] = [(), _NOBODY, ()]  # of a state written by an older version


class Place(NamedTuple):
    """Place of one call in a line: the moment when it was, or will be, let through.

    Where a line is long, several of about the same moment are one: ``at`` is then the latest.

    Attributes:
        at: The moment, in unix seconds.
        step_s: Time by which it moves the steady rate on, in seconds.
        cost: Number of messages that it counts for.
        earlier_s: Time by which the steady rate would be caught up before ``at + step_s``, if
            nothing came before, in seconds: of several, the first ones began earlier than ``at``.
    """

    at: float
    step_s: float = 0.0
    cost: int = 1
    earlier_s: float = 0.0

    @property
    def day(self) -> int:
        """The UTC day, counted from 1970."""
        return int(self.at // _DAY_S)

    def joined(self, later: Place) -> Place:
        """Take a place and a later one together; no limit sees less than of both alone."""
        ends = max(self.ends + later.step_s, later.ends)
        step_s = self.step_s + later.step_s
        return Place(later.at, step_s, self.cost + later.cost, later.at + step_s - ends)

    def without(self, place: Place) -> Place:
        """Take one out of several."""
        step_s = max(0.0, self.step_s - place.step_s)
        # The end stays: nobody knows how much of it was this one's.
        earlier_s = max(0.0, self.at + step_s - self.ends)
        return Place(self.at, step_s, self.cost - place.cost, earlier_s)

    def share(self, cost: int) -> Place:
        """Return a part of several, for so many messages."""
        return Place(self.at, self.step_s * cost / self.cost, cost)

    @property
    def ends(self) -> float:
        """Moment when the steady rate is caught up, if nothing came before."""
        return self.at + self.step_s - self.earlier_s


class Line(NamedTuple):
    """State of the limiter for one instance. All times are unix seconds.

    Attributes:
        due: Moment when the steady rate is caught up with all places that left ``recent``.
        recent: Moments of the places of the last minute and of those to come, in order.
        day: The UTC day (counted from 1970) that ``today`` counts; -1 before the first message.
        today: Messages let through on that day.
        first_day: Day of the first message; -1 before it.
        paused_until: End of a pause, before which nothing is let through.
        weights: ``step_s`` and ``cost`` for each of ``recent``.
        shares: Messages of ``today`` by writer, where several processes share the line.
        earlier: ``earlier_s`` for each of ``weights``; empty where it is 0 for all.
    """

    due: float = 0.0
    recent: tuple[float, ...] = ()
    day: int = -1
    today: int = 0
    first_day: int = -1
    paused_until: float = 0.0
    weights: tuple[tuple[float, int], ...] = ()
    shares: Mapping[str, int] = _NOBODY
    earlier: tuple[float, ...] = ()

    def dump(self) -> str:
        """Return the state as text, for a shared store."""
        return json.dumps(self)

    @classmethod
    def load(cls, text: str | None) -> Line:
        """Read the state from text; None and anything unreadable give an empty state."""
        # Another version may have written it, with fewer or more fields.
        try:
            fields: list[Any] = json.loads(text or "")
            due, recent, day, today, first_day, paused_until, *more = fields
            weights, shares, earlier, *_ = [*more, *_MISSING[len(more) :]]
            return cls(
                float(due),
                tuple(map(float, recent)),
                int(day),
                int(today),
                int(first_day),
                float(paused_until),
                tuple((float(step), int(cost)) for step, cost in weights),
                {str(writer): int(share) for writer, share in shares.items()},
                tuple(map(float, earlier if is_array(earlier) else ())),
            )
        except (ValueError, TypeError, AttributeError, OverflowError):
            return cls()

    @property
    def places(self) -> tuple[Place, ...]:
        """The places of ``recent``; those written by an older version have no weight."""
        bare = len(self.recent) - len(self.weights)
        light = (Place(at) for at in self.recent[:bare])
        whole = len(self.earlier) == len(self.weights)
        kept = zip(
            self.recent[bare:],
            self.weights,
            self.earlier if whole else repeat(0.0),
            strict=False,
        )
        return (*light, *(Place(at, step, cost, early) for at, (step, cost), early in kept))


@dataclass(frozen=True, slots=True)
class Rules:
    """Limits of one kind of traffic; 0 means no limit.

    Attributes:
        interval_s: Average seconds between two messages.
        burst: Messages that may go at once after a pause.
        per_minute: Most messages within any 60 seconds.
        gap_s: Seconds between two messages to one recipient.
        jitter: Largest random extension of a gap, as a share of the gap.
        daily_cap: Most messages per UTC day.
        warmup_start: Most messages on the first day of a warm-up.
        warmup_factor: Allowance of a day as a multiple of the day before.
        warmup_since: First day of the warm-up (counted from 1970), or -1 for the first day seen.
        rate_name: Name of the setting behind ``interval_s``, for the error.
        quiet: Hours in which nothing goes out, or None.
    """

    interval_s: float = 0.0
    burst: int = 1
    per_minute: int = 0
    gap_s: float = 0.0
    jitter: float = 0.0
    daily_cap: int = 0
    warmup_start: int = 0
    warmup_factor: float = 1.0
    warmup_since: int = -1
    rate_name: str = "per_second"
    quiet: QuietHours | None = None

    @classmethod
    def for_messages(cls, config: RateLimitConfig) -> Rules:
        """Make the rules for messages."""
        since = config.warmup_since
        return cls(
            1 / config.per_second if config.per_second else 0.0,
            config.burst,
            config.per_minute,
            config.recipient_gap_ms / 1_000,
            config.jitter,
            config.daily_cap,
            config.warmup_start,
            config.warmup_factor,
            -1 if since is None else (since - _EPOCH).days,
            quiet=QuietHours.of(config),
        )

    @classmethod
    def for_checks(cls, config: RateLimitConfig, batch: int) -> Rules:
        """Make the rules for number checks; a whole batch may always go at once."""
        rate = config.checks_per_minute
        interval = _MINUTE_S / rate if rate else 0.0
        return cls(interval, batch, jitter=config.jitter, rate_name="checks_per_minute")


class Ruling(NamedTuple):
    """Decision about one message.

    Attributes:
        wait_ms: Time to wait, in milliseconds.
        limit: The setting that causes the longest wait; empty if none does.
        line: The state afterwards; None if no place was taken, so that the caller must ask again
            after the wait.
        next_to_recipient: Moment when the next message to this recipient may go, in unix seconds.
        place: The place that was taken, or None.
    """

    wait_ms: float
    limit: str
    line: Line | None
    next_to_recipient: float = 0.0
    place: Place | None = None


def day_allows(rules: Rules, day: int, first_day: int) -> int:
    """Return the messages allowed on a day: ``min(daily_cap, warmup_start * factor ** (n - 1))``.

    Args:
        rules: The limits.
        day: The day, counted from 1970.
        first_day: The first day of the warm-up.

    Returns:
        The number; 0 for no limit.
    """
    if not rules.warmup_start:
        return rules.daily_cap
    try:
        allowed = int(rules.warmup_start * rules.warmup_factor ** max(0, day - first_day))
    except OverflowError:  # beyond what a float holds, so beyond any cap
        return rules.daily_cap
    return min(allowed, rules.daily_cap) if rules.daily_cap else allowed


def reserve(
    rules: Rules,
    line: Line,
    recipient_free_at: float,
    now: float,
    chance: float,
    max_wait_ms: float,
    cost: int = 1,
    writer: str = "",
) -> Ruling:
    """Find the next free moment, and take it unless it is too far away.

    A wait for a recipient takes no place in the line, so that it does not hold up other recipients.

    Args:
        rules: The limits.
        line: State of the instance.
        recipient_free_at: Moment when the recipient may be written to again, in unix seconds.
        now: The present, in unix seconds.
        chance: Random number from 0 to 1.
        max_wait_ms: Longest acceptable wait in milliseconds; a longer one takes no place.
        cost: Number of messages that it counts for.
        writer: Name of the process, where several share the line.

    Returns:
        The wait, and the new state if a place was taken.
    """
    stretch = 1 + rules.jitter * chance
    places = line.places
    caught_up_at = _caught_up(line.due, places)
    # The latest of the moments that the limits allow; its limit is named in the result.
    at, limit = now, ""
    for moment, name in (
        (line.paused_until, "pause"),
        (caught_up_at - max(0, rules.burst - cost) * rules.interval_s, rules.rate_name),
        (_minute_free_at(rules, places), "per_minute"),
    ):
        if moment > at:
            at, limit = moment, name
    at, limit = _awake_at(rules, *_day_free_at(rules, line, at, limit), line)
    if recipient_free_at > max(now, at):
        return Ruling((recipient_free_at - now) * 1_000, "recipient_gap_ms", None)
    wait_ms = (at - now) * 1_000
    if wait_ms > max_wait_ms:
        return Ruling(wait_ms, limit, None)
    # A batch moves the steady rate on by its whole cost.
    place = Place(at, rules.interval_s * cost * stretch, cost)
    after = with_place(rules, line, place, now, writer)
    return Ruling(wait_ms, limit, after, at + rules.gap_s * stretch, place)


def with_place(rules: Rules, line: Line, place: Place, now: float, writer: str = "") -> Line:
    """Add a place to a line.

    Args:
        rules: The limits.
        line: The line.
        place: The place.
        now: The present, in unix seconds; places older than a minute are folded into ``due``.
        writer: Name of the process, where several share the line.

    Returns:
        The new state.
    """
    day = max(place.day, line.day)
    new_day = day != line.day
    shares = dict(_NOBODY if new_day else line.shares)
    if writer:
        shares[writer] = shares.get(writer, 0) + place.cost
        while len(shares) > _MOST_WRITERS:  # the oldest share then counts in ``today`` alone
            del shares[next(iter(shares))]
    places = list(line.places)
    insort(places, place, key=_at)
    return _holding(line, *_folded(rules, line.due, places, now))._replace(
        day=day,
        today=(0 if new_day else line.today) + place.cost,
        first_day=line.first_day if line.first_day >= 0 else day,
        shares=shares,
    )


def without_place(line: Line, place: Place, writer: str = "") -> Line:
    """Give back a place that was not used, as if it had never been taken.

    Later calls keep the moments that they were given.

    Args:
        line: The line.
        place: The place.
        writer: Name of the process, where several share the line.

    Returns:
        The new state.
    """
    lost = line.day != place.day or line.shares.get(writer, 0) < place.cost
    line = _holding(line, line.due, _lifted(line, place, alone=bool(writer) and lost))
    if line.day != place.day or (writer and lost):
        return line  # a past day, or a shared store that has lost the place
    shares = dict(line.shares)
    if writer:
        shares[writer] -= place.cost
    today = max(0, line.today - place.cost)
    # The first message ever was not sent after all: a warm-up has not begun.
    never = today == 0 and line.first_day == line.day
    return line._replace(today=today, shares=shares, first_day=-1 if never else line.first_day)


def with_own(line: Line, own: Line, writer: str) -> Line:
    """Add to a shared line the places of one writer that the store lost or never had.

    Args:
        line: The shared line as found in the store.
        own: The line of the places that this writer took itself.
        writer: Name of the writer.

    Returns:
        The line, which counts at least the writer's own messages.
    """
    first_days = [day for day in (line.first_day, own.first_day) if day >= 0]
    line = line._replace(
        first_day=min(first_days, default=-1),
        paused_until=max(line.paused_until, own.paused_until),
    )
    if own.day < line.day:  # the store counts a later day already
        return line
    if own.day > line.day:
        line = line._replace(day=own.day, today=0, shares=_NOBODY)
    lacking = own.today - line.shares.get(writer, 0)
    if lacking <= 0:
        return line
    places, due, left = list(line.places), line.due, lacking
    for place in reversed(own.places):  # the store lacks the latest ones
        if left <= 0:
            break
        insort(places, place if place.cost <= left else place.share(left), key=_at)
        left -= place.cost
    if left > 0:
        due = max(due, own.due)
    return _holding(line, due, places)._replace(
        today=line.today + lacking, shares={**line.shares, writer: own.today}
    )


def _holding(line: Line, due: float, places: Sequence[Place]) -> Line:
    return line._replace(
        due=due,
        recent=tuple([place.at for place in places]),
        weights=tuple([(place.step_s, place.cost) for place in places]),
        earlier=tuple([place.earlier_s for place in places])
        if any(place.earlier_s for place in places)
        else (),
    )


def _at(place: Place) -> float:
    return place.at


def _caught_up(due: float, places: Iterable[Place]) -> float:
    for at, step_s, _, earlier_s in places:
        due = max(due + step_s, at + step_s - earlier_s)
    return due


def _lifted(line: Line, place: Place, *, alone: bool) -> Sequence[Place]:
    """Take a place out of those of a line, also out of several taken together.

    Args:
        line: The line.
        place: The place.
        alone: Whether the line may lack it: several that it could be among are then another's.
    """
    places = list(line.places)
    if place in places:
        places.remove(place)
        return places
    index = bisect_left(places, place.at, key=_at)
    if alone or index == len(places) or places[index].cost < place.cost:
        return places
    if index == 0 and line.due >= place.ends:
        return places  # it may be folded into ``due`` already
    left = places[index].without(place)
    places[index : index + 1] = [left] if left.cost else []
    return places


def _folded(
    rules: Rules, due: float, places: Sequence[Place], now: float
) -> tuple[float, Sequence[Place]]:
    """Keep the places of the last minute and those to come; fold the others into ``due``."""
    gone = len(places)
    if rules.interval_s or rules.per_minute:
        # Measured from the present and not from the latest place, which may be given back.
        gone = bisect_right(places, now - _MINUTE_S, key=_at)
    kept = places[gone:]
    return _caught_up(due, places[:gone]), kept if len(kept) <= _MOST_ALONE else _joined(kept)


def _joined(places: Sequence[Place]) -> Sequence[Place]:
    """Take places of about the same moment together, so that a line's length has a bound.

    In slots of a second within the minute before the latest place, on which the next one depends,
    and in a limited number of longer ones before that.
    """
    near = places[-1].at - _MINUTE_S
    # A power of two: slots of several lengths then never overlap in part.
    far_s = 2.0 ** max(0, math.frexp((near - places[0].at) / _MOST_FAR)[1])
    joined: list[Place] = []
    slot = None
    for place in places:
        before, slot = slot, place.at // (1.0 if place.at > near else far_s)
        if slot == before and (place.at > near) == (joined[-1].at > near):
            joined[-1] = joined[-1].joined(place)
        else:
            joined.append(place)
    return joined


def _minute_free_at(rules: Rules, places: Sequence[Place]) -> float:
    """Return the moment before which 60 seconds hold fewer than ``per_minute`` places."""
    if not rules.per_minute or not places:
        return 0.0
    # Not before the latest place: places older than a minute before it are forgotten by now.
    latest = places[-1].at
    room = rules.per_minute
    for place in reversed(places):
        room -= place.cost
        if room <= 0:
            return max(latest, place.at + _MINUTE_S)
    return latest


def _day_free_at(rules: Rules, line: Line, at: float, limit: str) -> tuple[float, str]:
    """Move a moment to a day that has places left, and name the limit that moved it."""
    if not (rules.daily_cap or rules.warmup_start):
        return at, limit
    day = int(at // _DAY_S)
    # A place of the next day may be taken already; the counter of days only goes forward.
    if line.day > day:
        day, at, limit = line.day, line.day * _DAY_S, "daily_cap"
    used = line.today if line.day == day else 0
    first = rules.warmup_since if rules.warmup_since >= 0 else line.first_day
    allowed = day_allows(rules, day, first if first >= 0 else day)
    if used >= allowed:
        name = "daily_cap" if allowed == rules.daily_cap else "warmup_start"
        return (day + 1) * _DAY_S, name
    return at, limit


def _awake_at(rules: Rules, at: float, limit: str, line: Line) -> tuple[float, str]:
    """Move a moment out of the quiet hours, to a day that has places left."""
    # Where the day's limit moves it to the next midnight, that may be quiet again.
    for _ in range(_MOST_NIGHTS if rules.quiet else 0):
        awake_at = until_awake(rules, at)
        if awake_at <= at:
            break
        at, limit = _day_free_at(rules, line, awake_at, "quiet_hours")
    return at, limit


def until_awake(rules: Rules, at: float) -> float:
    """Return the first moment from one on that is not within quiet hours, in unix seconds."""
    return at if rules.quiet is None else quiet_until(rules.quiet, at)
