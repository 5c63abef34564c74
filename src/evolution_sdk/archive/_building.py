"""Building the indexes of an existing archive piece by piece, while it is read and written.

SQLite builds an index in one go and lets nobody write meanwhile. So the indexes of version 3 are
tables of their own: triggers keep them for what is written from now on, and short transactions add
what was there before. How far they are is in the file (table ``building``), so that a process that
ends loses one piece at most, and several processes share the work. Until all is there, reading
goes the old way.
"""

from __future__ import annotations

from typing import NamedTuple

from evolution_sdk._sql.database import Session
from evolution_sdk._sql.sqlite import SqliteDatabase

from ._words import chat_word, place

PIECE = 2_000
"""Rows added in one transaction, which takes some tens of milliseconds."""
_PAGES = 500  # of a full-text index, merged or emptied in one transaction

_OLD_INDEXES = ("messages_by_id", "messages_by_chat", "updates_by_message")
_OLD_TEXTS = "messages_text"
# Every column of these tables is one that never changes after the message came.
_OF_MESSAGES = {
    "message_ids": ("id", "instance", "row"),
    "message_chats": ("chat", "timestamp", "row", "instance", "kind", "from_me"),
    "message_instances": ("instance", "timestamp", "row", "kind", "from_me"),
    "message_kinds": ("kind", "timestamp", "row", "from_me"),
    "message_sides": ("from_me", "timestamp", "row"),
}
_OF_UPDATES = {
    "update_ids": ("id", "instance", "row"),
    "update_times": ("at", "row"),
}
_TABLES = {"messages": _OF_MESSAGES, "updates": _OF_UPDATES}
_WORDS = ("words", "words_merged")  # jobs of the full-text index, in their order
_NUMBERS = frozenset({"row", "timestamp", "from_me", "at"})


class Shape(NamedTuple):
    """State of an archive's indexes.

    Attributes:
        indexed: True if the tables of version 3 hold every row; False in PostgreSQL, which has
            indexes of its own.
        worded: True if the full-text index holds every text.
        old_texts: True if the full-text index of older versions is still there.
        vectors: True if the full-text index is one of PostgreSQL.
    """

    indexed: bool = True
    worded: bool = True
    old_texts: bool = False
    vectors: bool = False

    @property
    def is_final(self) -> bool:
        """True if nothing is to be built or removed any more, so that it stays as it is."""
        return self.vectors or (self.indexed and self.worded and not self.old_texts)


_OF_POSTGRES = Shape(indexed=False, vectors=True)


def shape_of(session: Session) -> Shape:
    """Return the state of the indexes; ask in the transaction that relies on it."""
    if session.dialect.name == "postgres":
        return _OF_POSTGRES
    jobs = {str(job) for (job,) in session.run("SELECT job FROM building")}
    return Shape(not jobs & _TABLES.keys(), "words" not in jobs, _exists(session, _OLD_TEXTS))


def indexes_statements() -> list[str]:
    """Return the statements that make the tables of version 3, empty, and what keeps them."""
    made = [
        "CREATE TABLE building (job TEXT PRIMARY KEY, done INTEGER, last INTEGER) WITHOUT ROWID",
        "CREATE TABLE figures (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID",
        "INSERT INTO figures VALUES ('messages', 0), ('built_at', 0)",
    ]
    for source, tables in _TABLES.items():
        added: list[str] = []
        gone: list[str] = []
        for table, columns in tables.items():
            made.append(_create(table, columns))
            new = ", ".join(f"new.{column}" for column in columns)
            keys = _keys(columns)
            added.append(f"INSERT OR IGNORE INTO {table} VALUES ({new})")  # noqa: S608
            same = " AND ".join(f"{column} = old.{column}" for column in keys)
            gone.append(f"DELETE FROM {table} WHERE {same}")  # noqa: S608  names of ours
        if source == "messages":
            step = "UPDATE figures SET value = value {} 1 WHERE name = 'messages'"
            added.append(step.format("+"))
            gone.append(step.format("-"))
        for name, when, work in (("added", "INSERT", added), ("gone", "DELETE", gone)):
            made.append(
                f"CREATE TRIGGER {source}_{name} AFTER {when} ON {source} BEGIN {'; '.join(work)}; "
                "END"
            )
        made.append(
            f"INSERT INTO building SELECT '{source}', 0, row FROM {source} "  # noqa: S608
            "ORDER BY row DESC LIMIT 1"
        )
    return made


def build(
    database: SqliteDatabase,
    *,
    searchable: bool,
    now: float = 0.0,
    pause_s: float = 0.0,
    piece: int = PIECE,
    patient: bool = True,
) -> bool:
    """Do the next piece of what is to be built, in one short transaction.

    Args:
        database: The archive.
        searchable: True if this SQLite has FTS5.
        now: Time in unix seconds.
        pause_s: Least time between two pieces of whatever process, in seconds, in which others can
            write.
        piece: Most rows to add.
        patient: False to give up at once if somebody else writes.

    Returns:
        True if something is left.

    Raises:
        DatabaseError: Nothing was done.
    """
    with database.writing(patient=patient) as session:
        return _next(session, searchable, now, pause_s, piece)


def left_to_build(session: Session, *, searchable: bool) -> int:
    """Return how many rows are to be added, or else are in an index that is to be dropped."""
    asked = "SELECT job, last - done FROM building"
    rows = sum(int(left) for job, left in session.run(asked) if searchable or job not in _WORDS)
    if rows or _leftover(session, searchable=searchable) is None:
        return rows
    ((last,),) = session.run("SELECT max(row) FROM messages")
    return int(last or 1)


def number_of_messages(session: Session, shape: Shape) -> int:
    """Return the number of messages in an archive."""
    sql = (
        "SELECT value FROM figures WHERE name = 'messages'"
        if shape.indexed
        else "SELECT count(*) FROM messages"
    )
    return int(session.run(sql)[0][0])


def _next(session: Session, searchable: bool, now: float, pause_s: float, piece: int) -> bool:
    run = session.run
    ((built_at,),) = run("SELECT value FROM figures WHERE name = 'built_at'")
    # Another process has just done a piece: whoever waits for the lock comes first.
    if 0 <= now - float(built_at) < pause_s:
        return True
    jobs = run("SELECT job, done, last FROM building ORDER BY job")
    if possible := [each for each in jobs if searchable or each[0] not in _WORDS]:
        job, done, last = possible[0]
        _add(session, str(job), int(done), int(last), piece)
    elif (name := _leftover(session, searchable=searchable)) is None:
        return False
    elif name == _OLD_TEXTS:
        _remove_texts(session)
    else:
        run(f"DROP INDEX {name}")
    run("UPDATE figures SET value = ? WHERE name = 'built_at'", (now,))
    return True


def _add(session: Session, job: str, done: int, last: int, piece: int) -> None:
    """Add the next rows to the tables of a job."""
    run = session.run
    if job == "words_merged":
        _merge_texts(session, job, done)
        return
    source = job if job in _TABLES else "messages"
    # Rows may have gaps: the piece ends where so many rows end.
    ((end,),) = run(
        f"SELECT max(row) FROM (SELECT row FROM {source} WHERE row > ? AND row <= ? "  # noqa: S608
        "ORDER BY row LIMIT ?)",
        (done, last, piece),
    )
    if end is None:
        _finish(session, job)
        return
    for table, columns in _TABLES.get(job, {}).items():
        run(
            f"INSERT OR IGNORE INTO {table} SELECT {', '.join(columns)} FROM {source} "  # noqa: S608
            f"WHERE row > ? AND row <= ? ORDER BY {', '.join(columns)}",
            (done, end),
        )
    if job == "words":
        texts = run(
            "SELECT timestamp, row, text, chat FROM messages "
            "WHERE row > ? AND row <= ? AND text IS NOT NULL ORDER BY timestamp, row",
            (done, end),
        )
        # A message that was edited meanwhile is there already.
        session.run_many(
            "INSERT OR REPLACE INTO messages_words (rowid, text, chat) VALUES (?, ?, ?)",
            [(place(at, row), text, chat_word(chat)) for at, row, text, chat in texts],
        )
    run("UPDATE building SET done = ? WHERE job = ?", (end, job))
    if end >= last:
        _finish(session, job)


def _finish(session: Session, job: str) -> None:
    session.run("DELETE FROM building WHERE job = ?", (job,))
    if job == "words":
        session.run(
            "INSERT INTO building SELECT 'words_merged', 0, row FROM messages WHERE row > ? "
            "ORDER BY row DESC LIMIT 1",
            (PIECE,),
        )
    if job == "messages":
        # The triggers counted only what came and went; from here on they have the number right.
        session.run(
            "UPDATE figures SET value = (SELECT count(*) FROM message_sides) "
            "WHERE name = 'messages'"
        )


def _merge_texts(session: Session, job: str, done: int) -> None:
    """Merge the pieces of the new full-text index a little further.

    They are much larger than those of single messages, which come beside them from now on. FTS5
    would merge all of it at one go as soon as there are too many.
    """
    before = _changes(session)
    # A negative number of pages begins to merge everything there is, a positive one goes on.
    session.run(
        "INSERT INTO messages_words (messages_words, rank) VALUES ('merge', ?)",
        (_PAGES if done else -_PAGES,),
    )
    if _changes(session) - before < 2:  # as FTS5 tells that nothing is left
        _finish(session, job)
    elif not done:
        session.run("UPDATE building SET done = 1 WHERE job = ?", (job,))


def _changes(session: Session) -> int:
    return int(session.run("SELECT total_changes()")[0][0])


def _leftover(session: Session, *, searchable: bool) -> str | None:
    """Return an index of an older version that nothing needs any more."""
    shape = shape_of(session)
    if shape.indexed:
        for name in _OLD_INDEXES:
            if _exists(session, name):
                return name
    if shape.worded and shape.old_texts and searchable and _exists(session, "messages_words"):
        return _OLD_TEXTS
    return None


def _remove_texts(session: Session) -> None:
    """Empty the tables of the old full-text index a piece at a time, then drop it."""
    # Dropped in one go it would hold up others for as long as its pages take to read.
    for table in ("messages_text_content", "messages_text_docsize", "messages_text_data"):
        if not _exists(session, table):
            continue
        session.run(
            f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table} "  # noqa: S608  names of ours
            "WHERE id > 10 ORDER BY id LIMIT ?)",  # the first ones describe the index
            (_PAGES if table.endswith("data") else _PAGES * 10,),
        )
        if session.changed > 0:
            return
    session.run(f"DROP TABLE {_OLD_TEXTS}")


def _create(table: str, columns: tuple[str, ...]) -> str:
    typed = ", ".join(
        f"{column} {'INTEGER' if column in _NUMBERS else 'TEXT'} NOT NULL" for column in columns
    )
    return (
        f"CREATE TABLE {table} ({typed}, PRIMARY KEY ({', '.join(_keys(columns))})) WITHOUT ROWID"
    )


def _keys(columns: tuple[str, ...]) -> tuple[str, ...]:
    return columns[: columns.index("row") + 1]


def _exists(session: Session, name: str) -> bool:
    return bool(session.run("SELECT 1 FROM sqlite_master WHERE name = ?", (name,)))
