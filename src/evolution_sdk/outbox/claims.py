"""Claiming work: one chat at a time for each worker, so that its messages go in order.

Every statement visits rows by an index, and few of them, however many wait.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Literal, TypeAlias, TypeVar

from evolution_sdk._sql.database import Session

from .store_clock import StoreNow
from .taking import ALL, Claim, heads_of, take

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

T = TypeVar("T")
NotYet: TypeAlias = Literal["busy", "paused", "waiting"]
"""Why a message cannot be worked on now: another worker has its chat, a pause, or a wait."""

_LINE_UP = 500
_EXPIRE = 200
_AT_ONCE = 100
# What is due and not to be had is held by somebody: it is not asked for without a pause.
_SOON_MS = 10
_LOCK = 0x6C696E65
# Of this outbox: one database may hold several, each in a schema of its own.
_LINE_UP_ALONE = "SELECT pg_try_advisory_xact_lock(?, hashtext(current_schema()))"

_OPEN_CHAT = (
    "INSERT INTO evolution_outbox_chat (instance, chat, head, priority, state, ready_at) "
    "VALUES {rows} ON CONFLICT (instance, chat) DO UPDATE SET "
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
    "WHERE c.instance = i.instance AND c.state = 'ready') "
    "AND NOT EXISTS (SELECT 1 FROM evolution_outbox_instance AS a "
    "WHERE a.instance = ? AND a.paused_until IS NOT NULL) ORDER BY i.instance"
)


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
        (taken,) = session.run(_LINE_UP_ALONE, (_LOCK,))[0]
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
    # Chats that somebody else holds wait for the next round: whoever is frozen in the middle of a
    # transaction holds up nothing else, and nobody waits for others in a circle.
    held = _held_by_others(session, sorted(chats))
    free = {names: found for names, found in chats.items() if names not in held}
    # In one order everywhere, all the same.
    for names in _parts(sorted(free)):
        session.run(
            _OPEN_CHAT.format(rows=", ".join(["(?, ?, ?, ?, 'ready', 0)"] * len(names))),
            [value for name in names for value in (*name, *free[name])],
        )
    lined_up = [row[0] for row in rows if (row[1], row[2]) in free]
    for some in _parts(lined_up):
        session.run(f"UPDATE evolution_outbox SET lined_up = 1 WHERE id IN ({_marks(some)})", some)
    return len(lined_up)


def _parts(values: Sequence[T]) -> list[Sequence[T]]:
    return [values[place : place + _AT_ONCE] for place in range(0, len(values), _AT_ONCE)]


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _held_by_others(session: Session, chats: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Hold some chats, and tell which are not to be had now."""
    if session.dialect.name != "postgres":
        return set()
    held: set[tuple[str, str]] = set()
    for instance, some in groupby(chats, key=lambda names: names[0]):
        # An array, not a list of pairs: that becomes a long OR, which no index serves.
        ask = (
            "SELECT chat FROM evolution_outbox_chat WHERE instance = ? AND chat = ANY(?) "
            "ORDER BY instance, chat"
        )
        values = (instance, [chat for _, chat in some])
        # First what can be held: a chat that is made between the two statements counts as held.
        ours = {chat for (chat,) in session.run(f"{ask} [[skip]]", values)}
        held |= {(instance, chat) for (chat,) in session.run(ask, values) if chat not in ours}
    return held


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
    due = "instance = ? AND chat = ? AND lined_up = 0 AND due_at <= ?"
    values = (instance, chat, now.wall)
    if not session.run(f"SELECT 1 FROM evolution_outbox WHERE {due} LIMIT 1", values):
        return
    session.run(
        "INSERT INTO evolution_outbox_instance (instance) VALUES (?) ON CONFLICT DO NOTHING",
        (instance,),
    )
    # Chats before messages, as everywhere.
    session.run(
        _OPEN_CHAT.format(rows="(?, ?, ?, ?, 'ready', 0)"), (instance, chat, number, priority)
    )
    session.run(
        "UPDATE evolution_outbox SET lined_up = 1 WHERE id IN (SELECT id FROM evolution_outbox "
        f"WHERE {due} ORDER BY id [[hold]])",
        values,
    )


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
        "WHERE instance IN (SELECT instance FROM evolution_outbox_instance "
        "WHERE paused_until <= ? AND by_person = 0 ORDER BY instance [[skip]])",
        (now.steady,),
    )
    session.run(
        "UPDATE evolution_outbox_chat SET state = 'ready' WHERE (instance, chat) IN "
        "(SELECT instance, chat FROM evolution_outbox_chat WHERE state = 'waiting' "
        "AND ready_at <= ? ORDER BY ready_at [[skip]])",
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
    names = [name for (name,) in session.run(_BUSY_INSTANCES, (ALL,))]
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
            chats = [chat for (chat,) in session.run(_READY, (name, left))]
            found += take(session, worker, name, chats, now, make_id, dropped)
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
    found = take(session, worker, instance, [chat], now, make_id, dropped)
    return found[0] if found else None


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
            waits.append(max(_SOON_MS, at - present))
    return min(waits, default=None)


def ready_rows(session: Session, limit: int = 1_000) -> list[int]:
    """Return the row with which each chat that is ready goes on.

    Args:
        session: A transaction.
        limit: Most chats.
    """
    chats = session.run(
        "SELECT c.instance, c.chat FROM evolution_outbox_chat AS c "
        "LEFT JOIN evolution_outbox_instance AS i ON i.instance = c.instance "
        "WHERE c.state = 'ready' AND i.paused_until IS NULL "
        "ORDER BY c.priority DESC, c.head LIMIT ?",
        (limit,),
    )
    heads: dict[tuple[str, str], int | None] = {}
    # Not the heads as they were noted: one may have been taken back since.
    for instance, some in groupby(sorted(chats), key=lambda place: place[0]):
        told = heads_of(session, instance, [chat for _, chat in some])
        heads.update({(instance, chat): head for chat, (head, _) in told.items()})
    found = [heads.get((instance, chat)) for instance, chat in chats]
    return [head for head in found if head is not None]
