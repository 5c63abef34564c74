"""Writing rows to an archive, each once, whatever the order and the source."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable

from ._building import Shape, number_of_messages, shape_of
from ._people import FileLids, is_admin, learn_admins
from ._settling import Ids, Settler
from ._taking import MESSAGE_FIELDS, ContactRow, LidRow, MessageRow, Row, UpdateRow
from ._waiting import Waiting
from ._words import Texts

_log = logging.getLogger("evolution_sdk.archive")
# Errors of SQLite that are about a value and not about the file.
_OF_A_ROW = (
    sqlite3.ProgrammingError, sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError,
)  # fmt: skip
# With IGNORE SQLite needs no journal for the statement, which has triggers and could otherwise fail
# half-way. A row that lacks a value it must have is then left out, and `_write_message` tells.
_INSERT = (
    f"INSERT OR IGNORE INTO messages ({', '.join(MESSAGE_FIELDS)}) "  # noqa: S608  names of ours
    f"VALUES ({', '.join('?' * len(MESSAGE_FIELDS))}) RETURNING row"
)
_UPDATE_FIELDS = (
    "key", "instance", "id", "kind", "status", "participant", "participant_alt", "text", "at",
    "chat", "by_me", "proven", "mirrored",
)  # fmt: skip
_INSERT_UPDATE = (
    f"INSERT OR IGNORE INTO updates ({', '.join(_UPDATE_FIELDS)}, by_admin) "  # noqa: S608
    f"VALUES ({', '.join('?' * len(_UPDATE_FIELDS))}, ?) RETURNING row"
)

_TIMESTAMP, _CHAT, _TEXT = map(MESSAGE_FIELDS.index, ("timestamp", "chat", "text"))
_GONE_AT_ONCE = 1_000  # messages deleted in one transaction, so that others can write in between


def write(connection: sqlite3.Connection, rows: Iterable[Row], *, searchable: bool) -> int:
    """Write rows in one transaction.

    Returns:
        The number of rows.
    """
    count = 0
    # IMMEDIATE takes the write lock at once. A transaction that reads first and writes later could
    # fail in the middle because another process wrote in between.
    connection.execute("BEGIN IMMEDIATE")
    try:
        shape = shape_of(connection)
        lids = FileLids(connection, shape)
        texts = Texts(connection, searchable=searchable, old_too=_old_too(shape))
        settler = Settler(connection, lids, texts, shape)
        for row in rows:
            count += 1
            if isinstance(row, MessageRow):
                _write_message(connection, row, settler, texts)
            elif isinstance(row, UpdateRow):
                _write_update(connection, row, settler, lids)
            elif isinstance(row, ContactRow):
                _write_contact(connection, row)
            elif isinstance(row, LidRow):
                _learn(connection, row, settler, lids)
            else:
                learn_admins(connection, row, lids)
        texts.finish()
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return count


def _old_too(shape: Shape) -> bool:
    # As soon as the new index is complete, the old one is emptied.
    return shape.old_texts and not shape.worded


def _write_message(
    connection: sqlite3.Connection, row: MessageRow, settler: Settler, texts: Texts
) -> None:
    ids = Ids(row.instance, row.id)
    others = settler.messages(ids)
    known = settler.same_as(row.kept, others)
    if known is None:
        added = connection.execute(_INSERT, row.values).fetchall()
        if not added:
            raise sqlite3.IntegrityError("a value that must not be absent is absent")
        number = int(added[0][0])
        texts.add(number, row.values[_TIMESTAMP], row.values[_CHAT], row.values[_TEXT])
        settler.arrived(ids, alone=not others)
        return
    # A copy may know more than the first one: a webhook carries other fields than an answer.
    settler.complete(known, dict(zip(MESSAGE_FIELDS, row.values, strict=True)))
    settler.settle(ids)


def _write_update(
    connection: sqlite3.Connection, row: UpdateRow, settler: Settler, lids: FileLids
) -> None:
    ids = Ids(row.instance, row.id)
    author = (row.participant, row.participant_alt)
    # Noted now, because the author may lose the right later.
    by_admin = row.kind == "delete" and is_admin(connection, row.instance, row.chat, author, lids)
    values = [getattr(row, name) for name in _UPDATE_FIELDS]
    added = connection.execute(_INSERT_UPDATE, (*values, by_admin)).fetchall()
    if not added:  # a copy of the same event, known by its key
        return
    if row.kind == "status":
        settler.status(ids, added[0][0])
    else:
        settler.changed(ids, added[0][0])


def _learn(connection: sqlite3.Connection, row: LidRow, settler: Settler, lids: FileLids) -> None:
    """Store a pair, and apply the changes that it assigns to a message."""
    if lids.learn(row.lid, row.phone):
        for instance, message_id in lids.touched(row.instance, row.lid, row.phone):
            settler.settle(Ids(instance, message_id))


def _write_contact(connection: sqlite3.Connection, row: ContactRow) -> None:
    connection.execute(
        "INSERT INTO contacts (instance, jid, name, picture_url, updated_at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (instance, jid) DO UPDATE SET name = coalesce(excluded.name, name), "
        "picture_url = coalesce(excluded.picture_url, picture_url), "
        "updated_at = max(excluded.updated_at, updated_at)",
        (row.instance, row.jid, row.name, row.picture_url, row.at),
    )


def prune(
    connection: sqlite3.Connection,
    before: int | None,
    most: int | None,
    *,
    searchable: bool,
) -> int:
    """Delete old and surplus messages, oldest first, with their updates.

    Args:
        connection: The archive.
        before: Delete messages and updates older than this, in unix seconds; None for any age.
        most: Most messages to keep; None for any number.
        searchable: True if there is a full-text index.

    Returns:
        The number of messages deleted.
    """
    count = 0
    while True:
        gone, is_more = _prune_some(connection, before, most, searchable)
        count += gone
        if not is_more:
            return count


def _prune_some(
    connection: sqlite3.Connection, before: int | None, most: int | None, searchable: bool
) -> tuple[int, bool]:
    """Delete the oldest in one short transaction.

    Returns:
        The number of messages deleted, and True if there may be more to delete.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        shape = shape_of(connection)
        surplus = 0 if most is None else max(number_of_messages(connection, shape) - most, 0)
        oldest = connection.execute(_OLDEST, (_GONE_AT_ONCE,)).fetchall()
        gone = [
            (row, instance, message_id)
            for number, (row, instance, message_id, timestamp) in enumerate(oldest)
            if number < surplus or (before is not None and timestamp < before)
        ]
        texts = Texts(connection, searchable=searchable, old_too=_old_too(shape))
        of_message = _GONE_UPDATES if shape.indexed else _GONE_UPDATES_OLD
        for row, instance, message_id in gone:
            texts.remove(row)
            # Changes that count for no message go with the messages of their id.
            connection.execute(of_message, (instance, message_id, row))
            connection.execute("DELETE FROM messages WHERE row = ?", (row,))
        old = 0
        # Edits and deletions of a message that stays are kept: its text depends on them.
        if before is not None:
            old_updates = _OLD_UPDATES if shape.indexed else _OLD_UPDATES_OLD
            old = connection.execute(old_updates, (before, _GONE_AT_ONCE)).rowcount
        texts.finish()
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return len(gone), max(len(gone), old) >= _GONE_AT_ONCE


_OLDEST = (
    "SELECT row, instance, id, timestamp FROM messages INDEXED BY messages_by_time "
    "ORDER BY timestamp, row LIMIT ?"
)
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
    connection: sqlite3.Connection, rows: list[Row], waiting: Waiting, *, searchable: bool
) -> int:
    """Write rows from the queue; a row that cannot be stored does not hold up the others.

    Args:
        connection: The archive.
        rows: The rows.
        waiting: The queue, which counts rows that cannot be stored as lost.
        searchable: True if there is a full-text index.

    Returns:
        The number of rows written.

    Raises:
        Exception: The file cannot be written.
    """
    try:
        count = write(connection, rows, searchable=searchable)
    except Exception as error:
        if _of_the_file(error):
            raise
    else:
        waiting.done()
        return count
    # One of the rows cannot be stored: written one by one, all others are.
    count = 0
    for row in rows:
        try:
            count += write(connection, (row,), searchable=searchable)
        except Exception as error:
            if _of_the_file(error):
                raise
            _log.error("a row could not be archived: %s", type(error).__name__)
    waiting.done(len(rows) - count)
    return count


def _of_the_file(error: Exception) -> bool:
    return isinstance(error, sqlite3.Error | OSError) and not isinstance(error, _OF_A_ROW)
