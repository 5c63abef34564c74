"""Taking the next message of chats whose rows are held: many chats by few statements."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from evolution_sdk._sql.database import Row, Session

from .store_clock import StoreNow

__all__ = ["ALL", "Claim", "drop_chats", "heads_of", "take"]

ALL = "*"
"""The name under which the whole server is paused."""
_AT_ONCE = 100
_WORK = (
    "id, key, instance, chat, operation, payload, file, on_unknown, attempts, failures, looks, "
    "given_id, begun_at, begun_steady, lost_steady, boot, worker, "
    "[[greatest]](created_at, coalesce(not_before, created_at)), expires_at, answered"
)
# `id + 0`, as in the indexes: the order of no other index looks like it, so that no plan walks all
# that was sent to find the few rows that wait.
_OF_CHAT = "{m}.instance = c.instance AND {m}.chat = c.chat AND {m}.state = "
_SENDING = (
    f"(SELECT s.id FROM evolution_outbox AS s WHERE {_OF_CHAT.format(m='s')}'sending' LIMIT 1)"
)
_HEAD = (
    f"(SELECT q.id FROM evolution_outbox AS q WHERE {_OF_CHAT.format(m='q')}'queued' "
    "AND q.lined_up = 1 ORDER BY q.id + 0 LIMIT 1)"
)
# One that is due and was missed by who lined up the others: somebody held its row just then.
_MISSED = (
    f"(SELECT n.id FROM evolution_outbox AS n WHERE {_OF_CHAT.format(m='n')}'queued' "
    f"AND n.lined_up = 0 AND n.due_at <= ? AND n.id + 0 < {_HEAD} ORDER BY n.id + 0 LIMIT 1)"
)
_MOST = (
    f"(SELECT r.priority FROM evolution_outbox AS r WHERE {_OF_CHAT.format(m='r')}'queued' "
    "AND r.lined_up = 1 ORDER BY r.priority DESC LIMIT 1)"
)
_CHATS = "FROM evolution_outbox_chat AS c WHERE c.instance = ? AND c.chat IN "
_NEXT = (
    f"SELECT {_WORK}, state, EXISTS (SELECT 1 FROM evolution_outbox_opt_out AS o "
    "WHERE o.chat = m.chat AND o.instance IN ('', m.instance)) FROM evolution_outbox AS m "
    f"WHERE id IN (SELECT coalesce({_SENDING}, {_MISSED}, {_HEAD}) {_CHATS}"
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
        ticket: Name of this claim, which no other has.
        answered: Whether the latest call was answered, only without an id.
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
    ticket: str
    answered: bool = False


def take(
    session: Session,
    worker: str,
    instance: str,
    chats: Sequence[str],
    now: StoreNow,
    make_id: Callable[[str, str], str | None],
    dropped: list[int],
) -> list[Claim]:
    """Take the work of chats whose rows are held; those without any are deleted.

    Args:
        session: A transaction.
        worker: Who claims.
        instance: The instance.
        chats: The chats.
        now: The present.
        make_id: Makes an id for a message of an operation and an instance; None where it takes
            none.
        dropped: Gets the rows that are not to be sent any more.

    Returns:
        The claims, in the order of the chats; their rows say ``sending``.
    """
    left, found, ticket = list(chats), dict[str, Claim](), secrets.token_hex(8)
    while left:
        some = left[:_AT_ONCE]
        sql = f"{_NEXT}({_marks(some)})) [[hold]]"
        rows: dict[str, Row] = {
            row[3]: row for row in session.run(sql, (now.wall, instance, *some))
        }
        free = [chat for chat in some if chat not in rows]
        left = left[_AT_ONCE:]
        sends: list[Row] = []
        for chat, row in rows.items():
            gone = _left_out(row, now)
            if row[20] == "sending":
                # Its worker is gone, or its answer was lost: it is looked for, never just sent.
                found[chat] = _claim("look", row[:18], ticket, bool(row[19]))
            elif row[20] != "queued":
                left.append(chat)  # taken back while its row was waited for
            elif gone is not None:
                session.run(
                    "UPDATE evolution_outbox SET state = ?, lined_up = 1, reason = ? WHERE id = ?",
                    (*gone, row[0]),
                )
                dropped.append(row[0])
                left.append(chat)
            else:
                given = row[11] or make_id(row[4], instance)
                sends.append((worker, now.boot, now.wall, now.steady, given, row[0]))
                begun = (0, given, now.wall, now.steady, None, now.boot, worker, row[17])
                found[chat] = _claim("send", (*row[:8], row[8] + 1, row[9], *begun), ticket)
        _begin(session, sends)
        taken = [chat for chat in rows if chat in found]
        if taken:
            session.run(
                "UPDATE evolution_outbox_chat SET state = 'busy', worker = ?, ticket = ? "
                f"WHERE instance = ? AND chat IN ({_marks(taken)})",
                (worker, ticket, instance, *taken),
            )
        if free:
            drop_chats(session, instance, free)
    return [found[chat] for chat in chats if chat in found]


def _begin(session: Session, sends: Sequence[Row]) -> None:
    if sends:
        session.run_many(
            "UPDATE evolution_outbox SET state = 'sending', lined_up = 1, worker = ?, boot = ?, "
            "begun_at = ?, begun_steady = ?, lost_steady = NULL, answered = 0, "
            "attempts = attempts + 1, looks = 0, given_id = ?, reason = '' WHERE id = ?",
            sends,
        )


def _left_out(row: Row, now: StoreNow) -> tuple[str, str] | None:
    """Say why a message is not to be sent any more; None when it is."""
    if row[18] is not None and row[18] <= now.wall:
        return "expired", "it was not sent in time"
    # Whoever asked to stop after the hand-over is not written to either.
    return ("cancelled", "the recipient opted out") if row[21] else None


def _claim(
    kind: Literal["send", "look"], row: Sequence[Any], ticket: str, answered: bool = False
) -> Claim:
    values: list[Any] = [*row, ticket, answered]
    return Claim(kind, *values)


def heads_of(
    session: Session, instance: str, chats: Sequence[str]
) -> dict[str, tuple[int | None, int | None]]:
    """Return the row with which each of some chats goes on, and the highest priority in its line.

    Args:
        session: A transaction.
        instance: The instance.
        chats: The chats.
    """
    found: dict[str, tuple[int | None, int | None]] = {}
    for place in range(0, len(chats), _AT_ONCE):
        some = chats[place : place + _AT_ONCE]
        # One that is being looked for comes first, and is work, too.
        rows = session.run(
            f"SELECT c.chat, coalesce({_SENDING}, {_HEAD}), {_MOST} {_CHATS}({_marks(some)})",
            (instance, *some),
        )
        found.update({chat: (head, most) for chat, head, most in rows})
    return found


def drop_chats(session: Session, instance: str, chats: Sequence[str]) -> None:
    """Delete chats without work.

    Args:
        session: A transaction that holds their rows.
        instance: The instance.
        chats: The chats.
    """
    session.run(
        f"DELETE FROM evolution_outbox_chat WHERE instance = ? AND chat IN ({_marks(chats)})",
        (instance, *chats),
    )


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))
