"""Full-text index of an archive in PostgreSQL, which finds what FTS5 finds in a file.

The words are taken apart here and not by PostgreSQL, whose parsers know addresses, numbers and
languages, and whose extension for accents has to be installed by an administrator.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from evolution_sdk._sql.database import Session

from ._words import Texts

__all__ = ["Vectors", "every_word_of", "vector"]

_WORD = re.compile(r"[^\W_]+")
_ACCENTS = dict.fromkeys(range(0x300, 0x370))
_LONGEST = 200  # signs of a word that count; PostgreSQL takes 2,046 bytes
_MOST_BYTES = 500_000  # of all words of a text; PostgreSQL takes twice as many
_LAST = 16_383  # the highest place that PostgreSQL tells apart


def words_in(text: str) -> list[str]:
    """Return the words of a text, without case and accents."""
    plain = unicodedata.normalize("NFD", text.casefold()).translate(_ACCENTS)
    return [word[:_LONGEST] for word in _WORD.findall(plain)]


def vector(text: str) -> str:
    """Return a text as PostgreSQL reads a ``tsvector``."""
    return " ".join(f"'{word}':{place}" for place, word in _placed(text))


def _placed(text: str) -> Iterator[tuple[int, str]]:
    room = _MOST_BYTES
    for place, word in enumerate(words_in(text), start=1):
        room -= len(word.encode()) + 8
        if room < 0:
            return
        yield min(place, _LAST), word


def every_word_of(text: str) -> str | None:
    """Return a ``tsquery`` for texts that have every word; None if none can have them.

    Args:
        text: The words; one with signs in it, such as ``9h-10h``, is looked for as it is written.
    """
    asked = [words_in(word) for word in text.replace("\0", " ").split()]
    phrases = [" <-> ".join(f"'{part}'" for part in parts) for parts in asked if parts]
    return " & ".join(f"({phrase})" for phrase in phrases) or None


class Vectors(Texts):
    """The texts of messages in the index of PostgreSQL, inside a transaction of the caller.

    Args:
        session: The archive, in a transaction.
    """

    def __init__(self, session: Session) -> None:
        super().__init__(session, searchable=True, old_too=False)

    def remove(self, row: int) -> None:
        """Remove the text of a message, before the message itself is deleted."""
        self._new.pop(row, None)
        self._gone.add((row, row))

    def finish(self) -> None:
        """Do all of it, before the transaction ends."""
        if gone := sorted(self._gone - {(row, row) for row in self._new}):
            self._session.run_many(
                "DELETE FROM messages_words WHERE row = ?", [each[:1] for each in gone]
            )
        if self._new:
            self._session.run_many(
                "INSERT INTO messages_words (row, words) VALUES (?, ?::tsvector) "
                "ON CONFLICT (row) DO UPDATE SET words = excluded.words",
                [(row, vector(text)) for row, (_, text, _) in sorted(self._new.items())],
            )
        self._gone.clear()
        self._new.clear()
