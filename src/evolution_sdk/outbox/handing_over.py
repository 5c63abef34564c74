"""Taking messages over: one row each, in a transaction of the outbox or of the caller.

Written as generators of statements, so that the same serves a blocking and an awaiting connection.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias

from evolution_sdk._sql.database import Row
from evolution_sdk.errors import (
    OutboxConflictError,
    OutboxStoreError,
    RecipientOptedOutError,
    RequestValidationError,
)

from .jobs import OutboxJob, lock_of
from .payload import Cipher, Payload, StoredFile
from .records import COLUMNS, OutboxMessage, OutboxState, message_of

__all__ = ["Enqueue", "OutboxDraft", "Statement", "Steps", "drafts_of", "new_key", "put_steps"]

Statement: TypeAlias = tuple[str, Sequence[Any]]
Steps: TypeAlias = Generator[Statement, list[Row], list[OutboxMessage]]
Enqueue: TypeAlias = Callable[[Sequence[OutboxJob]], Iterable[Statement]]
"""Makes the statements that write jobs, for the transaction that makes them necessary."""

_INSERT = (
    "INSERT INTO evolution_outbox (key, instance, chat, recipient, operation, payload, file, "
    "metadata, priority, on_unknown, not_before, expires_at, due_at, created_at, state) VALUES "
)
_VALUES = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued')"
_KEEP_FILE = (
    "INSERT INTO evolution_outbox_file (hash, content, size, created_at) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (hash) DO UPDATE SET created_at = excluded.created_at"
)
_OPTED_OUT = "SELECT chat, instance, since FROM evolution_outbox_opt_out WHERE chat IN "
_AT_ONCE = 50  # values of one statement stay below the 999 of old SQLite
_NAMES_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class DraftContent:
    """The content of a draft, as it will be kept.

    Attributes:
        chat: Its chat, whose messages go in order.
        names: All ids under which the chat may be known.
        payload: The message.
        kept: The message as it is written.
        file: Its file; None without one.
        metadata: The caller's own data, as JSON; None without any.
        on_unknown: What to do when nothing is proven.
    """

    chat: str
    names: tuple[str, ...]
    payload: Payload
    kept: bytes
    file: StoredFile | None
    metadata: str | None
    on_unknown: str


@dataclass(frozen=True, slots=True)
class OutboxDraft:
    """A message that was checked, and is not written yet: for ``outbox.put_many``.

    Attributes:
        key: Its key.
        instance: The instance.
        recipient: The number or JID as it was given.
        operation: Key of the operation.
        priority: Its priority.
        not_before: Earliest time to send it.
        expires_at: Time after which it is not sent.
        content: Its content.
    """

    key: str
    instance: str
    recipient: str = field(repr=False)
    operation: str
    priority: int
    not_before: datetime | None
    expires_at: datetime | None
    content: DraftContent = field(repr=False)

    def values(self, now: int) -> tuple[Any, ...]:
        """Return the values of its row.

        Args:
            now: The present, in milliseconds since 1970.
        """
        not_before, expires_at = millis(self.not_before), millis(self.expires_at)
        content = self.content
        file = None if content.file is None else content.file.name
        return (
            self.key, self.instance, content.chat, self.recipient, self.operation, content.kept,
            file, content.metadata, self.priority, content.on_unknown, not_before, expires_at,
            # One that is due at once has no due time: such rows go in the order of hand-over.
            not_before if not_before is not None and not_before > now else 0, now,
        )  # fmt: skip


def new_key() -> str:
    """Make a key for a message that was handed over without one."""
    return f"auto-{secrets.token_hex(12)}"


def drafts_of(given: Iterable[object]) -> list[OutboxDraft]:
    """Return the drafts of a call.

    Args:
        given: What the caller gave.

    Raises:
        RequestValidationError: One of them is no draft.
    """
    found: list[OutboxDraft] = []
    for one in given:
        if not isinstance(one, OutboxDraft):
            raise RequestValidationError("drafts", "must be drafts, made with outbox.drafts.send_…")
        found.append(one)
    return found


def millis(moment: datetime | None) -> int | None:
    """Return a time as milliseconds since 1970."""
    return None if moment is None else round(moment.timestamp() * 1_000)


def put_steps(
    drafts: Sequence[OutboxDraft],
    now: int,
    cipher: Cipher | None,
    enqueue: Enqueue | None = None,
) -> Steps:
    """Write messages; one whose key is there already becomes the row that is there.

    Args:
        drafts: The messages.
        now: The present, in milliseconds since 1970.
        cipher: Decrypts the rows that are there.
        enqueue: Makes the jobs of an engine; None without one.

    Yields:
        Statements; each is to be answered with its rows.

    Returns:
        The messages, in the same order.

    Raises:
        OutboxConflictError: A key belongs to another message.
        RecipientOptedOutError: A recipient opted out.
    """
    yield from _refuse_opted_out(drafts)
    files = [one.content.file for one in drafts if one.content.file is not None]
    for file in {one.name: one for one in files}.values():
        yield _KEEP_FILE, (file.name, file.content, file.size, now)
    found: dict[str, OutboxMessage] = {}
    for place in range(0, len(drafts), _AT_ONCE):
        some = drafts[place : place + _AT_ONCE]
        many = ", ".join([_VALUES] * len(some))
        rows = yield (
            f"{_INSERT}{many} ON CONFLICT (key) DO NOTHING RETURNING id, key",
            [value for one in some for value in one.values(now)],
        )
        by_key = {one.key: one for one in reversed(some)}
        found.update({key: _made(number, by_key[key], now) for number, key in rows})
    if enqueue is not None and found:
        jobs = _jobs({one.key: one for one in reversed(drafts)}, found, now)
        for statement in enqueue(jobs):  # noqa: UP028 - answers are sent in, and belong to nobody
            yield statement
    there = [one for one in drafts if one.key not in found]
    for place in range(0, len(there), _AT_ONCE):
        yield from _same(there[place : place + _AT_ONCE], found, cipher)
    # Two of one call may have one key, too.
    first: dict[str, OutboxDraft] = {}
    for one in drafts:
        before = first.setdefault(one.key, one)
        differs = () if before is one else before.content.payload.differs(one.content.payload)
        if differs:
            raise OutboxConflictError(one.key, differs)
    return [found[one.key] for one in drafts]


def _jobs(
    drafts: Mapping[str, OutboxDraft], made: Mapping[str, OutboxMessage], now: int
) -> list[OutboxJob]:
    """The jobs of new messages."""
    jobs: list[OutboxJob] = []
    for key, message in made.items():
        later = message.not_before if (millis(message.not_before) or 0) > now else None
        # One that is not due yet must not hold up the others of its chat.
        chat = drafts[key].content.chat
        lock = lock_of(message.instance, chat) if later is None else None
        jobs.append(OutboxJob(message.id, lock, message.priority, later))
    return jobs


def _refuse_opted_out(drafts: Sequence[OutboxDraft]) -> Generator[Statement, list[Row]]:
    if not (yield "SELECT 1 FROM evolution_outbox_opt_out LIMIT 1", ()):
        return
    names = list(dict.fromkeys(name for one in drafts for name in one.content.names))
    for place in range(0, len(names), _NAMES_AT_ONCE):
        some = names[place : place + _NAMES_AT_ONCE]
        rows = yield f"{_OPTED_OUT}({', '.join('?' * len(some))})", some
        for chat, instance, since in rows:
            for one in drafts:
                if chat in one.content.names and instance in ("", one.instance):
                    raise RecipientOptedOutError(datetime.fromtimestamp(since / 1_000, UTC))


def _same(
    drafts: Sequence[OutboxDraft], found: dict[str, OutboxMessage], cipher: Cipher | None
) -> Generator[Statement, list[Row]]:
    """Find the rows of keys that are there already, and compare what they hold."""
    keys = list(dict.fromkeys(one.key for one in drafts))
    marks = ", ".join("?" * len(keys))
    rows = yield f"SELECT {COLUMNS}, payload FROM evolution_outbox WHERE key IN ({marks})", keys
    kept: Mapping[str, Row] = {row[1]: row for row in rows}
    for one in drafts:
        row = kept.get(one.key)
        if row is None:
            # Written by a transaction that this one cannot see: its isolation is above READ
            # COMMITTED, or the row was purged this moment.
            raise OutboxStoreError(
                "another transaction has just written this key", kind="busy", key=one.key
            )
        differs = Payload.load(row[-1], cipher).differs(one.content.payload)
        if differs:
            raise OutboxConflictError(one.key, differs)
        found[one.key] = message_of(row)


def _made(number: int, draft: OutboxDraft, now: int) -> OutboxMessage:
    """The message as it is right after its row was written."""
    return OutboxMessage(
        id=number,
        key=draft.key,
        instance=draft.instance,
        recipient=draft.recipient,
        operation=draft.operation,
        state=OutboxState.QUEUED,
        priority=draft.priority,
        created_at=datetime.fromtimestamp(now / 1_000, UTC),
        not_before=draft.not_before,
        expires_at=draft.expires_at,
        metadata=json.loads(draft.content.metadata) if draft.content.metadata else {},
    )
