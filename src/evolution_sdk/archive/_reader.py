"""Reading an archive: one message, some, those with certain words; and writing them elsewhere."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO, TypeVar, Unpack

from evolution_sdk._common.arguments import checked
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.identity import Jid
from evolution_sdk.identity.chat_names import Whom

from ._asking import MessageFilters, question
from ._export import opened, write_csv, write_jsonl
from ._people import FileLids
from .records import (
    MESSAGE_COLUMNS,
    UPDATE_COLUMNS,
    ArchivedContact,
    ArchivedMessage,
    ArchivedUpdate,
    contact_from,
    message_from,
    update_from,
)

T = TypeVar("T")


@checked()
class ArchiveReader(ABC):
    """The questions; part of :class:`Archive`."""

    _searchable: bool

    @abstractmethod
    def _reading(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do something with the open file; raises ArchiveError."""

    def get(
        self, message_id: str, *, instance: str | None = None, chat: str | Jid | None = None
    ) -> ArchivedMessage | None:
        """One message.

        Args:
            message_id: Its WhatsApp id.
            instance: Its instance; default: any.
            chat: Its chat, by any of its names: phone, other form of the line, known hidden id.
                Default: any.

        Returns:
            The message, or None. Others may use its id in their chats: of several the newest.

        Raises:
            ArchiveError: The file cannot be read.
        """
        rows = self._named(
            f"SELECT {MESSAGE_COLUMNS}, chat, chat_alt FROM messages "  # noqa: S608  names of ours
            "WHERE id = ? AND (? IS NULL OR instance = ?) ORDER BY timestamp DESC, row DESC",
            (message_id, instance, instance),
            chat,
        )
        return message_from(rows[0]) if rows else None

    def messages(self, **filters: Unpack[MessageFilters]) -> list[ArchivedMessage]:
        """Some messages, newest first.

        Args:
            **filters: Which ones, see :class:`MessageFilters`.

        Returns:
            The messages.

        Raises:
            ArchiveError: The file cannot be read.
            RequestValidationError: A filter is wrong.
        """
        return [message_from(row) for row in self._ask(*question(filters))]

    def search(self, text: str, **filters: Unpack[MessageFilters]) -> list[ArchivedMessage]:
        """Messages whose text holds every word; case and accents do not count.

        Args:
            text: Words.
            **filters: Which ones, see :class:`MessageFilters`.

        Returns:
            The messages, newest first.

        Raises:
            ConfigurationError: Python's SQLite was built without FTS5.
            ArchiveError: The file cannot be read.
            RequestValidationError: A filter is wrong, or there is no word.
        """
        sql, values = question(filters, text)
        self._reading(lambda _: None)
        if not self._searchable:
            raise ConfigurationError(
                "Searching needs SQLite with FTS5, and Python's was built without it "
                "(sqlite3.sqlite_version " + sqlite3.sqlite_version + "). Use another build of "
                "Python; everything else of the archive works.", variable="sqlite3",
            )  # fmt: skip
        return [message_from(row) for row in self._ask(sql, values)]

    def updates(
        self, message_id: str, *, instance: str | None = None, chat: str | Jid | None = None
    ) -> list[ArchivedUpdate]:
        """List what was told of a message, oldest first, also what did not count.

        Args:
            message_id: Its WhatsApp id.
            instance: Its instance; default: any.
            chat: The chat that was told, or that of the message for which it counts. Default: any.

        Returns:
            The updates; those that changed a message are ``applied``.

        Raises:
            ArchiveError: The file cannot be read.
        """
        columns = ", ".join(f"updates.{name}" for name in UPDATE_COLUMNS.split(", "))
        rows = self._named(
            f"SELECT {columns}, updates.chat, messages.chat FROM updates "  # noqa: S608  ours
            "LEFT JOIN messages ON messages.row = updates.message WHERE updates.id = ? "
            "AND (? IS NULL OR updates.instance = ?) ORDER BY updates.at, updates.row",
            (message_id, instance, instance),
            chat,
        )
        return [update_from(row) for row in rows]

    def contacts(self, *, instance: str | None = None) -> list[ArchivedContact]:
        """The contacts, by JID.

        Args:
            instance: Of this instance; default: of all.

        Returns:
            The contacts.

        Raises:
            ArchiveError: The file cannot be read.
        """
        sql = (
            "SELECT instance, jid, name, picture_url, updated_at FROM contacts "
            "WHERE ? IS NULL OR instance = ? ORDER BY instance, jid"
        )
        return [contact_from(row) for row in self._ask(sql, (instance, instance))]

    def export_jsonl(self, target: str | Path | TextIO, **filters: Unpack[MessageFilters]) -> int:
        """Write messages as JSON, one a line, with their whole records.

        Args:
            target: A path, or an open text file.
            **filters: Which ones, see :class:`MessageFilters`.

        Returns:
            How many.

        Raises:
            ArchiveError: The file cannot be read.
        """
        with opened(target) as file:
            return write_jsonl(self._each(filters), file)

    def export_csv(self, target: str | Path | TextIO, **filters: Unpack[MessageFilters]) -> int:
        """Write messages as CSV; a text that may become a formula gets a ``'`` in front.

        So does every text that begins with ``=``, ``+``, ``-`` or ``@`` in any width, also after
        blanks and signs that are not seen, numbers among them: they stay what was written.

        Args:
            target: A path, or an open text file.
            **filters: Which ones, see :class:`MessageFilters`.

        Returns:
            How many.

        Raises:
            ArchiveError: The file cannot be read.
        """
        with opened(target) as file:
            return write_csv(self._each(filters), file)

    def _ask(self, sql: str, values: Sequence[Any]) -> list[Any]:
        kept = tuple(map(_storable, values))
        return self._reading(lambda connection: connection.execute(sql, kept).fetchall())

    def _named(
        self, sql: str, values: Sequence[Any], chat: str | Jid | None
    ) -> list[tuple[Any, ...]]:
        """Rows that end with two names of their chat, without them; all, or those of a chat."""

        def look(connection: sqlite3.Connection) -> list[tuple[Any, ...]]:
            asked = tuple(map(_storable, values))
            rows: list[tuple[Any, ...]] = connection.execute(sql, asked).fetchall()
            wanted = None if chat is None else Whom([chat], FileLids(connection))
            return [row[:-2] for row in rows if wanted is None or wanted.is_told_by(*row[-2:])]

        return self._reading(look)

    def _each(self, filters: MessageFilters) -> Iterator[ArchivedMessage]:
        yield from (message_from(row) for row in self._ask(*question(filters)))


def _storable(value: Any) -> Any:
    """Half a character is stored nowhere: what is asked for with one is not found."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
