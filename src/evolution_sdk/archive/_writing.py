"""Writing rows to an archive, each once, whatever the order and the source."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from evolution_sdk._sql.database import Database, Session
from evolution_sdk._sql.schema import SchemaVersionError
from evolution_sdk._sql.troubles import DatabaseError

from ._building import Shape, number_of_messages, shape_of
from ._people import FileLids, is_admin, learn_admins
from ._settling import Ids, Settler
from ._sharing import PairIsNewsError, hold, hold_all
from ._taking import MESSAGE_FIELDS, ContactRow, LidRow, MessageRow, Row, UpdateRow
from ._vectors import Vectors
from ._waiting import Waiting
from ._words import Texts

_log = logging.getLogger("evolution_sdk.archive")
# With IGNORE SQLite needs no journal for the statement, which has triggers and could otherwise fail
# half-way. A row that lacks a value it must have is then left out, and `_write_message` tells.
_INSERT = (
    f"INSERT [[ignore]] INTO messages ({', '.join(MESSAGE_FIELDS)}) "  # noqa: S608  names of ours
    f"VALUES ({', '.join('?' * len(MESSAGE_FIELDS))}) RETURNING row"
)
_UPDATE_FIELDS = (
    "key", "instance", "id", "kind", "status", "participant", "participant_alt", "text", "at",
    "chat", "by_me", "proven", "mirrored",
)  # fmt: skip
_INSERT_UPDATE = (
    f"INSERT [[ignore]] INTO updates ({', '.join(_UPDATE_FIELDS)}, by_admin) "  # noqa: S608
    f"VALUES ({', '.join('?' * len(_UPDATE_FIELDS))}, ?) ON CONFLICT (key) DO NOTHING RETURNING row"
)

_TIMESTAMP, _CHAT, _TEXT = map(MESSAGE_FIELDS.index, ("timestamp", "chat", "text"))
_TOGETHER = 100  # rows written into PostgreSQL in one transaction
_GONE_AT_ONCE = 1_000  # messages deleted in one transaction, so that others can write in between


def write(
    database: Database, rows: Sequence[Row], *, searchable: bool, shape: Shape | None = None
) -> int:
    """Write rows in one transaction.

    Args:
        database: The archive.
        rows: The rows.
        searchable: True if there is a full-text index.
        shape: State of the indexes, if it stays the same for good.

    Returns:
        The number of rows.

    Raises:
        DatabaseError: None was written.
    """
    try:
        _write(database, rows, searchable, shape, alone=False)
    except PairIsNewsError:
        _write(database, rows, searchable, shape, alone=True)
    return len(rows)


def _write(
    database: Database, rows: Sequence[Row], searchable: bool, shape: Shape | None, *, alone: bool
) -> None:
    with database.writing() as session:
        hold(session, rows, alone=alone)
        shape = shape or shape_of(session)
        lids = FileLids(session, shape)
        texts = _texts(session, searchable, shape)
        settler = Settler(session, lids, texts, shape)
        for row in rows:
            if isinstance(row, MessageRow):
                _write_message(session, row, settler, texts)
            elif isinstance(row, UpdateRow):
                _write_update(session, row, settler, lids)
            elif isinstance(row, ContactRow):
                _write_contact(session, row)
            elif isinstance(row, LidRow):
                _learn(row, settler, lids)
            else:
                learn_admins(session, row, lids)
        texts.finish()


def _texts(session: Session, searchable: bool, shape: Shape) -> Texts:
    if shape.vectors:
        return Vectors(session)
    # As soon as the new index is complete, the old one is emptied.
    old_too = shape.old_texts and not shape.worded
    return Texts(session, searchable=searchable, old_too=old_too)


def _write_message(session: Session, row: MessageRow, settler: Settler, texts: Texts) -> None:
    ids = Ids(row.instance, row.id)
    others = settler.messages(ids)
    known = settler.same_as(row.kept, others)
    if known is None:
        added = session.run(_INSERT, row.values)
        if not added:
            raise DatabaseError("data", "a value that must not be absent is absent")
        number = int(added[0][0])
        texts.add(number, row.values[_TIMESTAMP], row.values[_CHAT], row.values[_TEXT])
        settler.arrived(ids, alone=not others)
        return
    # A copy may know more than the first one: a webhook carries other fields than an answer.
    settler.complete(known, dict(zip(MESSAGE_FIELDS, row.values, strict=True)))
    settler.settle(ids)


def _write_update(session: Session, row: UpdateRow, settler: Settler, lids: FileLids) -> None:
    ids = Ids(row.instance, row.id)
    author = (row.participant, row.participant_alt)
    # Noted now, because the author may lose the right later.
    by_admin = row.kind == "delete" and is_admin(session, row.instance, row.chat, author, lids)
    told = [getattr(row, name) for name in _UPDATE_FIELDS]
    # PostgreSQL takes no bool for a number.
    values = [int(each) if isinstance(each, bool) else each for each in (*told, by_admin)]
    added = session.run(_INSERT_UPDATE, values)
    if not added:  # a copy of the same event, known by its key
        return
    if row.kind == "status":
        settler.status(ids, added[0][0])
    else:
        settler.changed(ids, added[0][0])


def _learn(row: LidRow, settler: Settler, lids: FileLids) -> None:
    """Store a pair, and apply the changes that it assigns to a message."""
    if lids.learn(row.lid, row.phone):
        for instance, message_id in lids.touched(row.instance, row.lid, row.phone):
            settler.settle(Ids(instance, message_id))


def _write_contact(session: Session, row: ContactRow) -> None:
    session.run(
        "INSERT INTO contacts (instance, jid, name, picture_url, updated_at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (instance, jid) DO UPDATE SET "
        "name = coalesce(excluded.name, contacts.name), "
        "picture_url = coalesce(excluded.picture_url, contacts.picture_url), "
        "updated_at = [[greatest]](excluded.updated_at, contacts.updated_at)",
        (row.instance, row.jid, row.name, row.picture_url, row.at),
    )


def prune(database: Database, before: int | None, most: int | None, *, searchable: bool) -> int:
    """Delete old and surplus messages, oldest first, with their updates.

    Args:
        database: The archive.
        before: Delete messages and updates older than this, in unix seconds; None for any age.
        most: Most messages to keep; None for any number.
        searchable: True if there is a full-text index.

    Returns:
        The number of messages deleted.

    Raises:
        DatabaseError: It could not be done, or not to the end.
    """
    count = 0
    while True:
        gone, is_more = _prune_some(database, before, most, searchable)
        count += gone
        if not is_more:
            return count


def _prune_some(
    database: Database, before: int | None, most: int | None, searchable: bool
) -> tuple[int, bool]:
    """Delete the oldest in one short transaction.

    Returns:
        The number of messages deleted, and True if there may be more to delete.
    """
    with database.writing() as session:
        hold_all(session)
        shape = shape_of(session)
        surplus = 0 if most is None else max(number_of_messages(session, shape) - most, 0)
        oldest = session.run(_OLDEST, (_GONE_AT_ONCE,))
        gone = [
            (row, instance, message_id)
            for number, (row, instance, message_id, timestamp) in enumerate(oldest)
            if number < surplus or (before is not None and timestamp < before)
        ]
        texts = _texts(session, searchable, shape)
        for row, _, _ in gone:
            texts.remove(row)
        if gone:
            # Changes that count for no message go with the messages of their id.
            session.run_many(
                _GONE_UPDATES if shape.indexed else _GONE_UPDATES_OLD,
                [(instance, message_id, row) for row, instance, message_id in gone],
            )
            session.run_many("DELETE FROM messages WHERE row = ?", [each[:1] for each in gone])
        old = 0
        # Edits and deletions of a message that stays are kept: its text depends on them.
        if before is not None:
            old_updates = _OLD_UPDATES if shape.indexed else _OLD_UPDATES_OLD
            session.run(old_updates, (before, _GONE_AT_ONCE))
            old = session.changed
        texts.finish()
    return len(gone), max(len(gone), old) >= _GONE_AT_ONCE


_OLDEST = "SELECT row, instance, id, timestamp FROM messages ORDER BY timestamp, row LIMIT ?"
_GONE_UPDATES = (
    "DELETE FROM updates WHERE row IN "
    "(SELECT row FROM update_ids WHERE instance = ? AND id = ?) "
    "AND (message IS NULL OR message = ?)"
)
_GONE_UPDATES_OLD = (
    "DELETE FROM updates WHERE instance = ? AND id = ? AND (message IS NULL OR message = ?)"
)
_OLD_UPDATES = (
    "DELETE FROM updates WHERE row IN (SELECT updates.row FROM update_times CROSS JOIN updates "
    "ON updates.row = update_times.row WHERE update_times.at < ? "
    "AND (updates.message IS NULL OR updates.kind = 'status') ORDER BY update_times.at LIMIT ?)"
)
_OLD_UPDATES_OLD = (
    "DELETE FROM updates WHERE row IN (SELECT row FROM updates WHERE at < ? "
    "AND (message IS NULL OR kind = 'status') LIMIT ?)"
)


def write_each(
    database: Database,
    rows: list[Row],
    waiting: Waiting,
    *,
    searchable: bool,
    shape: Shape | None = None,
) -> int:
    """Write rows from the queue; a row that cannot be stored does not hold up the others.

    Args:
        database: The archive.
        rows: The rows.
        waiting: The queue, which counts rows that cannot be stored as lost.
        searchable: True if there is a full-text index.
        shape: State of the indexes, if it stays the same for good.

    Returns:
        The number of rows written.

    Raises:
        Exception: The database cannot be written.
    """
    # Each row costs PostgreSQL some ways to and fro, for which others must not wait too long.
    size = _TOGETHER if database.dialect.name == "postgres" else max(len(rows), 1)
    count = 0
    for first in range(0, len(rows), size):
        count += _write_piece(database, rows[first : first + size], searchable, shape)
    waiting.done(len(rows) - count)
    return count


def _write_piece(database: Database, rows: list[Row], searchable: bool, shape: Shape | None) -> int:
    try:
        return write(database, rows, searchable=searchable, shape=shape)
    except Exception as error:
        if _of_the_database(error):
            raise
    # One of the rows cannot be stored: written one by one, all others are.
    count = 0
    for row in rows:
        try:
            count += write(database, (row,), searchable=searchable, shape=shape)
        except Exception as error:
            if _of_the_database(error):
                raise
            _log.error("a row could not be archived: %s", _named(error))
    return count


def _of_the_database(error: Exception) -> bool:
    if isinstance(error, DatabaseError):
        return error.kind != "data"
    return isinstance(error, OSError | SchemaVersionError)


def _named(error: Exception) -> str:
    # Of an error of ours only the class: its text may quote what people wrote.
    return str(error) if isinstance(error, DatabaseError) else type(error).__name__
