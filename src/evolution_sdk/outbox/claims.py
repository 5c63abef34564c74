"""Claiming work: one chat at a time for each worker, so that its messages go in order.

Every statement visits rows by an index, and few of them, however many wait.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from evolution_sdk._sql.database import Row, Session

from .store_clock import StoreNow

__all__ = [
    "ALL",
    "Claim",
    "NotYet",
    "claim_chat",
    "claim_some",
    "line_up",
    "line_up_chat",
    "next_due",
    "ready_rows",
    "wake",
]

NotYet: TypeAlias = Literal["busy", "paused", "waiting"]
"""Why a message cannot be worked on now: another worker has its chat, a pause, or a wait."""

ALL = "*"
"""The name under which the whole server is paused."""
_LINE_UP = 500
_EXPIRE = 200
_LOCK = 0x6C696E65

_WORK = (
    "id, key, instance, chat, operation, payload, file, on_unknown, attempts, failures, looks, "
    "given_id, begun_at, begun_steady, lost_steady, boot, worker, "
    "[[greatest]](created_at, coalesce(not_before, created_at)), expires_at"
)
_OPEN_CHAT = (
    "INSERT INTO evolution_outbox_chat (instance, chat, head, priority, state, ready_at) "
    "VALUES (?, ?, ?, ?, 'ready', 0) ON CONFLICT (instance, chat) DO UPDATE SET "
    "head = [[least]](evolution_outbox_chat.head, excluded.head), "
    "priority = [[greatest]](evolution_outbox_chat.priority, excluded.priority)"
)
_NEW = (
    "SELECT id, instance, chat, priority FROM evolution_outbox "
    "WHERE lined_up = 0 AND due_at <= ? ORDER BY due_at, id LIMIT ? [[skip]]"
)
_READY = (
    "SELECT chat FROM evolution_outbox_chat WHERE instance = ? AND state = 'ready' "
    "ORDER BY priority DESC, head LIMIT ? [[skip]]"
)
_BUSY_INSTANCES = (
    "SELECT i.instance FROM evolution_outbox_instance AS i WHERE i.paused_until IS NULL "
    "AND EXISTS (SELECT 1 FROM evolution_outbox_chat AS c "
    "WHERE c.instance = i.instance AND c.state = 'ready') ORDER BY i.instance"
)
_SENDING = (
    f"SELECT {_WORK} FROM evolution_outbox WHERE instance = ? AND chat = ? AND state = 'sending' "
    "ORDER BY id LIMIT 1 [[hold]]"
)
_HEAD = (
    f"SELECT {_WORK} FROM evolution_outbox WHERE instance = ? AND chat = ? AND lined_up = 1 "
    "AND state = 'queued' ORDER BY id LIMIT 1 [[hold]]"
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A message that a worker is to send, or to look for.

    Attributes:
        kind: ``send``, or ``look``: it may have been sent.
        id: Number of its row.
        key: Its key.
        instance: The instance.
        chat: Its chat.
        operation: Key of the operation.
        payload: Its content as it is kept.
        file: Name of its file; None without one.
        on_unknown: What to do when nothing is proven: ``hold`` or ``resend``.
        attempts: Calls made for it so far, this one included.
        failures: Of these, those that the server itself refused for a passing reason.
        looks: Looks made for it since its latest call.
        given_id: The id that was made for it.
        begun_at: Beginning of its latest call, in milliseconds since 1970.
        begun_steady: The same by the store's steady clock.
        lost_steady: When it was known that nobody makes that call any more.
        boot: What the steady times count from.
        owner: The worker that made the latest call.
        wanted_at: Earliest time at which it could have been sent: that of its hand-over, or its
            ``not_before``; in milliseconds since 1970.
    """

    kind: Literal["send", "look"]
    id: int
    key: str
    instance: str
    chat: str
    operation: str
    payload: bytes = field(repr=False)
    file: str | None
    on_unknown: str
    attempts: int
    failures: int
    looks: int
    given_id: str | None
    begun_at: int
    begun_steady: int
    lost_steady: int | None
    boot: str
    owner: str
    wanted_at: int


def line_up(session: Session, now: StoreNow) -> int:
    """Put messages that are due into the lines of their chats.

    Args:
        session: A transaction.
        now: The present.

    Returns:
        How many there were.
    """
    if session.dialect.name == "postgres":
        # One at a time; others need not wait, for their chats are lined up meanwhile.
        (taken,) = session.run("SELECT pg_try_advisory_xact_lock(?)", (_LOCK,))[0]
        if not taken:
            return 0
    rows = session.run(_NEW, (now.wall, _LINE_UP))
    if not rows:
        return 0
    chats: dict[tuple[str, str], tuple[int, int]] = {}
    for number, instance, chat, priority in rows:
        head, most = chats.get((instance, chat), (number, priority))
        chats[instance, chat] = (min(head, number), max(most, priority))
    session.run_many(
        "INSERT INTO evolution_outbox_instance (instance) VALUES (?) ON CONFLICT DO NOTHING",
        [(name,) for name in sorted({instance for instance, _ in chats})],
    )
    # In one order everywhere, so that two workers never wait for each other in a circle.
    session.run_many(_OPEN_CHAT, [(*names, *found) for names, found in sorted(chats.items())])
    session.run_many(
        "UPDATE evolution_outbox SET lined_up = 1 WHERE id = ?", [(row[0],) for row in rows]
    )
    return len(rows)


def line_up_chat(
    session: Session, instance: str, chat: str, number: int, priority: int, now: StoreNow
) -> None:
    """Put the messages of one chat that are due into its line.

    Args:
        session: A transaction.
        instance: The instance.
        chat: The chat.
        number: One of its rows.
        priority: The priority of that row.
        now: The present.
    """
    session.run(
        "UPDATE evolution_outbox SET lined_up = 1 WHERE id IN (SELECT id FROM evolution_outbox "
        "WHERE instance = ? AND chat = ? AND lined_up = 0 AND due_at <= ? [[hold]])",
        (instance, chat, now.wall),
    )
    if session.changed:
        session.run(
            "INSERT INTO evolution_outbox_instance (instance) VALUES (?) ON CONFLICT DO NOTHING",
            (instance,),
        )
        session.run(_OPEN_CHAT, (instance, chat, number, priority))


def wake(session: Session, now: StoreNow) -> list[int]:
    """End pauses and waits that are over, and let go of what came too late.

    Args:
        session: A transaction.
        now: The present.

    Returns:
        Rows of those that came too late.
    """
    session.run(
        "UPDATE evolution_outbox_instance SET paused_until = NULL, pause_reason = '' "
        "WHERE paused_until <= ? AND by_person = 0",
        (now.steady,),
    )
    session.run(
        "UPDATE evolution_outbox_chat SET state = 'ready' WHERE (instance, chat) IN "
        "(SELECT instance, chat FROM evolution_outbox_chat WHERE state = 'waiting' "
        "AND ready_at <= ? ORDER BY instance, chat [[skip]])",
        (now.steady,),
    )
    gone = session.run(
        "UPDATE evolution_outbox SET state = 'expired', lined_up = 1, "
        "reason = 'it was not sent in time' WHERE id IN "
        "(SELECT id FROM evolution_outbox WHERE state = 'queued' AND expires_at <= ? "
        "ORDER BY expires_at LIMIT ? [[skip]]) RETURNING id",
        (now.wall, _EXPIRE),
    )
    return [number for (number,) in gone]


def claim_some(
    session: Session,
    worker: str,
    many: int,
    now: StoreNow,
    make_id: Callable[[str, str], str | None],
    turn: int,
    dropped: list[int],
) -> list[Claim]:
    """Claim chats that are ready, the same number for each instance as far as there are.

    Args:
        session: A transaction.
        worker: Who claims.
        many: Most claims.
        now: The present.
        make_id: Makes an id for a message of an operation and an instance; None where it takes
            none.
        turn: A number that grows, so that each instance is the first one at times.
        dropped: Gets the rows that are not to be sent any more.

    Returns:
        The claims; their rows say ``sending``.
    """
    paused = session.run(
        "SELECT 1 FROM evolution_outbox_instance WHERE instance = ? AND paused_until IS NOT NULL",
        (ALL,),
    )
    if paused:
        return []
    names = [name for (name,) in session.run(_BUSY_INSTANCES)]
    if not names:
        return []
    first = turn % len(names)
    names = names[first:] + names[:first]
    found: list[Claim] = []
    share = max(1, many // len(names))
    for most in (share, many):
        for name in names:
            left = min(most, many - len(found))
            if left <= 0:
                return found
            for (chat,) in session.run(_READY, (name, left)):
                claim = _take(session, worker, name, chat, now, make_id, dropped)
                if claim is not None:
                    found.append(claim)
        if share == many:
            break
    return found


def claim_chat(
    session: Session,
    worker: str,
    instance: str,
    chat: str,
    now: StoreNow,
    make_id: Callable[[str, str], str | None],
    dropped: list[int],
) -> Claim | NotYet | None:
    """Claim one chat.

    Args:
        session: A transaction.
        worker: Who claims.
        instance: The instance.
        chat: The chat.
        now: The present.
        make_id: As of :func:`claim_some`.
        dropped: As of :func:`claim_some`.

    Returns:
        The claim; why there is none; or None where nothing is left to be done.
    """
    paused = session.run(
        "SELECT 1 FROM evolution_outbox_instance WHERE instance IN (?, ?) "
        "AND paused_until IS NOT NULL",
        (ALL, instance),
    )
    if paused:
        return "paused"
    rows = session.run(
        "SELECT state FROM evolution_outbox_chat WHERE instance = ? AND chat = ? [[hold]]",
        (instance, chat),
    )
    if not rows:
        return None
    if rows[0][0] != "ready":
        return "busy" if rows[0][0] == "busy" else "waiting"
    return _take(session, worker, instance, chat, now, make_id, dropped)


def _take(
    session: Session,
    worker: str,
    instance: str,
    chat: str,
    now: StoreNow,
    make_id: Callable[[str, str], str | None],
    dropped: list[int],
) -> Claim | None:
    """Take the work of a chat whose row is held."""
    place = (instance, chat)
    rows = session.run(_SENDING, place)
    if rows:
        # Its worker is gone, or its answer was lost: it is looked for, and never just sent.
        _occupy(session, worker, place)
        return _claim("look", rows[0])
    while True:
        rows = session.run(_HEAD, place)
        if not rows:
            session.run("DELETE FROM evolution_outbox_chat WHERE instance = ? AND chat = ?", place)
            return None
        row = rows[0]
        left_out = _left_out(session, row, now)
        if left_out is not None:
            state, reason = left_out
            dropped.append(row[0])
            session.run(
                "UPDATE evolution_outbox SET state = ?, reason = ? WHERE id = ?",
                (state, reason, row[0]),
            )
            continue
        given = row[11] or make_id(row[4], instance)
        session.run(
            "UPDATE evolution_outbox SET state = 'sending', worker = ?, boot = ?, begun_at = ?, "
            "begun_steady = ?, lost_steady = NULL, attempts = attempts + 1, looks = 0, "
            "given_id = ?, reason = '' WHERE id = ?",
            (worker, now.boot, now.wall, now.steady, given, row[0]),
        )
        _occupy(session, worker, place)
        begun = (*row[:8], row[8] + 1, row[9], 0, given, now.wall, now.steady, None, now.boot)
        return _claim("send", (*begun, worker, *row[17:]))


def _left_out(session: Session, row: Row, now: StoreNow) -> tuple[str, str] | None:
    """Say why a message is not to be sent any more; None when it is."""
    if row[18] is not None and row[18] <= now.wall:
        return "expired", "it was not sent in time"
    # Whoever asked to stop after the hand-over is not written to either.
    out = session.run(
        "SELECT 1 FROM evolution_outbox_opt_out WHERE chat = ? AND instance IN ('', ?)",
        (row[3], row[2]),
    )
    return ("cancelled", "the recipient opted out") if out else None


def _occupy(session: Session, worker: str, place: tuple[str, str]) -> None:
    session.run(
        "UPDATE evolution_outbox_chat SET state = 'busy', worker = ? "
        "WHERE instance = ? AND chat = ?",
        (worker, *place),
    )


def _claim(kind: Literal["send", "look"], row: Sequence[Any]) -> Claim:
    return Claim(kind, *row[:18])


def next_due(session: Session, now: StoreNow) -> int | None:
    """Return the time until the next work is due, in milliseconds; None while nothing waits.

    Args:
        session: A transaction.
        now: The present.
    """
    told: tuple[tuple[str, int], ...] = (
        ("SELECT min(ready_at) FROM evolution_outbox_chat WHERE state = 'waiting'", now.steady),
        ("SELECT min(due_at) FROM evolution_outbox WHERE lined_up = 0", now.wall),
        (
            "SELECT min(paused_until) FROM evolution_outbox_instance WHERE by_person = 0",
            now.steady,
        ),
    )
    waits: list[int] = []
    for sql, present in told:
        (at,) = session.run(sql)[0]
        if at is not None:
            waits.append(max(0, at - present))
    return min(waits, default=None)


def ready_rows(session: Session, limit: int = 1_000) -> list[int]:
    """Return the row with which each chat that is ready goes on.

    Args:
        session: A transaction.
        limit: Most chats.
    """
    chats = session.run(
        "SELECT c.instance, c.chat, c.head FROM evolution_outbox_chat AS c "
        "LEFT JOIN evolution_outbox_instance AS i ON i.instance = c.instance "
        "WHERE c.state = 'ready' AND i.paused_until IS NULL "
        "ORDER BY c.priority DESC, c.head LIMIT ?",
        (limit,),
    )
    found: list[int] = []
    for instance, chat, head in chats:
        sending = session.run(
            "SELECT id FROM evolution_outbox WHERE instance = ? AND chat = ? "
            "AND state = 'sending' LIMIT 1",
            (instance, chat),
        )
        found.append(sending[0][0] if sending else head)
    return found
