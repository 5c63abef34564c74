"""Rows moved by what events tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from evolution_sdk._sql.database import Row, Session

from .questions import by_id
from .records import OutboxMessage

__all__ = ["Told", "rows_told", "take_told"]

# Also one that was thought absent, and waits to be sent again.
_OPEN = ("queued", "sending", "unknown")
_RANKS = {"sent": 0, "server": 1, "delivered": 2, "read": 3}


@dataclass(frozen=True, slots=True)
class Told:
    """News of an event about a message of ours.

    Attributes:
        instance: The instance.
        message_id: WhatsApp's id.
        fits: Tells from the names of a row's chat if the event is about that chat: an id counts
            for its own chat alone, for others may use it elsewhere.
        state: How far it came: ``sent``, ``server``, ``delivered``, ``read`` or ``refused``.
        at_ms: When, in milliseconds since 1970.
        error: The refusal, as JSON.
    """

    instance: str
    message_id: str
    fits: Callable[[Sequence[str | None]], bool] = field(repr=False)
    state: Literal["sent", "server", "delivered", "read", "refused"]
    at_ms: int
    error: str | None = None


def take_told(session: Session, told: Told) -> OutboxMessage | None:
    """Move the row that an event tells of; a state only ever goes forward.

    Args:
        session: A transaction.
        told: What was told.

    Returns:
        The message if its state has changed; None otherwise.
    """
    for number, _, _, state in rows_told(session, told):
        if _moved(session, number, state, told):
            return by_id(session, number)
    return None


def rows_told(session: Session, told: Told) -> list[Row]:
    """Return the rows that an event tells of: number, chat, chat as answered, state.

    Args:
        session: A connection.
        told: What was told.
    """
    rows: list[Row] = session.run(
        "SELECT id, chat, remote_jid, state FROM evolution_outbox "
        "WHERE instance = ? AND message_id = ?",
        (told.instance, told.message_id),
    ) or session.run(
        "SELECT id, chat, remote_jid, state FROM evolution_outbox "
        "WHERE instance = ? AND given_id = ? AND message_id IS NULL",
        (told.instance, told.message_id),
    )
    return [row for row in rows if told.fits(row[1:3])]


def _moved(session: Session, number: int, state: str, told: Told) -> bool:
    if told.state == "refused":
        if state in ("delivered", "read", "refused"):
            return False
        change, values = "state = 'refused', error = ?", [told.error]
    else:
        # One that may have been sent surely was; one that is over otherwise stays as it is.
        rank = _RANKS.get(state, -1 if state in _OPEN else 9)
        if _RANKS[told.state] <= rank:
            return False
        change, values = "state = ?", [told.state]
        for name in ("server", "delivered", "read"):
            if _RANKS[name] <= _RANKS[told.state]:
                change += f", {name}_at = coalesce({name}_at, ?)"
                values.append(told.at_ms)  # type: ignore[arg-type]
    values_all: list[Any] = [*values, told.message_id, told.at_ms, number, state]
    session.run(
        f"UPDATE evolution_outbox SET {change}, message_id = coalesce(message_id, ?), "
        "sent_at = coalesce(sent_at, ?) WHERE id = ? AND state = ?",
        values_all,
    )
    return session.changed > 0
