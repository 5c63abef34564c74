"""Putting rows into an archive: each once, whatever the order and the transport."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from evolution_sdk.events import merge_status

from ._taking import MESSAGE_FIELDS, ContactRow, MessageRow, Row, UpdateRow
from .records import status_from

_INSERT = (
    f"INSERT INTO messages ({', '.join(MESSAGE_FIELDS)}) "  # noqa: S608  names of ours
    f"VALUES ({', '.join('?' * len(MESSAGE_FIELDS))}) ON CONFLICT (instance, id) DO UPDATE SET "
    # A copy fills in what the first one did not know.
    + ", ".join(
        f"{name} = coalesce(messages.{name}, excluded.{name})"
        for name in ("sender", "push_name", "text", "quoted_id", "media_url", "media_mimetype",
                     "media_size", "media_name")
    )
    + " RETURNING row, text, status"
)  # fmt: skip


def write(connection: sqlite3.Connection, rows: Iterable[Row], *, searchable: bool) -> int:
    """Write rows in one transaction.

    Returns:
        How many there were.
    """
    count = 0
    connection.execute("BEGIN IMMEDIATE")
    try:
        for row in rows:
            count += 1
            if isinstance(row, MessageRow):
                _write_message(connection, row, searchable)
            elif isinstance(row, UpdateRow):
                _write_update(connection, row, searchable)
            else:
                _write_contact(connection, row)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return count


def _write_message(connection: sqlite3.Connection, row: MessageRow, searchable: bool) -> None:
    number, text, status = connection.execute(_INSERT, row.values).fetchone()
    merged = merge_status(status_from(status), status_from(row.status))
    connection.execute("UPDATE messages SET status = ? WHERE row = ?", (_word(merged), number))
    _index(connection, number, text, searchable)
    # Changes may come before their message.
    earlier = connection.execute(
        "SELECT key, instance, id, kind, status, participant, text, at FROM updates "
        "WHERE instance = ? AND id = ? ORDER BY at",
        (row.instance, row.id),
    ).fetchall()
    for each in earlier:
        _apply(connection, UpdateRow(*each), searchable)


def _write_update(connection: sqlite3.Connection, row: UpdateRow, searchable: bool) -> None:
    added = connection.execute(
        "INSERT OR IGNORE INTO updates (key, instance, id, kind, status, participant, text, at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (row.key, row.instance, row.id, row.kind, row.status, row.participant, row.text, row.at),
    )
    if added.rowcount:
        _apply(connection, row, searchable)


def _apply(connection: sqlite3.Connection, row: UpdateRow, searchable: bool) -> None:
    found = connection.execute(
        "SELECT row, status, edited_at FROM messages WHERE instance = ? AND id = ?",
        (row.instance, row.id),
    ).fetchone()
    if found is None:
        return
    number, status, edited_at = found
    if row.kind == "status":
        merged = merge_status(status_from(status), status_from(row.status))
        connection.execute("UPDATE messages SET status = ? WHERE row = ?", (_word(merged), number))
    elif row.kind == "delete":
        connection.execute(
            "UPDATE messages SET deleted_at = coalesce(deleted_at, ?) WHERE row = ?",
            (row.at, number),
        )
    elif edited_at is None or edited_at <= row.at:
        connection.execute(
            "UPDATE messages SET edited_at = ?, text = coalesce(?, text) WHERE row = ?",
            (row.at, row.text, number),
        )
        if row.text is not None:
            _index(connection, number, row.text, searchable)


def _write_contact(connection: sqlite3.Connection, row: ContactRow) -> None:
    connection.execute(
        "INSERT INTO contacts (instance, jid, name, picture_url, updated_at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (instance, jid) DO UPDATE SET name = coalesce(excluded.name, name), "
        "picture_url = coalesce(excluded.picture_url, picture_url), "
        "updated_at = max(excluded.updated_at, updated_at)",
        (row.instance, row.jid, row.name, row.picture_url, row.at),
    )


def _index(connection: sqlite3.Connection, number: int, text: str | None, searchable: bool) -> None:
    if not searchable:
        return
    connection.execute("DELETE FROM messages_text WHERE rowid = ?", (number,))
    if text is not None:
        connection.execute("INSERT INTO messages_text (rowid, text) VALUES (?, ?)", (number, text))


def prune(
    connection: sqlite3.Connection,
    before: int | None,
    most: int | None,
    *,
    searchable: bool,
) -> int:
    """Delete what is too old or too much, oldest first, with its updates.

    Args:
        connection: The archive.
        before: Delete messages and updates older than this, in unix seconds.
        most: Keep at most so many messages.
        searchable: Whether there is a full-text index.

    Returns:
        How many messages were deleted.
    """
    gone = "SELECT row FROM messages WHERE timestamp < ?"
    values: tuple[int, ...] = (before if before is not None else -(2**62),)
    if most is not None:
        gone += (
            " UNION SELECT row FROM (SELECT row FROM messages ORDER BY timestamp DESC, row DESC "
            "LIMIT -1 OFFSET ?)"
        )
        values = (*values, most)
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute("CREATE TEMP TABLE gone AS " + gone, values)
        if searchable:
            connection.execute("DELETE FROM messages_text WHERE rowid IN (SELECT row FROM gone)")
        connection.execute(
            "DELETE FROM updates WHERE EXISTS (SELECT 1 FROM messages JOIN gone USING (row) "
            "WHERE messages.instance = updates.instance AND messages.id = updates.id)"
        )
        if before is not None:
            connection.execute("DELETE FROM updates WHERE at < ?", (before,))
        count = connection.execute(
            "DELETE FROM messages WHERE row IN (SELECT row FROM gone)"
        ).rowcount
        connection.execute("DROP TABLE gone")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return int(count)


def _word(status: object) -> str | None:
    return None if status is None else str(status)
