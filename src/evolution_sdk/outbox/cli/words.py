"""A message of the outbox in words and as JSON; masked unless all may be shown."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from evolution_sdk._base.redact import mask_phone
from evolution_sdk._cli.frame import program
from evolution_sdk._cli.language import t
from evolution_sdk._cli.output import age_words, time_words
from evolution_sdk.outbox.questions import OptOut, OutboxPause
from evolution_sdk.outbox.records import OutboxFailure, OutboxMessage, OutboxState

__all__ = [
    "message_json",
    "message_row",
    "message_words",
    "opt_out_json",
    "opt_out_row",
    "opt_out_titles",
    "pause_words",
    "titles",
]

_PERSONAL: Final = ("recipient", "remote_jid")
_AGAIN: Final = (
    "to send it all the same: {program} outbox retry {key}",
    "para enviar mesmo assim: {program} outbox retry {key}",
)
_RESOLVE: Final = (
    "look at the phone, then: {program} outbox resolve {key} --sent (or --not-sent: sent again)",
    "olhe no telefone, depois: {program} outbox resolve {key} --sent (ou --not-sent: reenvia)",
)
_ADVICE: Final = {
    OutboxState.UNKNOWN: _RESOLVE,
    OutboxState.FAILED: (
        "mend what the reason says, then: {program} outbox retry {key}",
        "corrija o que diz o motivo, depois: {program} outbox retry {key}",
    ),
    OutboxState.REFUSED: (
        "WhatsApp refused it; to try again all the same: {program} outbox retry {key}",
        "o WhatsApp recusou; para tentar mesmo assim: {program} outbox retry {key}",
    ),
    OutboxState.EXPIRED: _AGAIN,
    OutboxState.CANCELLED: _AGAIN,
}


def titles() -> tuple[str, ...]:
    """Return the titles of a table of messages."""
    return (
        t("key", "chave"),
        t("state", "estado"),
        t("age", "idade"),
        t("instance", "instância"),
        t("to", "para"),
        t("calls", "chamadas"),
        t("why", "motivo"),
    )


def opt_out_titles() -> tuple[str, ...]:
    """Return the titles of a table of opt-outs."""
    return (
        t("recipient", "destinatário"),
        t("instance", "instância"),
        t("since", "desde"),
        t("reason", "motivo"),
    )


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
    """Return an opt-out as a row of a table with :func:`opt_out_titles`.

    Args:
        one: The opt-out.
        whole: Whether the number is shown.
    """
    number = one.recipient if whole else mask_phone(one.recipient)
    return [number, one.instance or t("all", "todas"), time_words(one.since), one.reason]


def message_row(message: OutboxMessage, now: datetime, *, whole: bool) -> list[str]:
    """Return a message as a row of a table with :func:`titles`.

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
    yield _line(
        t("what", "o quê"),
        t(
            f"{message.operation} to {recipient}, by {message.instance}",
            f"{message.operation} para {recipient}, por {message.instance}",
        ),
    )
    for title, at in (
        (t("handed over", "na fila desde"), message.created_at),
        (t("not before", "não antes de"), message.not_before),
        (t("expires", "expira"), message.expires_at),
        (t("last try", "última vez"), message.begun_at),
        (t("sent", "enviada"), message.sent_at),
        (t("delivered", "recebida"), message.delivered_at),
        (t("read", "lida"), message.read_at),
    ):
        if at is not None:
            yield _line(title, time_words(at.astimezone(UTC)))
    yield _line(t("calls", "chamadas"), str(message.attempts))
    if message.message_id is not None:
        found = t(
            ", found by a look after its answer was lost",
            ", achada numa busca depois que a resposta se perdeu",
        )
        found = found if message.found else ""
        yield _line(t("WhatsApp id", "id WhatsApp"), f"{message.message_id}{found}")
    why = _why(message.reason, message.error)
    if why:
        yield _line(t("why", "motivo"), why)
    if whole and message.metadata:
        yield _line(t("metadata", "metadados"), str(dict(message.metadata)))
    for words in _holds(message, pauses, now):
        yield _line(t("waits", "espera"), words)
    advice = _ADVICE.get(message.state)
    if advice is not None:
        words = t(*advice).format(program=program(), key=shlex.quote(message.key))
        yield _line(t("next", "a fazer"), words)


def _line(title: str, words: str) -> str:
    return f"  {title:<12} {words}"


def pause_words(pause: OutboxPause) -> str:
    """Tell of a pause.

    Args:
        pause: The pause.
    """
    who = pause.instance or t("the whole server", "o servidor inteiro")
    if pause.left_ms is None:
        return t(
            f"{who} is paused by a person until resume: {pause.reason}",
            f"{who} está em pausa, por uma pessoa, até o resume: {pause.reason}",
        )
    age = age_words(pause.left_ms / 1_000)
    return t(
        f"{who} is paused for {age} by a {pause.cause}: {pause.reason}",
        f"{who} está em pausa por {age} ({pause.cause}): {pause.reason}",
    )


def _holds(message: OutboxMessage, pauses: Sequence[OutboxPause], now: datetime) -> Iterator[str]:
    """Tell what a message waits for."""
    if message.state is OutboxState.SENDING:
        yield t(
            "for the answer of its call, or to be looked for",
            "a resposta da chamada, ou uma busca",
        )
    if message.state is not OutboxState.QUEUED:
        return
    due = message.not_before is None or message.not_before <= now
    if not due and message.not_before is not None:
        at = time_words(message.not_before.astimezone(UTC))
        yield t(f"until {at}", f"até {at}")
    held = [pause for pause in pauses if pause.instance in (None, message.instance)]
    yield from map(pause_words, held)
    if due and not held:
        yield t(
            f"for its turn, and for workers: {program()} outbox run",
            f"a sua vez, e quem envie: {program()} outbox run",
        )


def _why(reason: str, error: OutboxFailure | None) -> str:
    if error is None:
        return reason
    told = f"{error.error}: {error.text}" if error.text else error.error
    return told if reason in ("", error.error) else f"{reason} ({told})"
