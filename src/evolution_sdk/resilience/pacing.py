"""How long a message has to wait: decided from a state, the time and a draw. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from evolution_sdk.config import RateLimitConfig

__all__ = ["Line", "Rules", "Ruling", "day_allows", "reserve"]

_MINUTE_S = 60.0
_DAY_S = 86_400.0
_EPOCH = date(1970, 1, 1)


class Line(NamedTuple):
    """What is remembered of one instance. All times are unix seconds.

    Attributes:
        due: When the steady rate is caught up with all that was let through.
        recent: When those of the last minute were let through, or will be; in order.
        day: The day (since 1970, UTC) that ``today`` counts; -1 before the first.
        today: How many were let through on that day.
        first_day: The day of the first one; -1 before.
        paused_until: Nothing before that.
    """

    due: float = 0.0
    recent: tuple[float, ...] = ()
    day: int = -1
    today: int = 0
    first_day: int = -1
    paused_until: float = 0.0

    def dump(self) -> str:
        """As text, for a shared store."""
        return json.dumps(self)

    @classmethod
    def load(cls, text: str | None) -> Line:
        """From text; a new one from None, or from what is no state of ours."""
        try:
            due, recent, day, today, first_day, paused_until = json.loads(text or "")
            return cls(
                float(due), tuple(map(float, recent)), day, today, first_day, float(paused_until)
            )
        except (ValueError, TypeError):
            return cls()


@dataclass(frozen=True, slots=True)
class Rules:
    """The limits of one kind of traffic; 0 stands for no limit.

    Attributes:
        interval_s: Seconds between two, in the long run.
        burst: So many may go at once after a pause.
        per_minute: Most within any 60 seconds.
        gap_s: Seconds between two to one recipient.
        jitter: By up to this share of itself each gap is longer.
        daily_cap: Most per day.
        warmup_start: Most on the first day.
        warmup_factor: What each day allows, as a multiple of the day before.
        warmup_since: The first day (since 1970), or -1 for the first one seen.
        rate_name: Setting behind ``interval_s``, for whoever is refused.
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

    @classmethod
    def for_messages(cls, config: RateLimitConfig) -> Rules:
        """The rules for messages."""
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
        )

    @classmethod
    def for_checks(cls, config: RateLimitConfig, batch: int) -> Rules:
        """The rules for asking which numbers exist; a batch may always go at once."""
        rate = config.checks_per_minute
        interval = _MINUTE_S / rate if rate else 0.0
        return cls(interval, batch, jitter=config.jitter, rate_name="checks_per_minute")


class Ruling(NamedTuple):
    """What is decided about one message.

    Attributes:
        wait_ms: How long to wait, in milliseconds.
        limit: The setting that makes it wait longest; empty when none does.
        line: The instance's state afterwards; None when no place was taken, so that one has to
            ask again after the wait.
        next_to_recipient: When the next one to this recipient may go, in unix seconds.
    """

    wait_ms: float
    limit: str
    line: Line | None
    next_to_recipient: float = 0.0


def day_allows(rules: Rules, day: int, first_day: int) -> int:
    """How many messages a day allows: ``min(daily_cap, warmup_start * factor ** (n - 1))``.

    Args:
        rules: The limits.
        day: Which day, since 1970.
        first_day: The first day of the warm-up.

    Returns:
        The number; 0 for no limit.
    """
    if not rules.warmup_start:
        return rules.daily_cap
    try:
        allowed = int(rules.warmup_start * rules.warmup_factor ** max(0, day - first_day))
    except OverflowError:
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
) -> Ruling:
    """Find the next free moment, and take it unless it is too far away.

    Waiting for a recipient takes no place in the line, so that nobody else waits behind it.

    Args:
        rules: The limits.
        line: The instance's state.
        recipient_free_at: When the recipient may be written to again, in unix seconds.
        now: Unix seconds.
        chance: A draw from 0 to 1.
        max_wait_ms: A longer wait takes no place, in milliseconds.
        cost: How many it counts for.

    Returns:
        How long to wait, and the new state when a place was taken.
    """
    stretch = 1 + rules.jitter * chance
    at, limit = now, ""
    for moment, name in (
        (line.paused_until, "pause"),
        (line.due - max(0, rules.burst - cost) * rules.interval_s, rules.rate_name),
        (_minute_free_at(rules, line), "per_minute"),
    ):
        if moment > at:
            at, limit = moment, name
    at, limit, today = _day_free_at(rules, line, at, limit)
    if recipient_free_at > max(now, at):
        return Ruling((recipient_free_at - now) * 1_000, "recipient_gap_ms", None)
    wait_ms = (at - now) * 1_000
    if wait_ms > max_wait_ms:
        return Ruling(wait_ms, limit, None)
    day = int(at // _DAY_S)
    kept = tuple(moment for moment in line.recent if moment > at - _MINUTE_S)
    after = Line(
        max(line.due, at) + rules.interval_s * cost * stretch,
        (*kept, at) if rules.per_minute else (),
        day,
        today + cost,
        line.first_day if line.first_day >= 0 else day,
        line.paused_until,
    )
    return Ruling(wait_ms, limit, after, at + rules.gap_s * stretch)


def _minute_free_at(rules: Rules, line: Line) -> float:
    """When fewer than ``per_minute`` lie within the 60 seconds before."""
    if not rules.per_minute or not line.recent:
        return 0.0
    # Not before the latest place taken: those a minute before that one are forgotten by now.
    latest = line.recent[-1]
    if len(line.recent) < rules.per_minute:
        return latest
    return max(latest, line.recent[-rules.per_minute] + _MINUTE_S)


def _day_free_at(rules: Rules, line: Line, at: float, limit: str) -> tuple[float, str, int]:
    """The moment, moved to a day that has places left; its limit, and how many that day has had."""
    day = int(at // _DAY_S)
    if not (rules.daily_cap or rules.warmup_start):
        return at, limit, 0
    # A place may have been taken for the next day already: the days only go forward.
    if line.day > day:
        day, at, limit = line.day, line.day * _DAY_S, "daily_cap"
    used = line.today if line.day == day else 0
    first = rules.warmup_since if rules.warmup_since >= 0 else line.first_day
    allowed = day_allows(rules, day, first if first >= 0 else day)
    if used >= allowed:
        name = "daily_cap" if allowed == rules.daily_cap else "warmup_start"
        return (day + 1) * _DAY_S, name, 0
    return at, limit, used
