"""Reading an archive: one message, some, those with certain words; and writing them elsewhere."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO, TypeVar, Unpack

from evolution_sdk.errors import ConfigurationError

from ._asking import MessageFilters, question
from ._export import opened, write_csv, write_jsonl
from .records import (
    MESSAGE_COLUMNS,
    ArchivedContact,
    ArchivedMessage,
    ArchivedUpdate,
    contact_from,
    message_from,
    update_from,
)

T = TypeVar("T")


class ArchiveReader(ABC):
    """The questions; part of :class:`Archive`."""

    _searchable: bool

    @abstractmethod
    def _reading(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do something with the open file; raises ArchiveError."""

    def get(self, message_id: str, *, instance: str | None = None) -> ArchivedMessage | None:
        """One message.

        Args:
            message_id: Its WhatsApp id.
            instance: Its instance; default: any.

        Returns:
            The message, or None.

        Raises:
            ArchiveError: The file cannot be read.
        """
        sql = f"SELECT {MESSAGE_COLUMNS} FROM messages WHERE id = ?"  # noqa: S608  names of ours
        sql += " AND (? IS NULL OR instance = ?)"
        rows = self._ask(sql, (message_id, instance, instance))
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

    def updates(self, message_id: str, *, instance: str | None = None) -> list[ArchivedUpdate]:
        """What happened to a message, oldest first.

        Args:
            message_id: Its WhatsApp id.
            instance: Its instance; default: any.

        Returns:
            The updates.

        Raises:
            ArchiveError: The file cannot be read.
        """
        sql = (
            "SELECT instance, id, kind, status, participant, text, at FROM updates "
            "WHERE id = ? AND (? IS NULL OR instance = ?) ORDER BY at, key"
        )
        return [update_from(row) for row in self._ask(sql, (message_id, instance, instance))]

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
        """Write messages as CSV; texts that begin like a formula get a ``'`` in front.

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
        return self._reading(lambda connection: connection.execute(sql, values).fetchall())

    def _each(self, filters: MessageFilters) -> Iterator[ArchivedMessage]:
        yield from (message_from(row) for row in self._ask(*question(filters)))
