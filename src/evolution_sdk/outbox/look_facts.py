"""Facts of the store that a look for a message needs: clocks, times, and rivals."""

from __future__ import annotations

from dataclasses import dataclass, field

from evolution_sdk._sql.database import Session
from evolution_sdk.reconcile.server_clock import Moment

from .claims import Claim
from .payload import Cipher, Payload
from .store_clock import StoreNow, local_moment

__all__ = ["LookFacts", "look_facts"]

_ANCHORS = 8
_MOST_RIVALS = 1_000
_ANSWERED = 50
_STORED = 3
_NEAR_MS = 60_000


@dataclass(frozen=True, slots=True)
class LookFacts:
    """Facts of the store about one look.

    Attributes:
        begun: When the call was begun, by this process's clocks.
        lost: When it was known that nobody makes that call any more, or now.
        passed_ms: Time since then, in milliseconds.
        told: Times that answers of the server told: its seconds, when it was asked, when it had
            answered.
        rivals: Chats and contents of other messages of the instance that may have been sent, too;
            None for a content that another version of this package wrote in its own way.
        stored: Ids of messages of the instance that were answered lately, the newest first.
        heeded: The latest message of the same operation that got the id which was made for it: the
            server takes such ids. None where it got another one, or none was sent.
        fenced: Whether a worker that was cut off may have begun its call at the end of its lease.
    """

    begun: Moment
    lost: Moment
    passed_ms: float
    told: tuple[tuple[float, Moment, Moment], ...]
    rivals: tuple[tuple[str, Payload | None], ...] = field(repr=False)
    stored: tuple[str, ...]
    heeded: str | None
    fenced: bool


def look_facts(
    session: Session, claim: Claim, now: StoreNow, here: Moment, cipher: Cipher | None
) -> LookFacts:
    """Return what the store knows about one look.

    Args:
        session: A transaction.
        claim: The message.
        now: The present by the store.
        here: The present by this process.
        cipher: Decrypts contents.
    """
    lost_at = now.steady if claim.lost_steady is None else claim.lost_steady
    same_boot = claim.boot == now.boot
    rows = session.run(
        "SELECT server_time, begun_steady, answered_steady FROM evolution_outbox "
        "WHERE instance = ? AND server_time IS NOT NULL AND answered_steady IS NOT NULL "
        "AND boot = ? ORDER BY answered_steady DESC LIMIT ?",
        (claim.instance, now.boot, _ANCHORS),
    )
    told = tuple(
        (seconds / 1_000, local_moment(begun, now, here), local_moment(answered, now, here))
        for seconds, begun, answered in rows
        if begun is not None
    )
    rivals = session.run(
        "SELECT chat, payload, id FROM evolution_outbox WHERE state IN ('unknown', 'sending') "
        "AND created_at > 0 AND instance = ? AND id <> ? UNION ALL "
        # One whose answer could not be read is there, too, and nobody knows under which id.
        "SELECT chat, payload, id FROM evolution_outbox WHERE state = 'sent' "
        "AND message_id IS NULL AND instance = ? AND id <> ? ORDER BY id DESC LIMIT ?",
        (claim.instance, claim.id, claim.instance, claim.id, _MOST_RIVALS),
    )
    # Those that events have moved on since, of the same time.
    rivals += session.run(
        "SELECT chat, payload, id FROM evolution_outbox WHERE instance = ? AND chat = ? "
        "AND begun_steady >= ? AND message_id IS NULL AND id <> ? "
        "AND state IN ('server', 'delivered', 'read', 'refused') LIMIT ?",
        (claim.instance, claim.chat, claim.begun_steady - _NEAR_MS, claim.id, _MOST_RIVALS),
    )
    return LookFacts(
        begun=local_moment(claim.begun_steady, now, here),
        lost=local_moment(lost_at, now, here),
        # By the clock of this start of the machine: an earlier time began anew with it.
        passed_ms=max(0, now.steady - lost_at),
        # Across a start of the machine times are not exact enough for the server's clock.
        told=told if same_boot else (),
        rivals=tuple((chat, _readable(kept, cipher)) for chat, kept, _ in rivals),
        stored=_stored(session, claim),
        heeded=_heeded(session, claim),
        fenced=session.dialect.name == "postgres",
    )


def _readable(kept: bytes, cipher: Cipher | None) -> Payload | None:
    try:
        return Payload.load(kept, cipher)
    except (ValueError, TypeError, AttributeError, KeyError):
        return None


def _stored(session: Session, claim: Claim) -> tuple[str, ...]:
    """Ids of messages that must be in the server's store if it stores any."""
    for known in ("server_time IS NOT NULL AND answered_steady IS NOT NULL", "found = 1"):
        order = "id" if known == "found = 1" else "answered_steady"
        rows = session.run(
            f"SELECT message_id FROM evolution_outbox WHERE instance = ? AND {known} "
            f"AND message_id IS NOT NULL AND id <> ? ORDER BY {order} DESC LIMIT ?",
            (claim.instance, claim.id, _STORED),
        )
        if rows:
            return tuple(name for (name,) in rows)
    return ()


def _heeded(session: Session, claim: Claim) -> str | None:
    """Return the latest answered message of the operation, if it has the id that we made."""
    rows = session.run(
        "SELECT operation, given_id, message_id FROM evolution_outbox WHERE instance = ? "
        "AND server_time IS NOT NULL AND answered_steady IS NOT NULL "
        "ORDER BY answered_steady DESC LIMIT ?",
        (claim.instance, _ANSWERED),
    )
    for operation, given_id, message_id in rows:
        if operation == claim.operation:
            return message_id if given_id == message_id else None
    return None
