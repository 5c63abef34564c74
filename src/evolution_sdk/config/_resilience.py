"""Settings that protect server and number: breaker, rate limiter, bulkhead, cache."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator

from ._base import SWITCH_RULE, Milliseconds, Positive, Section, Switch, Variable
from ._quiet_hours import read_quiet_hours, read_time_zone
from ._urls import wrong

_WHOLE = "a whole number of 1 or more"
_MS = "milliseconds, a whole number of 0 or more"
_OR_OFF = "0 (no limit) or more"
_STORE = "EVOLUTION_RATE_LIMIT_STORE"
_STORE_EXAMPLE = "redis://127.0.0.1:6379/0"
_STORE_RULE = (
    "the path of a file, or a URL that begins with redis://, rediss://, unix:// or postgresql://"
)
_STORES = ("redis://", "rediss://", "unix://", "postgresql://", "postgres://")
_QUIET = "EVOLUTION_RATE_LIMIT_QUIET_HOURS"
_QUIET_EXAMPLE = "22:00-08:00"
_QUIET_ZONE = "EVOLUTION_RATE_LIMIT_QUIET_TIME_ZONE"
_ZONE_EXAMPLE = "America/Sao_Paulo"

Count = Annotated[int, Field(ge=0)]
Rate = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]


def _breaker(name: str, rule: str, example: str) -> Variable:
    return Variable(f"EVOLUTION_BREAKER_{name}", rule, example)


def _limit(name: str, rule: str, example: str) -> Variable:
    return Variable(f"EVOLUTION_RATE_LIMIT_{name}", rule, example)


def _bulkhead(name: str, rule: str, example: str) -> Variable:
    return Variable(f"EVOLUTION_BULKHEAD_{name}", rule, example)


def _cache(name: str, rule: str, example: str) -> Variable:
    return Variable(f"EVOLUTION_CACHE_{name}", rule, example)


class BreakerConfig(Section):
    """Circuit breakers, which refuse calls while the server or an instance keeps failing.

    The defaults open for a dead server only. With 35 % of attempts failing at random, the
    probability that an attempt opens the circuit is below one in a hundred million: 0.35^20 = 8e-10
    for 20 failures in a row, and 1e-10 for 40 of 50 in one window.

    Attributes:
        enabled: Whether breakers are used.
        failure_rate: Share of failed attempts in the window that opens a circuit, above 0 and at
            most 1.
        minimum_calls: Attempts in the window before the share counts.
        consecutive_failures: Failures in a row that open a circuit in any case, so that a server
            which fails slowly is noticed as well.
        window_ms: Length of the window, in milliseconds.
        open_ms: Time for which an open circuit refuses calls, in milliseconds.
        probes: Attempts let through after that; all must succeed to close the circuit.
    """

    enabled: Annotated[Switch, _breaker("ENABLED", SWITCH_RULE, "true")] = True
    failure_rate: Annotated[
        float,
        Field(gt=0, le=1),
        _breaker("FAILURE_RATE", "a number above 0, at most 1", "0.8"),
    ] = 0.8
    minimum_calls: Annotated[Positive, _breaker("MINIMUM_CALLS", _WHOLE, "50")] = 50
    consecutive_failures: Annotated[Positive, _breaker("CONSECUTIVE_FAILURES", _WHOLE, "20")] = 20
    window_ms: Annotated[Positive, _breaker("WINDOW_MS", f"milliseconds, {_WHOLE}", "30000")] = (
        30_000
    )
    open_ms: Annotated[Positive, _breaker("OPEN_MS", f"milliseconds, {_WHOLE}", "15000")] = 15_000
    probes: Annotated[Positive, _breaker("PROBES", _WHOLE, "3")] = 3


class RateLimitConfig(Section):
    """Pace of messages; off by default. Each limit counts per instance.

    Attributes:
        enabled: Whether sends are paced.
        per_second: Messages per second in the long run; 0 for no limit.
        burst: Messages that may go out at once after a pause.
        per_minute: Limit of messages within any 60 seconds; 0 for no limit.
        recipient_gap_ms: Minimum time between two messages to one chat, in milliseconds.
        jitter: Share of itself, 0 to 1, by which each gap grows at most, at random: even gaps
            look like a bot.
        daily_cap: Limit of messages per day (UTC); 0 for no limit.
        warmup_start: Limit of messages on a new number's first day; 0 for no warm-up.
        warmup_factor: Limit of each day as a multiple of the day before.
        warmup_since: The first day. Default: the day the limiter first sees the instance.
        checks_per_minute: Numbers per minute in number checks; 0 for no limit.
        max_wait_ms: Limit of a send's wait, in milliseconds; a longer one is refused at once.
        cooldown_ms: Pause of an instance after a ``RateLimitError`` that gives no time, in
            milliseconds.
        on_refused: What is done when WhatsApp refuses messages that the server has accepted.
            ``pause_new_contacts``: first messages to chats that the client does not know are
            refused for a while (``NewContactsPausedError``), whether or not sends are paced.
            ``nothing``: they are told, no more.
        pause_after_refusals: Refused messages of an instance within ``refusal_window_ms`` that
            begin the pause. One may be about its recipient; three within an hour are about the
            account.
        refusal_window_ms: See ``pause_after_refusals``, in milliseconds.
        new_contacts_pause_ms: Length of the pause after the last refusal, in milliseconds. How long
            a lock lasts is not told; six hours do not feed it, and do not lose a whole day.
        quiet_hours: Hours in which no message goes out, such as ``22:00-08:00``; several with
            commas between them, and days of the week before those that are not of every day, such
            as ``sat,sun 00:00-24:00, 22:00-08:00``. Default: none.
        quiet_time_zone: Time zone of ``quiet_hours`` by its IANA name, such as
            ``America/Sao_Paulo``. Days of other limits are those of UTC in any case.
        store: Store through which several processes share the limits: the path of a SQLite file,
            for those of one machine, or the URL of a PostgreSQL or Redis (extras ``postgres``,
            ``redis``); secret, since it may contain a password. Default: in memory, for this
            client only.
        store_prefix: Prefix of the keys in the store.
    """

    enabled: Annotated[Switch, _limit("ENABLED", SWITCH_RULE, "true")] = False
    per_second: Annotated[Rate, _limit("PER_SECOND", f"a number, {_OR_OFF}", "1")] = 1.0
    burst: Annotated[Positive, _limit("BURST", _WHOLE, "3")] = 3
    per_minute: Annotated[Count, _limit("PER_MINUTE", f"a whole number, {_OR_OFF}", "20")] = 20
    recipient_gap_ms: Annotated[Milliseconds, _limit("RECIPIENT_GAP_MS", _MS, "2000")] = 2_000
    jitter: Annotated[Share, _limit("JITTER", "a number from 0 to 1", "0.3")] = 0.3
    daily_cap: Annotated[Count, _limit("DAILY_CAP", f"a whole number, {_OR_OFF}", "1000")] = 0
    warmup_start: Annotated[Count, _limit("WARMUP_START", f"a whole number, {_OR_OFF}", "20")] = 0
    warmup_factor: Annotated[
        float,
        Field(ge=1, allow_inf_nan=False),
        _limit("WARMUP_FACTOR", "a number of 1 or more", "1.5"),
    ] = 1.5
    warmup_since: Annotated[
        date | None, _limit("WARMUP_SINCE", "a date as YYYY-MM-DD", "2026-01-31")
    ] = None
    checks_per_minute: Annotated[
        Count, _limit("CHECKS_PER_MINUTE", f"a whole number, {_OR_OFF}", "100")
    ] = 100
    max_wait_ms: Annotated[Milliseconds, _limit("MAX_WAIT_MS", _MS, "60000")] = 60_000
    cooldown_ms: Annotated[Milliseconds, _limit("COOLDOWN_MS", _MS, "60000")] = 60_000
    on_refused: Annotated[
        Literal["nothing", "pause_new_contacts"],
        _limit("ON_REFUSED", "nothing or pause_new_contacts", "pause_new_contacts"),
    ] = "nothing"
    pause_after_refusals: Annotated[Positive, _limit("PAUSE_AFTER_REFUSALS", _WHOLE, "3")] = 3
    refusal_window_ms: Annotated[Milliseconds, _limit("REFUSAL_WINDOW_MS", _MS, "3600000")] = (
        3_600_000
    )
    new_contacts_pause_ms: Annotated[
        Milliseconds, _limit("NEW_CONTACTS_PAUSE_MS", _MS, "21600000")
    ] = 21_600_000
    quiet_hours: Annotated[
        str | None, Variable(_QUIET, "ranges of hours, such as 22:00-08:00", _QUIET_EXAMPLE)
    ] = None
    quiet_time_zone: Annotated[
        str, Variable(_QUIET_ZONE, "the name of a time zone", _ZONE_EXAMPLE)
    ] = "UTC"
    store: Annotated[
        SecretStr | None, Variable(_STORE, _STORE_RULE, _STORE_EXAMPLE, secret=True)
    ] = None
    store_prefix: Annotated[str, _limit("STORE_PREFIX", "a name", "evolution-sdk")] = (
        "evolution-sdk"
    )

    @field_validator("quiet_hours")
    @classmethod
    def _quiet_hours(cls, value: str | None) -> str | None:
        try:
            return value if read_quiet_hours(value or "") else None
        except ValueError as error:
            raise wrong(_QUIET, f"must be {error}", _QUIET_EXAMPLE) from None

    @field_validator("quiet_time_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        name = value.strip()
        try:
            read_time_zone(name)
        except ValueError as error:
            raise wrong(_QUIET_ZONE, f"must be {error}", _ZONE_EXAMPLE) from None
        return name

    @field_validator("store")
    @classmethod
    def _place(cls, value: SecretStr | None) -> SecretStr | None:
        place = "" if value is None else value.get_secret_value().strip()
        if value is not None and (not place or ("://" in place and not place.startswith(_STORES))):
            raise wrong(_STORE, f"must be {_STORE_RULE}", _STORE_EXAMPLE)
        return value if value is None else SecretStr(place)


class BulkheadConfig(Section):
    """Limit of calls in flight; off by default.

    Attributes:
        enabled: Whether calls in flight are limited.
        max_in_flight: Limit of calls in flight for the whole client.
        max_per_instance: Limit of calls in flight for one instance; 0 for no separate limit.
        max_wait_ms: Limit of the wait for a place, in milliseconds; then the call is refused.
    """

    enabled: Annotated[Switch, _bulkhead("ENABLED", SWITCH_RULE, "true")] = False
    max_in_flight: Annotated[Positive, _bulkhead("MAX_IN_FLIGHT", _WHOLE, "100")] = 100
    max_per_instance: Annotated[
        Count, _bulkhead("MAX_PER_INSTANCE", f"a whole number, {_OR_OFF}", "20")
    ] = 0
    max_wait_ms: Annotated[Milliseconds, _bulkhead("MAX_WAIT_MS", _MS, "10000")] = 10_000


class CacheConfig(Section):
    """Cache of answers to look-ups; off by default (extra ``cache``).

    Attributes:
        enabled: Whether answers are cached.
        numbers_ttl_ms: Lifetime of a number found on WhatsApp, in milliseconds.
        groups_ttl_ms: Lifetime of a group's data, in milliseconds.
        pictures_ttl_ms: Lifetime of the URL of a picture, in milliseconds.
        negative_ttl_ms: Lifetime of the answer that there is no such number, group or picture, in
            milliseconds; never longer than the lifetimes above.
        max_entries: Limit of answers kept; the least recently used are dropped first.
    """

    enabled: Annotated[Switch, _cache("ENABLED", SWITCH_RULE, "true")] = False
    numbers_ttl_ms: Annotated[Milliseconds, _cache("NUMBERS_TTL_MS", _MS, "86400000")] = 86_400_000
    groups_ttl_ms: Annotated[Milliseconds, _cache("GROUPS_TTL_MS", _MS, "300000")] = 300_000
    pictures_ttl_ms: Annotated[Milliseconds, _cache("PICTURES_TTL_MS", _MS, "3600000")] = 3_600_000
    negative_ttl_ms: Annotated[Milliseconds, _cache("NEGATIVE_TTL_MS", _MS, "60000")] = 60_000
    max_entries: Annotated[Positive, _cache("MAX_ENTRIES", _WHOLE, "10000")] = 10_000
