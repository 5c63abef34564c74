"""The local backup: messages, updates and contacts from events and own sends, in a database."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Self, TextIO, TypeVar, Unpack, cast

from evolution_sdk._base.at_exit import close_at_exit
from evolution_sdk._base.forking import check, free_in_child, in_child
from evolution_sdk._base.quiet_log import QuietLog
from evolution_sdk._base.serial_worker import SerialWorker, on_event_loop
from evolution_sdk._common.arguments import checked
from evolution_sdk._sql.database import Database, Session
from evolution_sdk._sql.dialect import shown_place
from evolution_sdk._sql.schema import SchemaVersionError
from evolution_sdk._sql.sqlite import SqliteDatabase
from evolution_sdk._sql.troubles import DatabaseError
from evolution_sdk.config import EvolutionConfig, StoreConfig
from evolution_sdk.config._switched_on import note_used
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.events import Event
from evolution_sdk.identity import Jid
from evolution_sdk.identity.chat_names import Whom
from evolution_sdk.models import Group
from evolution_sdk.models.message import SentMessage

from ._asking import (
    Asked,
    MessageFilters,
    Place,
    contacts_question,
    message_question,
    question,
    updates_question,
)
from ._building import PIECE, Shape, build, left_to_build, shape_of
from ._export import opened, write_csv, write_jsonl
from ._people import FileLids
from ._places import archive_error, default_busy_ms, file_in, opened_at, prepare_tables
from ._schema import migrate
from ._taking import (
    AdminRow,
    ContactRow,
    LidRow,
    MessageRow,
    Row,
    UpdateRow,
    row_of_sent,
    rows_of,
    rows_of_groups,
)
from ._waiting import Again, Waiting
from ._words import prepare_search
from ._writing import prune, write_each
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

_log = logging.getLogger("evolution_sdk.archive")
_MOST_WAITING = 10_000
_PRUNE_EVERY = 1_000  # rows between two prunings
_BUILD_EVERY_S = 0.05  # pause between two pieces of the indexes, in which others write
_PAGE = 500  # messages that an export holds at a time
_TIME_COLUMN = MESSAGE_COLUMNS.split(", ").index("timestamp")


@checked(but=("observe", "record", "record_sent"))
class Archive:
    """Backup of messages, their updates and contacts in a SQLite file or PostgreSQL. Thread-safe.

    Recording never raises and never blocks an event loop: in a loop a thread writes. A damaged or
    locked file, or a database that is gone, is logged once (logger ``evolution_sdk.archive``) and
    tried again; meanwhile up to 10,000 rows wait in memory. Reading blocks, so read in a thread
    from an event loop, and raises :class:`~evolution_sdk.ArchiveError`.

    Args:
        path: The file, created if absent; or the address ``postgresql://user:password@host/name``
            of a database (extra ``postgres``), which several machines may share. The tables are
            made in the first schema of its search path.
        messages: True to keep messages. Default True.
        message_up: True to keep updates of messages: statuses, edits, deletions. Default True.
        contacts: True to keep contacts. Default True.
        max_age: Delete messages and updates older than this from time to time. Default: never.
        max_messages: Delete the oldest messages beyond this number from time to time. Default:
            never.
        busy_ms: Longest wait of a write for another process's lock, in milliseconds. Default: 250
            for a file, 5 000 for PostgreSQL.
        retry_ms: Pause after a failed write, in milliseconds. Default 5 000.
        clock: Clock in unix seconds.

    Raises:
        ConfigurationError: A limit is not positive, the address cannot be read, or psycopg is not
            installed.

    Attributes:
        path: The file; None for PostgreSQL.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        messages: bool = True,
        message_up: bool = True,
        contacts: bool = True,
        max_age: timedelta | None = None,
        max_messages: int | None = None,
        busy_ms: float | None = None,
        retry_ms: float = 5_000,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if max_age is not None and max_age <= timedelta(0):
            raise ConfigurationError("max_age must be positive", variable="max_age")
        if max_messages is not None and max_messages < 1:
            raise ConfigurationError("max_messages must be at least 1", variable="max_messages")
        self._name = shown_place(path)
        self._kinds: tuple[type[Row], ...] = tuple(
            kind
            for kind, wanted in (
                (MessageRow, messages), (UpdateRow, message_up), (ContactRow, contacts),
                # Needed to assign changes to messages.
                (LidRow, messages or message_up), (AdminRow, message_up),
            )
            if wanted
        )  # fmt: skip
        self._max_age = max_age
        self._max_messages = max_messages
        self._retry_s = retry_ms / 1_000
        self._clock = clock
        self._quiet = QuietLog(_log)
        self._lock = free_in_child(threading.RLock())
        in_child(self._begin)
        self._database = opened_at(path, default_busy_ms(path) if busy_ms is None else busy_ms)
        self._file: SqliteDatabase | None = file_in(self._database)
        self.path: Path | None = None if self._file is None else self._file.path
        self._searchable = False
        self._since_pruned = 0
        self._worker = SerialWorker("evolution-archive")
        self._begin()

    def _begin(self) -> None:
        """Set up an empty queue, at first and in a forked process: the parent writes its own."""
        close_at_exit(self)
        self._ready = False
        self._shape: Shape | None = None
        self._waiting = Waiting(_MOST_WAITING)
        self._in_trouble = False
        self._silent_until = float("-inf")
        self._lost_before = 0
        self._handed_over = False
        self._again = Again(self._write_later, self._retry_s)
        self._next_piece = Again(self._build, _BUILD_EVERY_S)

    @classmethod
    def from_config(cls, config: EvolutionConfig | StoreConfig, **options: Any) -> Archive | None:
        """Make the archive that the settings ``EVOLUTION_STORE_…`` describe.

        Args:
            config: The settings.
            **options: Arguments of the constructor, which win over the settings.

        Returns:
            The archive, or None if the settings keep nothing.

        Raises:
            ConfigurationError: A limit is not positive, the address cannot be read, or psycopg is
                not installed.
        """
        note_used("archive")
        store = config.store if isinstance(config, EvolutionConfig) else config
        if not (store.messages or store.message_up or store.contacts):
            return None
        kinds = ("messages", "message_up", "contacts")
        return cls(store.path, **{name: getattr(store, name) for name in kinds} | options)

    def record(self, event: Event[Any]) -> bool:
        """Store an event. Never raises, and usually takes a fraction of a millisecond.

        Args:
            event: Any event; one that arrives several times is stored once.

        Returns:
            True if everything so far is stored. In an event loop it is usually False, because
            a thread is about to write it.
        """
        # Converted in the caller's thread; only the rows wait for the file.
        try:
            rows = list(rows_of(event, int(self._clock())))
        except Exception as error:  # noqa: BLE001  must not fail the handler of the event
            # Only the class of the error is logged: its text may quote what people wrote.
            self._odd("an event could not be archived: %s", error)
            return False
        return self._keep(rows)

    def observe(self, fact: Any) -> None:
        """Store own sends; an observer for ``client.observe(archive.observe)``. Never raises.

        It also learns the admins of groups that the client fetches, because admins may delete
        messages of others.

        Args:
            fact: A fact from the client; finished sends and fetched groups are used.
        """
        result, instance = getattr(fact, "result", None), getattr(fact, "instance", None) or ""
        if isinstance(result, SentMessage):
            self.record_sent(result, instance)
            return
        told = cast("Sequence[Any]", result if isinstance(result, list | tuple) else [result])
        groups = [each for each in told if isinstance(each, Group)]
        if groups:
            self._keep(list(rows_of_groups(groups, instance)))

    def record_sent(self, sent: SentMessage, instance: str) -> bool:
        """Store an own send; never raises.

        Args:
            sent: Result of a send.
            instance: Name of its instance.

        Returns:
            True if everything so far is stored; see :meth:`record`.
        """
        try:
            rows = list(row_of_sent(sent, instance, int(self._clock())))
        except Exception as error:  # noqa: BLE001  nothing after a send may raise
            self._odd("a send could not be archived: %s", error)
            return False
        return self._keep(rows)

    def get(
        self, message_id: str, *, instance: str | None = None, chat: str | Jid | None = None
    ) -> ArchivedMessage | None:
        """Return one message.

        Args:
            message_id: WhatsApp id of the message.
            instance: Name of its instance. Default: any.
            chat: Its chat, by any of its names: phone, other form of the line, known hidden id.
                Default: any.

        Returns:
            The message, or None. An id may occur in several chats; the newest message is returned.

        Raises:
            ArchiveError: The archive cannot be read.
        """
        rows = self._named(message_question, message_id, instance, chat)
        return message_from(rows[0]) if rows else None

    def messages(self, **filters: Unpack[MessageFilters]) -> list[ArchivedMessage]:
        """List messages, newest first.

        Args:
            **filters: Filters, see :class:`MessageFilters`.

        Returns:
            The messages.

        Raises:
            ArchiveError: The archive cannot be read.
            RequestValidationError: A filter is wrong.
        """
        return [message_from(row[:-1]) for row in self._ask(partial(_question, filters, None))]

    def search(self, text: str, **filters: Unpack[MessageFilters]) -> list[ArchivedMessage]:
        """Search for messages whose text has every word, ignoring case and accents.

        Args:
            text: The words.
            **filters: Filters, see :class:`MessageFilters`.

        Returns:
            The messages, newest first.

        Raises:
            ConfigurationError: Python's SQLite was built without FTS5.
            ArchiveError: The archive cannot be read.
            RequestValidationError: A filter is wrong, or there is no word.
        """
        question(filters, text)  # is wrong even if nothing can be searched
        self._reading(lambda _: None)  # opens the file, which tells if it has an index
        if not self._searchable:
            raise ConfigurationError(
                "Searching needs SQLite with FTS5, and Python's was built without it "
                "(sqlite3.sqlite_version " + sqlite3.sqlite_version + "). Use another build of "
                "Python; everything else of the archive works.", variable="sqlite3",
            )  # fmt: skip
        rows = self._ask(partial(_question, filters, text))
        return [message_from(row[:-1]) for row in rows]

    def updates(
        self, message_id: str, *, instance: str | None = None, chat: str | Jid | None = None
    ) -> list[ArchivedUpdate]:
        """List the reported changes of a message, oldest first, including those not applied.

        Args:
            message_id: WhatsApp id of the message.
            instance: Name of its instance. Default: any.
            chat: Chat named by the change, or chat of the message that it changed. Default: any.

        Returns:
            The updates; those that changed a message are ``applied``.

        Raises:
            ArchiveError: The archive cannot be read.
        """
        rows = self._named(updates_question, message_id, instance, chat)
        return [update_from(row) for row in rows]

    def contacts(self, *, instance: str | None = None) -> list[ArchivedContact]:
        """List the contacts, ordered by JID.

        Args:
            instance: Name of the instance. Default: all.

        Returns:
            The contacts.

        Raises:
            ArchiveError: The archive cannot be read.
        """
        return [contact_from(row) for row in self._ask(lambda _: contacts_question(instance))]

    def export_jsonl(self, target: str | Path | TextIO, **filters: Unpack[MessageFilters]) -> int:
        """Write messages as JSON Lines, one object per line with the whole record.

        Args:
            target: A path, or an open text file.
            **filters: Filters, see :class:`MessageFilters`.

        Returns:
            The number of messages.

        Raises:
            ArchiveError: The archive cannot be read.
            ConfigurationError: The target cannot be written.
            RequestValidationError: A filter is wrong.
        """
        with opened(target) as file:
            return write_jsonl(self._each(filters), file)

    def export_csv(self, target: str | Path | TextIO, **filters: Unpack[MessageFilters]) -> int:
        """Write messages as CSV; a text that may become a formula gets a ``'`` in front.

        These are the texts that begin with ``=``, ``+``, ``-`` or ``@`` of any width, even after
        blanks and invisible characters. Numbers are included, so that a spreadsheet keeps them as
        written.

        Args:
            target: A path, or an open text file.
            **filters: Filters, see :class:`MessageFilters`.

        Returns:
            The number of messages.

        Raises:
            ArchiveError: The archive cannot be read.
            ConfigurationError: The target cannot be written.
            RequestValidationError: A filter is wrong.
        """
        with opened(target) as file:
            return write_csv(self._each(filters), file)

    def flush(self) -> bool:
        """Write the waiting rows now.

        Returns:
            True if no row waits any more.
        """
        with self._lock:
            self._silent_until = float("-inf")
            return self._write()

    @property
    def waiting(self) -> int:
        """Number of rows not stored yet, because a thread is about to write or cannot."""
        return len(self._waiting)

    @property
    def lost(self) -> int:
        """Number of rows dropped, because too many waited or they could not be written."""
        return self._waiting.lost

    def _keep(self, rows: list[Row]) -> bool:
        check()
        self._waiting.add(row for row in rows if isinstance(row, self._kinds))
        # Without a loop the caller's thread writes, so that the row is stored on return.
        if not on_event_loop():
            return self._write_now()
        if self.waiting and not self._handed_over:
            self._handed_over = True
            self._worker.submit(self._write_later)
        return not self.waiting

    def _write_now(self) -> bool:
        # Whoever tries a database that is gone may wait for seconds: the timer's thread does, and
        # nobody waits behind it.
        if self._in_trouble and (self._file is None or not self._lock.acquire(blocking=False)):
            self._again.arm()
            return False
        if not self._in_trouble:
            with self._lock:
                return self._write()
        try:
            return self._write()
        finally:
            self._lock.release()

    def _write_later(self) -> None:
        self._handed_over = False  # first: rows that come from now on may miss this turn
        with self._lock:
            self._write()

    def _write(self) -> bool:
        if not self._waiting:
            return True
        # After a failure nothing is tried for a while: a locked file would make every
        # caller wait for ``busy_ms``.
        if self._clock() < self._silent_until:
            self._again.arm()
            return False
        # Rows that come from now on wait for the next turn; these go back if writing fails.
        rows = self._waiting.take()
        try:
            self._since_pruned += write_each(
                self._open(), rows, self._waiting, searchable=self._searchable, shape=self._shape
            )
            if self._since_pruned >= _PRUNE_EVERY:
                self._prune(self._max_age, self._max_messages)
        except BaseException as error:
            self._waiting.put_back(rows)
            if not isinstance(error, Exception):  # KeyboardInterrupt and the like
                raise
            self._trouble(error)
            return False
        if self._in_trouble:
            self._in_trouble = False
            lost = self.lost - self._lost_before
            beside = f"; {lost} rows were lost meanwhile" if lost else ""
            _log.warning("the archive %s can be written again%s", self._name, beside)
        return True

    def _odd(self, message: str, error: Exception) -> None:
        name = type(error).__name__
        self._quiet.trouble((message, name), message, name)

    def _trouble(self, error: Exception) -> None:
        """Log the first of several failures, and pause writing."""
        if not self._in_trouble:
            self._in_trouble = True
            self._lost_before = self.lost
            _log.error(
                "the archive %s cannot be written (%s: %s); it is tried again every %g ms",
                self._name, type(error).__name__, error, self._retry_s * 1_000,
            )  # fmt: skip
        self._silent_until = self._clock() + self._retry_s
        self._close()
        self._again.arm()

    def prune(self, *, max_age: timedelta | None = None, max_messages: int | None = None) -> int:
        """Delete old messages and their updates now.

        Args:
            max_age: Delete older messages than this. Default: as configured.
            max_messages: Delete the oldest beyond this number. Default: as configured.

        Returns:
            The number of messages deleted.

        Raises:
            ArchiveError: The archive cannot be written.
        """
        with self._lock:
            age = self._max_age if max_age is None else max_age
            most = self._max_messages if max_messages is None else max_messages
            return self._reading(lambda _: self._prune(age, most))

    def close(self) -> int:
        """Write the waiting rows and close the database; recording opens it again.

        Rows that cannot be written (a full disk, a lock) are dropped, logged and counted in
        ``lost``. Call :meth:`flush` until it returns True to prevent that. This method blocks; in
        an event loop use ``await asyncio.to_thread(archive.close)``.

        Returns:
            The number of rows dropped now.
        """
        self._worker.close()  # first, so that no thread writes after this
        with self._lock:
            self.flush()
            self._close()
            self._again.cancel()
            self._next_piece.cancel()
            given_up = self._waiting.give_up()
        if given_up:
            _log.error(
                "the archive %s was closed although it could not be written: %d rows are lost",
                self._name, given_up,
            )  # fmt: skip
        return given_up

    def _prune(self, max_age: timedelta | None, most: int | None) -> int:
        self._since_pruned = 0
        if max_age is None and most is None:
            return 0
        before = None if max_age is None else int(self._clock() - max_age.total_seconds())
        return prune(self._open(), before, most, searchable=self._searchable)

    def _open(self) -> Database:
        """Return the database, with tables and indexes as they have to be."""
        if not self._ready:
            try:
                self._prepare()
            except BaseException:
                self._database.close()
                raise
            self._ready = True
        return self._database

    def _prepare(self) -> None:
        file = self._file
        if file is None:
            prepare_tables(self._database)
            self._searchable = True
        else:
            file.path.parent.mkdir(parents=True, exist_ok=True)
            migrate(file)
            self._searchable = prepare_search(file)
            self._begin_building(file)
        with self._database.reading() as session:
            shape = shape_of(session)
        self._shape = shape if shape.is_final else None

    def _close(self) -> None:
        self._ready = False
        self._shape = None
        self._database.close()

    def _reading(self, work: Callable[[Database], T]) -> T:
        check()
        with self._lock:
            self._write()  # so that rows just recorded in a loop are found
            try:
                return work(self._open())
            except (DatabaseError, SchemaVersionError, OSError) as error:
                self._close()  # the file may be replaced by a good one before the next try
                problem = archive_error(self._name, error, is_file=self._file is not None)
        raise problem

    def _looking(self, work: Callable[[Session, Shape], T]) -> T:
        """Read while the state of the indexes stays the same."""

        def look(database: Database) -> T:
            with database.reading() as session:
                if self._shape is not None:
                    return work(session, self._shape)
                # Within one transaction, for another process may be building.
                session.run("BEGIN")
                try:
                    shape = shape_of(session)
                    self._shape = shape if shape.is_final else None
                    return work(session, shape)
                finally:
                    session.run("COMMIT")

        return self._reading(look)

    def _ask(self, asked: Callable[[Shape], tuple[str, Sequence[Any]]]) -> list[Any]:
        def look(session: Session, shape: Shape) -> list[Any]:
            sql, values = asked(shape)
            return session.run(sql, tuple(map(_storable, values)))

        return self._looking(look)

    def _named(
        self, asked: Asked, message_id: str, instance: str | None, chat: str | Jid | None
    ) -> list[tuple[Any, ...]]:
        """Read rows that end with two names of their chat, and return them without these.

        The rows can be limited to one chat, which is compared by all its names.
        """

        def look(session: Session, shape: Shape) -> list[tuple[Any, ...]]:
            sql, values = asked(message_id, instance, shape)
            rows = session.run(sql, tuple(map(_storable, values)))
            wanted = None if chat is None else Whom([chat], FileLids(session))
            return [row[:-2] for row in rows if wanted is None or wanted.is_told_by(*row[-2:])]

        return self._looking(look)

    def _each(self, filters: MessageFilters) -> Iterator[ArchivedMessage]:
        """Read page by page, so that an export of any size holds one page."""
        question(filters)  # is wrong before the first page
        left = filters.get("limit")
        # What comes while an export runs is not part of it: it could go on for ever.
        ((last,),) = self._ask(lambda _: ("SELECT max(row) FROM messages", ()))
        after: Place | None = None
        while last is not None and (left is None or left > 0):
            page = _PAGE if left is None else min(left, _PAGE)
            rows = self._ask(
                partial(_question, {**filters, "limit": page}, None, after=after, until_row=last)
            )
            yield from (message_from(row[:-1]) for row in rows)
            if len(rows) < page:
                return
            left = None if left is None else left - page
            after = int(rows[-1][_TIME_COLUMN]), int(rows[-1][-1])

    def _build(self) -> None:
        """Do a piece of indexes that an older file lacks, and come back for the next."""
        with self._lock:
            if self._file is None or not self._ready:
                return  # closed meanwhile; opening it again goes on
            try:
                left = self._build_piece(self._file)
            except Exception as error:  # noqa: BLE001  nobody waits for this thread
                # Writing tells of a file in trouble; building only waits until it is over.
                self._odd("the indexes of an archive could not be built yet: %s", error)
                left = True
            if left:
                self._next_piece.arm()

    def _build_piece(self, file: SqliteDatabase) -> bool:
        try:
            # Whoever writes must not wait behind this: a file that is locked is left alone.
            return build(
                file, searchable=self._searchable, now=self._clock(), pause_s=_BUILD_EVERY_S,
                patient=False,
            )  # fmt: skip
        except DatabaseError as error:
            if error.kind == "busy":
                return True
            raise

    def _begin_building(self, file: SqliteDatabase) -> None:
        with file.reading() as session:
            left = left_to_build(session, searchable=self._searchable)
        if left > PIECE:
            self._next_piece.arm()
        elif left:  # a small or a new file: at once
            while build(file, searchable=self._searchable):
                pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Archive({self._name!r})"


def _question(
    filters: MessageFilters, text: str | None, shape: Shape, **page: Any
) -> tuple[str, list[Any]]:
    return question(filters, text, shape, **page)


def _storable(value: Any) -> Any:
    """Replace half of a surrogate pair and NUL, as in what is stored: no database takes both."""
    if not isinstance(value, str):
        return value
    return value.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
