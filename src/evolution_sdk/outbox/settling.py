"""Writing down what came of a claim, and passing the turn to the next message of the chat."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from evolution_sdk._sql.database import Session

from .records import OutboxFailure, OutboxState
from .store_clock import StoreNow
from .taking import ALL, Claim, drop_chats, heads_of

__all__ = ["Done", "Lost", "Outcome", "Pause", "Postponed", "given_back", "settle"]


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause of an instance, or of the whole server.

    Attributes:
        instance: The instance; :data:`~evolution_sdk.outbox.claims.ALL` for the server.
        reason: Why, in words.
        wait_ms: How long, in milliseconds. Default: longer each time.
        trouble: False where only a limit of our own is kept: nothing is wrong then.
    """

    instance: str
    reason: str
    wait_ms: float | None = None
    trouble: bool = True


@dataclass(frozen=True, slots=True)
class Done:
    """The end of a message: sent, failed, or unknown.

    Attributes:
        state: Its state.
        message_id: WhatsApp's id, where it is known.
        remote_jid: The chat as the server told it.
        server_time: The time of the message by the server's clock, in milliseconds since 1970.
        found: True if it was found by a look.
        error: Why it failed.
        reason: Words about it.
    """

    state: OutboxState
    message_id: str | None = None
    remote_jid: str | None = None
    server_time: int | None = None
    found: bool = False
    error: OutboxFailure | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Postponed:
    """A message that surely was not sent, and is to be tried again.

    Attributes:
        wait_ms: How long its chat waits, in milliseconds.
        error: Why it was not sent.
        reason: Words about it.
        counts: Whether this counts among the failures after which it is given up.
        called: Whether the call may have reached the server; else it is no attempt.
        pause: What is to be paused besides.
    """

    wait_ms: float
    error: OutboxFailure | None = None
    reason: str = ""
    counts: bool = False
    called: bool = True
    pause: Pause | None = None


@dataclass(frozen=True, slots=True)
class Lost:
    """A message that may have been sent, and is to be looked for.

    Attributes:
        wait_ms: Time until the next look, in milliseconds.
        reason: Words about it.
        error: The failure that left it open.
        looked: Whether a look was made.
        answered: Whether the call was answered, only without an id.
        pause: What is to be paused besides.
    """

    wait_ms: float
    reason: str = ""
    error: OutboxFailure | None = None
    looked: bool = False
    answered: bool = False
    pause: Pause | None = None


Outcome = Done | Postponed | Lost
Ending = tuple[Claim, Outcome]

_CLOSE = (
    "UPDATE evolution_outbox SET state = ?, message_id = coalesce(?, message_id), "
    "remote_jid = coalesce(?, remote_jid), server_time = ?, answered_steady = ?, "
    "sent_at = CASE WHEN ? THEN ? ELSE sent_at END, found = ?, error = ?, reason = ?, "
    "lined_up = 1 WHERE id = ? AND state IN ('queued', 'sending', 'unknown')"
)


def given_back(claim: Claim) -> Ending:
    """Return the ending of a claim that nobody has begun to work on.

    Args:
        claim: The claim.
    """
    if claim.kind == "look":
        return claim, Lost(0, "it is to be looked for")
    return claim, Postponed(0, None, "", called=False)


def settle(
    session: Session,
    endings: Sequence[Ending],
    now: StoreNow,
    curve: Callable[[int], float],
) -> None:
    """Write down what came of claims; doing so a second time changes nothing.

    Args:
        session: A transaction.
        endings: Claims and what came of them.
        now: The present.
        curve: Length of a pause, in milliseconds, by the number of troubles before it.
    """
    left: list[Ending] = sorted(endings, key=lambda one: (one[0].instance, one[0].chat))
    while left:
        # Each chat once: whoever is the second finds what the first has left behind.
        first = {(one[0].instance, one[0].chat): one for one in reversed(left)}
        chosen = {id(one) for one in first.values()}
        left = [one for one in left if id(one) not in chosen]
        _settle_chats(session, [first[place] for place in sorted(first)], now, curve)


def _settle_chats(
    session: Session, endings: Sequence[Ending], now: StoreNow, curve: Callable[[int], float]
) -> None:
    """Write down what came of claims of different chats."""
    held: dict[str, dict[str, tuple[str, str | None]]] = {}
    # In one order everywhere, so that two workers never wait for each other in a circle.
    for instance, some in groupby(endings, key=lambda one: one[0].instance):
        held[instance] = _hold(session, instance, [claim.chat for claim, _ in some])
    done: list[Sequence[object]] = []
    pauses: list[Pause] = []
    free: dict[str, list[str]] = {}
    sent: set[str] = set()
    for claim, outcome in endings:
        ours = held[claim.instance].get(claim.chat) == ("busy", claim.ticket)
        wait_ms = 0.0
        if isinstance(outcome, Done):
            # That it was sent is a fact, whoever holds its chat by now.
            if ours or outcome.state.was_sent:
                done.append(_closing(claim, outcome, now, ours=ours))
            if outcome.state.was_sent:
                sent |= {claim.instance, ALL}
        elif not ours:
            # Others have taken the chat over since: what they find counts, not what we do not know.
            continue
        else:
            wait_ms = _keep_open(session, claim, outcome, now)
            pauses += [] if outcome.pause is None else [outcome.pause]
        if ours and wait_ms <= 0:
            free.setdefault(claim.instance, []).append(claim.chat)
    if done:
        session.run_many(_CLOSE, done)
    if sent:
        session.run(
            "UPDATE evolution_outbox_instance SET troubles = 0 "
            f"WHERE instance IN ({', '.join('?' * len(sent))}) AND troubles > 0",
            sorted(sent),
        )
    for wanted in pauses:
        pause(session, wanted, now, curve)
    for instance, chats in free.items():
        pass_on(session, instance, chats)


def _keep_open(session: Session, claim: Claim, outcome: Postponed | Lost, now: StoreNow) -> float:
    """Note why a message did not end; returns how long its chat waits, in milliseconds."""
    if isinstance(outcome, Postponed):
        _put_back(session, claim, outcome)
    else:
        _leave_open(session, claim, outcome, now)
    if outcome.wait_ms > 0:
        _let_wait(session, claim, now, outcome.wait_ms)
    return outcome.wait_ms


def _hold(
    session: Session, instance: str, chats: Sequence[str]
) -> dict[str, tuple[str, str | None]]:
    """Hold the rows of chats; return their state and ticket."""
    marks = ", ".join("?" * len(chats))
    rows = session.run(
        "SELECT chat, state, ticket FROM evolution_outbox_chat "
        f"WHERE instance = ? AND chat IN ({marks}) ORDER BY instance, chat [[hold]]",
        (instance, *chats),
    )
    return {chat: (state, ticket) for chat, state, ticket in rows}


def _closing(claim: Claim, done: Done, now: StoreNow, *, ours: bool) -> Sequence[object]:
    """Return the values with which a message ends."""
    return (
        done.state.value,
        _kept(done.message_id),
        _kept(done.remote_jid),
        done.server_time,
        # The anchors of clocks: only what an answer of the server has told.
        now.steady if ours and done.server_time is not None and not done.found else None,
        done.state.was_sent,
        now.wall,
        int(done.found),
        None if done.error is None else done.error.dump(),
        _kept(done.reason),
        claim.id,
    )


def _kept(text: str | None) -> str | None:
    """Return a text of the server's as every database takes it."""
    # Never the reason why it could not be written down that a message was sent.
    return None if text is None else text.encode("utf-8", "replace").decode().replace("\0", "?")


def _put_back(session: Session, claim: Claim, outcome: Postponed) -> None:
    session.run(
        "UPDATE evolution_outbox SET state = 'queued', worker = NULL, lined_up = 1, "
        "attempts = attempts - ?, failures = failures + ?, error = ?, reason = ? "
        "WHERE id = ? AND state = 'sending'",
        (
            0 if outcome.called else 1,
            int(outcome.counts),
            None if outcome.error is None else outcome.error.dump(),
            _kept(outcome.reason),
            claim.id,
        ),
    )


def _leave_open(session: Session, claim: Claim, outcome: Lost, now: StoreNow) -> None:
    session.run(
        "UPDATE evolution_outbox SET lost_steady = coalesce(lost_steady, ?), looks = looks + ?, "
        "answered = [[greatest]](answered, ?), "
        "error = coalesce(?, error), reason = ? WHERE id = ? AND state = 'sending'",
        (
            now.steady,
            int(outcome.looked),
            int(outcome.answered),
            None if outcome.error is None else outcome.error.dump(),
            _kept(outcome.reason),
            claim.id,
        ),
    )


def _let_wait(session: Session, claim: Claim, now: StoreNow, wait_ms: float) -> None:
    session.run(
        "UPDATE evolution_outbox_chat SET state = 'waiting', worker = NULL, ticket = NULL, "
        "ready_at = ? WHERE instance = ? AND chat = ?",
        (now.steady + max(1, round(wait_ms)), claim.instance, claim.chat),
    )


def pass_on(session: Session, instance: str, chats: Sequence[str]) -> None:
    """Let chats go, to whoever claims them next; those without work are deleted.

    Args:
        session: A transaction that holds the chats' rows.
        instance: The instance.
        chats: The chats.
    """
    heads = heads_of(session, instance, chats)
    idle = [chat for chat in chats if heads[chat][0] is None]
    if idle:
        drop_chats(session, instance, idle)
    ready = [(*heads[chat], instance, chat) for chat in chats if heads[chat][0] is not None]
    if ready:
        session.run_many(
            "UPDATE evolution_outbox_chat SET state = 'ready', worker = NULL, ticket = NULL, "
            "head = ?, priority = coalesce(?, priority) WHERE instance = ? AND chat = ?",
            ready,
        )


def pause(session: Session, wanted: Pause, now: StoreNow, curve: Callable[[int], float]) -> None:
    """Pause an instance or the server, unless a person has done so.

    Args:
        session: A transaction.
        wanted: The pause.
        now: The present.
        curve: As of :func:`settle`.
    """
    wait_ms = wanted.wait_ms
    if wait_ms is None:
        rows = session.run(
            "SELECT troubles FROM evolution_outbox_instance WHERE instance = ?", (wanted.instance,)
        )
        wait_ms = curve(rows[0][0] if rows else 0)
    until = now.steady + max(1, round(wait_ms))
    # Several calls that fail at once are one trouble: only the first finds no pause.
    session.run(
        "INSERT INTO evolution_outbox_instance (instance, paused_until, pause_reason, troubles) "
        "VALUES (?, ?, ?, ?) ON CONFLICT (instance) DO UPDATE SET "
        "paused_until = excluded.paused_until, pause_reason = excluded.pause_reason, "
        "troubles = evolution_outbox_instance.troubles + excluded.troubles "
        "WHERE evolution_outbox_instance.by_person = 0 "
        "AND evolution_outbox_instance.paused_until IS NULL",
        (wanted.instance, until, wanted.reason, int(wanted.trouble)),
    )
