"""A message of the outbox in words and as JSON; masked unless all may be shown."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from evolution_sdk._base.redact import mask_phone
from evolution_sdk._cli.frame import program
from evolution_sdk._cli.output import age_words, time_words
from evolution_sdk.outbox.questions import OptOut, OutboxPause
from evolution_sdk.outbox.records import OutboxFailure, OutboxMessage, OutboxState

__all__ = [
    "OPT_OUT_TITLES",
    "TITLES",
    "message_json",
    "message_row",
    "message_words",
    "opt_out_json",
    "opt_out_row",
    "pause_words",
]

TITLES: Final = ("key", "state", "age", "instance", "to", "calls", "why")
OPT_OUT_TITLES: Final = ("recipient", "instance", "since", "reason")
_PERSONAL: Final = ("recipient", "remote_jid")
_ADVICE: Final = {
    OutboxState.UNKNOWN: "look at the phone, then: {program} outbox resolve {key} --sent "
    "(or --not-sent: it is sent again)",
    OutboxState.FAILED: "mend what the reason says, then: {program} outbox retry {key}",
    OutboxState.REFUSED: "WhatsApp refused it; to try again all the same: "
    "{program} outbox retry {key}",
    OutboxState.EXPIRED: "to send it all the same: {program} outbox retry {key}",
    OutboxState.CANCELLED: "to send it all the same: {program} outbox retry {key}",
}


def message_json(message: OutboxMessage, *, whole: bool) -> dict[str, Any]:
    """Return a message as data for JSON.

    Args:
        message: The message.
        whole: Whether numbers and metadata are shown.
    """
    made = message.to_dict()
    if not whole:
        for name in _PERSONAL:
            made[name] = None if made[name] is None else mask_phone(made[name])
        made.pop("metadata")
    return made


def opt_out_json(one: OptOut, *, whole: bool) -> dict[str, Any]:
    """Return an opt-out as data for JSON.

    Args:
        one: The opt-out.
        whole: Whether the number is shown.
    """
    return {
        "recipient": one.recipient if whole else mask_phone(one.recipient),
        "instance": one.instance,
        "since": one.since.isoformat(timespec="milliseconds"),
        "reason": one.reason,
    }


def opt_out_row(one: OptOut, *, whole: bool) -> list[str]:
    """Return an opt-out as a row of a table with :data:`OPT_OUT_TITLES`.

    Args:
        one: The opt-out.
        whole: Whether the number is shown.
    """
    number = one.recipient if whole else mask_phone(one.recipient)
    return [number, one.instance or "all", time_words(one.since), one.reason]


def message_row(message: OutboxMessage, now: datetime, *, whole: bool) -> list[str]:
    """Return a message as a row of a table with :data:`TITLES`.

    Args:
        message: The message.
        now: The present.
        whole: Whether numbers are shown.
    """
    created = message.created_at or now
    return [
        message.key,
        message.state.value,
        age_words(max(0.0, (now - created).total_seconds())),
        message.instance,
        message.recipient if whole else mask_phone(message.recipient),
        str(message.attempts),
        _why(message.reason, message.error),
    ]


def message_words(
    message: OutboxMessage, pauses: Sequence[OutboxPause], now: datetime, *, whole: bool
) -> Iterator[str]:
    """Tell of a message, line by line.

    Args:
        message: The message.
        pauses: The pauses in force.
        now: The present.
        whole: Whether numbers and metadata are shown.
    """
    yield f"{message.key}: {message.state.value}"
    recipient = message.recipient if whole else mask_phone(message.recipient)
    yield f"  what         {message.operation} to {recipient}, by {message.instance}"
    for title, at in (
        ("handed over", message.created_at),
        ("not before", message.not_before),
        ("expires", message.expires_at),
        ("last try", message.begun_at),
        ("sent", message.sent_at),
        ("delivered", message.delivered_at),
        ("read", message.read_at),
    ):
        if at is not None:
            yield f"  {title:<12} {time_words(at.astimezone(UTC))}"
    yield f"  calls        {message.attempts}"
    if message.message_id is not None:
        found = ", found by a look after its answer was lost" if message.found else ""
        yield f"  WhatsApp id  {message.message_id}{found}"
    why = _why(message.reason, message.error)
    if why:
        yield f"  why          {why}"
    if whole and message.metadata:
        yield f"  metadata     {dict(message.metadata)}"
    for words in _holds(message, pauses, now):
        yield f"  waits        {words}"
    advice = _ADVICE.get(message.state)
    if advice is not None:
        yield f"  next         {advice.format(program=program(), key=shlex.quote(message.key))}"


def pause_words(pause: OutboxPause) -> str:
    """Tell of a pause.

    Args:
        pause: The pause.
    """
    who = "the whole server" if pause.instance is None else pause.instance
    if pause.left_ms is None:
        return f"{who} is paused by a person until resume: {pause.reason}"
    return (
        f"{who} is paused for {age_words(pause.left_ms / 1_000)} by a {pause.cause}: {pause.reason}"
    )


def _holds(message: OutboxMessage, pauses: Sequence[OutboxPause], now: datetime) -> Iterator[str]:
    """Tell what a message waits for."""
    if message.state is OutboxState.SENDING:
        yield "for the answer of its call, or to be looked for"
    if message.state is not OutboxState.QUEUED:
        return
    due = message.not_before is None or message.not_before <= now
    if not due and message.not_before is not None:
        yield f"until {time_words(message.not_before.astimezone(UTC))}"
    held = [pause for pause in pauses if pause.instance in (None, message.instance)]
    yield from map(pause_words, held)
    if due and not held:
        yield f"for its turn, and for workers: {program()} outbox run"


def _why(reason: str, error: OutboxFailure | None) -> str:
    if error is None:
        return reason
    told = f"{error.error}: {error.text}" if error.text else error.error
    return told if reason in ("", error.error) else f"{reason} ({told})"
