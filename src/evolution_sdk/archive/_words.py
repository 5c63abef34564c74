"""Full-text index of an archive, in the order of the messages' times. Needs FTS5.

A document's number is the time of its message followed by its row, so that the index itself lists
the newest hits first, however many there are. The chat is a word of its own in each document, so
that searching one chat does not read the hits in all others.
"""

from __future__ import annotations

from hashlib import blake2b

from evolution_sdk._sql.database import Database, Session
from evolution_sdk._sql.troubles import DatabaseError
from evolution_sdk.errors import RequestValidationError

_ROW_BITS = 30  # a billion rows
ROW_MASK = (1 << _ROW_BITS) - 1
_LAST_SECOND = (1 << 33) - 1  # in the year 2242; later messages count as of this second
_EXISTS = "SELECT 1 FROM sqlite_master WHERE name = 'messages_words'"


def place(timestamp: int, row: int) -> int:
    """Return the number of a message in the index, which grows with its time.

    Args:
        timestamp: Its time, in unix seconds.
        row: Its row.
    """
    return second(timestamp) << _ROW_BITS | (row & ROW_MASK)


def second(timestamp: float) -> int:
    """Return a time as the index counts it: whole seconds, within its range."""
    return int(min(max(timestamp, 0), _LAST_SECOND))


def first_of(timestamp: float) -> int:
    """Return the lowest number that a message of this time may have."""
    return second(timestamp) << _ROW_BITS


def last_of(timestamp: float) -> int:
    """Return the highest number that a message of this time may have."""
    return second(timestamp) << _ROW_BITS | ROW_MASK


def chat_word(chat: str) -> str:
    """Return the word that stands for a chat; letters and digits, so that it stays one word."""
    return "c" + blake2b(chat.encode("utf-8", "replace"), digest_size=6).hexdigest()


def every_word(text: str) -> str:
    """Turn words into an FTS5 query that matches texts with all of them.

    Raises:
        RequestValidationError: There is no word.
    """
    # Stored texts hold no NUL and no half of a surrogate pair, so neither can be found.
    words = text.replace("\0", " ").encode("utf-8", "replace").decode().split()
    if not words:
        raise RequestValidationError("text", "must hold at least one word")
    # Quoted, so that no character of a word is an operator of the query language.
    return " ".join('"' + word.replace('"', '""') + '"' for word in words)


def in_texts(words: str, chat: str | None) -> str:
    """Limit an FTS5 query to the texts, and to one chat if it is given."""
    asked = f"text : ({words})"
    return asked if chat is None else f'{asked} AND chat : "{chat_word(chat)}"'


def prepare_search(database: Database) -> bool:
    """Make the full-text index, which ignores case and accents, if this SQLite supports it.

    Messages that are in the file already are added later, as ``_building`` tells.

    Returns:
        True if the index exists.

    Raises:
        DatabaseError: The file cannot be used.
    """
    # Not a migration: it depends on this Python's SQLite, and may be added later to an old file.
    try:
        with database.reading() as session:
            there = session.run(_EXISTS)
        if not there:
            with database.writing() as session:
                if not session.run(_EXISTS):
                    _make_index(session)
        with database.reading() as session:
            # A file made elsewhere may have an index that this SQLite cannot use.
            session.run("SELECT rowid FROM messages_words LIMIT 0")
    except DatabaseError as error:
        if "no such module" in str(error.__context__):
            return False
        raise
    return True


def _make_index(session: Session) -> None:
    # Without the sizes of documents, which only a ranking would need.
    session.run(
        "CREATE VIRTUAL TABLE messages_words USING fts5"
        "(text, chat, tokenize = 'unicode61 remove_diacritics 2', columnsize = 0)"
    )
    # Merged in larger steps than usual: writing costs less, and the newest hits are found as fast
    # in more pieces. A crisis would merge everything at one go.
    for option, value in (("automerge", 16), ("crisismerge", 64)):
        session.run(
            "INSERT INTO messages_words (messages_words, rank) VALUES (?, ?)", (option, value)
        )
    session.run(
        "INSERT INTO building SELECT 'words', 0, row FROM messages ORDER BY row DESC LIMIT 1"
    )


class Texts:
    """The texts of messages in the full-text index, inside a transaction of the caller.

    All is done at the end, by :meth:`finish`: another statement between two texts may make FTS5
    close a segment of its index, and merging a segment for each message costs more than all the
    rest of writing it.

    Args:
        session: The archive, in a transaction.
        searchable: False if this SQLite has no full-text index; then nothing is done.
        old_too: True if the index of older versions is still in use.
    """

    def __init__(self, session: Session, *, searchable: bool, old_too: bool) -> None:
        self._session = session
        self._searchable = searchable
        self._old_too = searchable and old_too
        self._new: dict[int, tuple[int, str, str]] = {}
        self._gone: set[tuple[int, int]] = set()

    def add(self, row: int, timestamp: int, chat: str, text: str | None) -> None:
        """Add the text of a new message."""
        if self._searchable and text is not None:
            self._new[row] = (place(timestamp, row), text, chat_word(chat))

    def change(self, row: int, text: str | None) -> None:
        """Replace the text of a message that is in the archive."""
        if not self._searchable:
            return
        self.remove(row)
        ((timestamp, chat),) = self._session.run(
            "SELECT timestamp, chat FROM messages WHERE row = ?", (row,)
        )
        self.add(row, timestamp, chat, text)

    def remove(self, row: int) -> None:
        """Remove the text of a message, before the message itself is deleted."""
        # A text of this transaction may replace an older one of a row, so both may be there.
        self._new.pop(row, None)
        if not self._searchable:
            return
        ((timestamp,),) = self._session.run("SELECT timestamp FROM messages WHERE row = ?", (row,))
        self._gone.add((place(timestamp, row), row))

    def finish(self) -> None:
        """Do all of it, before the transaction ends."""
        many = self._session.run_many
        # In the order of their numbers: a lower one after a higher one closes a segment, too.
        if gone := sorted(self._gone):
            many("DELETE FROM messages_words WHERE rowid = ?", [each[:1] for each in gone])
            if self._old_too:
                many("DELETE FROM messages_text WHERE rowid = ?", [each[1:] for each in gone])
        if self._new:
            # REPLACE: an SQLite without full-text index may have deleted a message without its
            # text.
            many(
                "INSERT OR REPLACE INTO messages_words (rowid, text, chat) VALUES (?, ?, ?)",
                sorted(self._new.values()),
            )
            if self._old_too:
                many(
                    "INSERT OR REPLACE INTO messages_text (rowid, text) VALUES (?, ?)",
                    [(row, text) for row, (_, text, _) in sorted(self._new.items())],
                )
        self._gone.clear()
        self._new.clear()
