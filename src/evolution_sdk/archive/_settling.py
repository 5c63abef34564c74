"""Application of reported changes to the messages with one id."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any, NamedTuple

from evolution_sdk.events.messages import merge_status
from evolution_sdk.identity.chat_names import Lids

from ._judging import Change, Kept, counts, is_same, judge, meant
from .records import status_from

_FILLED_IN = (
    "sender", "push_name", "text", "quoted_id", "media_url", "media_mimetype", "media_size",
    "media_name", "chat_alt", "sender_alt", "first_text",
)  # fmt: skip
_KEPT = "SELECT row, chat, chat_alt, from_me, sender, sender_alt, first_text FROM messages "
_CHANGE = (
    "SELECT row, kind, status, text, at, chat, by_me, participant, participant_alt, proven, "
    "mirrored, by_admin, old_message FROM updates "
)
_OF_AN_ID = "WHERE instance = ? AND id = ?"
_EARLY = f"SELECT row FROM updates {_OF_AN_ID} AND kind = 'status' AND message IS NULL"  # noqa: S608  ours
_UNMARK = f"UPDATE updates SET message = NULL {_OF_AN_ID} AND kind <> 'status'"  # noqa: S608  ours


class Ids(NamedTuple):
    """Instance and WhatsApp id, which several messages in different chats may share."""

    instance: str
    id: str


class Settler:
    """Applies the changes that count, inside a transaction of the caller.

    Args:
        connection: The archive.
        lids: The known hidden ids.
        searchable: True if there is a full-text index.
    """

    def __init__(self, connection: sqlite3.Connection, lids: Lids, *, searchable: bool) -> None:
        self._connection = connection
        self._lids = lids
        self._searchable = searchable

    def same_as(self, message: Kept, ids: Ids) -> int | None:
        """Return the row of the same message in the archive (the oldest of several), or None."""
        found = (each.row for each in self._messages(ids) if is_same(each, message, self._lids))
        return next(found, None)

    def complete(self, number: int, values: Mapping[str, Any]) -> None:
        """Fill in fields that a message lacks, from a copy of it."""
        filled = ", ".join(f"{name} = coalesce({name}, ?)" for name in _FILLED_IN)
        ((text, status),) = self._connection.execute(
            f"UPDATE messages SET {filled} WHERE row = ? RETURNING text, status",  # noqa: S608
            (*(values[name] for name in _FILLED_IN), number),
        ).fetchall()
        self._progress(number, status, values["status"])
        self.index(number, text)

    def arrived(self, ids: Ids) -> None:
        """Apply the changes that arrived before a new message."""
        # Events are not ordered: a status may come before the message that it is about.
        waiting = self._connection.execute(_EARLY, ids)
        for (number,) in waiting.fetchall():
            self.status(ids, number)
        self.settle(ids)

    def status(self, ids: Ids, number: int) -> None:
        """Apply a status to its message, if that is in the archive."""
        (told,) = self._connection.execute(f"{_CHANGE} WHERE row = ?", (number,)).fetchall()
        change = _change(told)
        message = meant(self._messages(ids), change, self._lids)
        if message is None:
            return
        self._mark(number, message.row)
        ((known,),) = self._connection.execute(
            "SELECT status FROM messages WHERE row = ?", (message.row,)
        ).fetchall()
        self._progress(message.row, known, change.status)

    def changed(self, ids: Ids, number: int) -> None:
        """Apply a new edit or deletion."""
        # Judging all changes of an id costs more with each. A change that counts for no message is
        # sorted out first, because strangers can send any number of them.
        (told,) = self._connection.execute(f"{_CHANGE} WHERE row = ?", (number,)).fetchall()
        change = _change(told)
        twins = self._connection.execute(
            f"{_CHANGE} {_OF_AN_ID} AND kind = ? AND (text IS ? OR kind = 'delete') "
            "AND proven <> ? LIMIT ?",
            (*ids, change.kind, change.text, change.proven, 1 if change.proven else -1),
        ).fetchall()
        messages = self._messages(ids)
        proofs = [] if change.proven else [_change(each) for each in twins]
        others = len(messages) - 1
        if (change.proven and twins) or any(
            counts(message, change, others, proofs, self._lids) for message in messages
        ):
            self.settle(ids)

    def settle(self, ids: Ids) -> None:
        """Judge all edits and deletions of an id again, and join records of one message."""
        messages = self._joined(ids)
        told = self._connection.execute(
            f"{_CHANGE} {_OF_AN_ID} AND kind <> 'status' ORDER BY at, row", ids
        ).fetchall()
        if not messages or not told:
            return
        changes = [_change(each) for each in told]
        # From scratch each time, so that the result does not depend on the order of arrival.
        self._connection.execute(_UNMARK, ids)
        for message in messages:
            verdict = judge(message, len(messages) - 1, changes, self._lids)
            for number in verdict.counting:
                self._mark(number, message.row)
            self._connection.execute(
                "UPDATE messages SET text = ?, edited_at = ?, deleted_at = ? WHERE row = ?",
                (verdict.text, verdict.edited_at, verdict.deleted_at, message.row),
            )
            self.index(message.row, verdict.text)

    def index(self, number: int, text: str | None) -> None:
        """Update the full-text index for a message."""
        if not self._searchable:
            return
        self._connection.execute("DELETE FROM messages_text WHERE rowid = ?", (number,))
        if text is not None:
            self._connection.execute(
                "INSERT INTO messages_text (rowid, text) VALUES (?, ?)", (number, text)
            )

    def _messages(self, ids: Ids) -> list[Kept]:
        rows = self._connection.execute(f"{_KEPT} {_OF_AN_ID} ORDER BY row", ids).fetchall()
        return [
            Kept(row, (chat, chat_alt), bool(from_me), (sender, sender_alt), text)
            for row, chat, chat_alt, from_me, sender, sender_alt, text in rows
        ]

    def _joined(self, ids: Ids) -> list[Kept]:
        """Return the messages with an id, after joining records of one message."""
        messages = self._messages(ids)
        # A message may be stored twice, by phone and by hidden id, until the pair is learned.
        for number, later in enumerate(messages):
            first = next((e for e in messages[:number] if is_same(e, later, self._lids)), None)
            if first is not None:
                self._join(first.row, later.row)
                return self._joined(ids)
        return messages

    def _join(self, first: int, later: int) -> None:
        execute = self._connection.execute
        names = (*_FILLED_IN, "status")
        # The later record goes; its changes and whatever it knew more move to the first.
        (values,) = execute(
            f"SELECT {', '.join(names)} FROM messages WHERE row = ?",  # noqa: S608  names of ours
            (later,),
        ).fetchall()
        self.index(later, None)
        execute("DELETE FROM messages WHERE row = ?", (later,))
        execute("UPDATE updates SET message = ? WHERE message = ?", (first, later))
        execute("UPDATE updates SET old_message = ? WHERE old_message = ?", (first, later))
        self.complete(first, dict(zip(names, values, strict=True)))

    def _mark(self, number: int, message: int) -> None:
        self._connection.execute("UPDATE updates SET message = ? WHERE row = ?", (message, number))

    def _progress(self, number: int, known: str | None, told: str | None) -> None:
        # Statuses arrive in any order; the furthest one stays.
        merged = merge_status(status_from(known), status_from(told))
        self._connection.execute(
            "UPDATE messages SET status = ? WHERE row = ?",
            (None if merged is None else str(merged), number),
        )


def _change(row: tuple[Any, ...]) -> Change:
    (number, kind, status, text, at, chat, by_me, participant, alt, proven, mirrored, by_admin,
     old) = row  # fmt: skip
    return Change(
        number, kind, status, text, at, (chat,), None if by_me is None else bool(by_me),
        (participant, alt), bool(proven), bool(mirrored), bool(by_admin), old,
    )  # fmt: skip
