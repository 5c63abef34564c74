"""Application of reported changes to the messages with one id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from evolution_sdk._sql.database import Session
from evolution_sdk.events.messages import merge_status
from evolution_sdk.identity.chat_names import Lids

from ._building import Shape
from ._judging import Change, Kept, counts, is_same, judge, meant
from ._words import Texts
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
# Until the indexes of version 3 are built, those of older versions are there.
_OF_AN_ID = "WHERE instance = ? AND id = ?"
_MESSAGES_OF_AN_ID = "WHERE row IN (SELECT row FROM message_ids WHERE instance = ? AND id = ?)"
_UPDATES_OF_AN_ID = "WHERE row IN (SELECT row FROM update_ids WHERE instance = ? AND id = ?)"


_ALL = 2**63 - 1  # a limit that is none


class Ids(NamedTuple):
    """Instance and WhatsApp id, which several messages in different chats may share."""

    instance: str
    id: str


class Settler:
    """Applies the changes that count, inside a transaction of the caller.

    Args:
        session: The archive, in a transaction.
        lids: The known hidden ids.
        texts: The full-text index.
        shape: State of the indexes in this transaction.
    """

    def __init__(self, session: Session, lids: Lids, texts: Texts, shape: Shape) -> None:
        self._session = session
        self._lids = lids
        self._texts = texts
        self._messages_of = _MESSAGES_OF_AN_ID if shape.indexed else _OF_AN_ID
        self._updates_of = _UPDATES_OF_AN_ID if shape.indexed else _OF_AN_ID

    def messages(self, ids: Ids) -> list[Kept]:
        """Return the messages with an id, in the order of their rows."""
        rows = self._session.run(f"{_KEPT} {self._messages_of} ORDER BY row", ids)
        return [
            Kept(row, (chat, chat_alt), bool(from_me), (sender, sender_alt), text)
            for row, chat, chat_alt, from_me, sender, sender_alt, text in rows
        ]

    def same_as(self, message: Kept, known: Iterable[Kept]) -> int | None:
        """Return the row of the same message (the oldest of several), or None."""
        return next((each.row for each in known if is_same(each, message, self._lids)), None)

    def complete(self, number: int, values: Mapping[str, Any]) -> None:
        """Fill in fields that a message lacks, from a copy of it."""
        (stored,) = self._session.run(
            f"SELECT {', '.join(_FILLED_IN)}, status FROM messages WHERE row = ?",  # noqa: S608
            (number,),
        )
        known = dict(zip(_FILLED_IN, stored, strict=False))
        # Most copies know nothing more, and then nothing is written.
        lacking = [n for n in _FILLED_IN if known[n] is None and values[n] is not None]
        if lacking:
            filled = ", ".join(f"{name} = ?" for name in lacking)
            self._session.run(
                f"UPDATE messages SET {filled} WHERE row = ?",  # noqa: S608  names of ours
                (*(values[name] for name in lacking), number),
            )
        self._progress(number, stored[-1], values["status"])
        if "text" in lacking:
            self._texts.change(number, values["text"])

    def arrived(self, ids: Ids, *, alone: bool) -> None:
        """Apply the changes that arrived before a new message.

        Args:
            ids: Its ids.
            alone: True if no other message has them.
        """
        # Events are not ordered: a status may come before the message that it is about.
        waiting = self._session.run(
            f"SELECT row, kind = 'status', message IS NULL FROM updates {self._updates_of}",  # noqa: S608
            ids,
        )
        for number, is_status, unassigned in waiting:
            if is_status and unassigned:
                self.status(ids, number)
        if not alone or not all(is_status for _, is_status, _ in waiting):
            self.settle(ids)

    def status(self, ids: Ids, number: int) -> None:
        """Apply a status to its message, if that is in the archive."""
        (told,) = self._session.run(f"{_CHANGE} WHERE row = ?", (number,))
        change = _change(told)
        message = meant(self.messages(ids), change, self._lids)
        if message is None:
            return
        self._mark(number, message.row)
        ((known,),) = self._session.run("SELECT status FROM messages WHERE row = ?", (message.row,))
        self._progress(message.row, known, change.status)

    def changed(self, ids: Ids, number: int) -> None:
        """Apply a new edit or deletion."""
        # Judging all changes of an id costs more with each. A change that counts for no message is
        # sorted out first, because strangers can send any number of them.
        (told,) = self._session.run(f"{_CHANGE} WHERE row = ?", (number,))
        change = _change(told)
        twins = self._session.run(
            f"{_CHANGE} {self._updates_of} AND kind = ? AND (text [[same]] ? OR kind = 'delete') "
            "AND proven <> ? LIMIT ?",
            (*ids, change.kind, change.text, int(change.proven), 1 if change.proven else _ALL),
        )
        messages = self.messages(ids)
        proofs = [] if change.proven else [_change(each) for each in twins]
        others = len(messages) - 1
        if (change.proven and twins) or any(
            counts(message, change, others, proofs, self._lids) for message in messages
        ):
            self.settle(ids)

    def settle(self, ids: Ids) -> None:
        """Judge all edits and deletions of an id again, and join records of one message."""
        messages = self._joined(ids)
        told = self._session.run(
            f"{_CHANGE} {self._updates_of} AND kind <> 'status' ORDER BY at, row", ids
        )
        if not messages or not told:
            return
        changes = [_change(each) for each in told]
        # From scratch each time, so that the result does not depend on the order of arrival.
        self._session.run(
            f"UPDATE updates SET message = NULL {self._updates_of} AND kind <> 'status'",  # noqa: S608
            ids,
        )
        for message in messages:
            verdict = judge(message, len(messages) - 1, changes, self._lids)
            for number in verdict.counting:
                self._mark(number, message.row)
            ((before,),) = self._session.run(
                "SELECT text FROM messages WHERE row = ?", (message.row,)
            )
            self._session.run(
                "UPDATE messages SET text = ?, edited_at = ?, deleted_at = ? WHERE row = ?",
                (verdict.text, verdict.edited_at, verdict.deleted_at, message.row),
            )
            if verdict.text != before:
                self._texts.change(message.row, verdict.text)

    def _joined(self, ids: Ids) -> list[Kept]:
        """Return the messages with an id, after joining records of one message."""
        messages = self.messages(ids)
        # A message may be stored twice, by phone and by hidden id, until the pair is learned.
        for number, later in enumerate(messages):
            first = next((e for e in messages[:number] if is_same(e, later, self._lids)), None)
            if first is not None:
                self._join(ids, first.row, later.row)
                return self._joined(ids)
        return messages

    def _join(self, ids: Ids, first: int, later: int) -> None:
        run = self._session.run
        names = (*_FILLED_IN, "status")
        # The later record goes; its changes and whatever it knew more move to the first.
        (values,) = run(
            f"SELECT {', '.join(names)} FROM messages WHERE row = ?",  # noqa: S608  names of ours
            (later,),
        )
        self._texts.remove(later)
        run("DELETE FROM messages WHERE row = ?", (later,))
        for name in ("message", "old_message"):  # of updates with the same id, as both have it
            run(
                f"UPDATE updates SET {name} = ? {self._updates_of} AND {name} = ?",  # noqa: S608
                (first, *ids, later),
            )
        self.complete(first, dict(zip(names, values, strict=True)))

    def _mark(self, number: int, message: int) -> None:
        self._session.run("UPDATE updates SET message = ? WHERE row = ?", (message, number))

    def _progress(self, number: int, known: str | None, told: str | None) -> None:
        # Statuses arrive in any order; the furthest one stays.
        merged = merge_status(status_from(known), status_from(told))
        status = None if merged is None else str(merged)
        if status != known:
            self._session.run("UPDATE messages SET status = ? WHERE row = ?", (status, number))


def _change(row: tuple[Any, ...]) -> Change:
    (number, kind, status, text, at, chat, by_me, participant, alt, proven, mirrored, by_admin,
     old) = row  # fmt: skip
    return Change(
        number, kind, status, text, at, (chat,), None if by_me is None else bool(by_me),
        (participant, alt), bool(proven), bool(mirrored), bool(by_admin), old,
    )  # fmt: skip
