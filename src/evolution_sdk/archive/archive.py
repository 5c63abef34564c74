"""The local backup: what events and own sends tell, in an SQLite file."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Self, TypeVar

from evolution_sdk._core.arguments import checked
from evolution_sdk.config import EvolutionConfig, StoreConfig
from evolution_sdk.errors import ArchiveError, ConfigurationError
from evolution_sdk.events import Event
from evolution_sdk.models.message import SentMessage

from ._reader import ArchiveReader
from ._schema import MIGRATIONS, Migration, migrate, prepare_search
from ._taking import ContactRow, MessageRow, Row, UpdateRow, row_of_sent, rows_of
from ._writing import prune, write

T = TypeVar("T")

_log = logging.getLogger("evolution_sdk.archive")
_MOST_WAITING = 10_000
_PRUNE_EVERY = 1_000
# What SQLite says of a value and not of the file.
_OF_A_ROW = (
    sqlite3.ProgrammingError, sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError,
)  # fmt: skip


@checked(but=("observe", "record", "record_sent"))
class Archive(ArchiveReader):
    """A backup of messages, their updates and contacts in one SQLite file. Thread-safe.

    Recording never raises: a damaged or locked file is reported once (logger
    ``evolution_sdk.archive``) and tried again; what came meanwhile waits in memory, the latest
    10,000 rows. Reading raises :class:`~evolution_sdk.ArchiveError`.

    Args:
        path: The file; made when it is absent.
        messages: Whether to keep messages.
        message_up: Whether to keep updates of messages: statuses, edits, deletions.
        contacts: Whether to keep contacts.
        max_age: Messages and updates older than this are deleted from time to time.
        max_messages: Most messages; the oldest are deleted from time to time.
        busy_ms: How long a write waits for another process's lock, in milliseconds.
        retry_ms: How long nothing is tried after a failed write, in milliseconds.
        clock: Unix seconds.
        migrations: The steps of the layout; only for tests of an upgrade.

    Raises:
        ConfigurationError: A limit is not positive.

    Attributes:
        path: The file.
        lost: Rows that were given up, because more waited than fit.
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
        busy_ms: float = 250,
        retry_ms: float = 5_000,
        clock: Callable[[], float] = time.time,
        migrations: Sequence[Migration] = MIGRATIONS,
    ) -> None:
        if max_age is not None and max_age <= timedelta(0):
            raise ConfigurationError("max_age must be longer than nothing", variable="max_age")
        if max_messages is not None and max_messages < 1:
            raise ConfigurationError("max_messages must be 1 or more", variable="max_messages")
        self.path: Path = Path(path)
        self._kinds: tuple[type[Row], ...] = tuple(
            kind
            for kind, wanted in (
                (MessageRow, messages), (UpdateRow, message_up), (ContactRow, contacts)
            )
            if wanted
        )  # fmt: skip
        self._max_age = max_age
        self._max_messages = max_messages
        self._busy_s = busy_ms / 1_000
        self._retry_s = retry_ms / 1_000
        self._clock = clock
        self._migrations = migrations
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._searchable = False
        self._waiting: deque[Row] = deque(maxlen=_MOST_WAITING)
        self._silent_until: float | None = None
        self._since_pruned = 0
        self.lost: int = 0

    @classmethod
    def from_config(cls, config: EvolutionConfig | StoreConfig, **options: Any) -> Archive | None:
        """The archive that ``EVOLUTION_STORE_…`` asks for.

        Args:
            config: The settings.
            **options: As of the constructor.

        Returns:
            The archive; None when nothing is to be kept.
        """
        store = config.store if isinstance(config, EvolutionConfig) else config
        if not (store.messages or store.message_up or store.contacts):
            return None
        values: dict[str, Any] = {
            "messages": store.messages,
            "message_up": store.message_up,
            "contacts": store.contacts,
            **options,
        }
        return cls(store.path, **values)

    # Recording

    def record(self, event: Event[Any]) -> bool:
        """Keep what an event tells; never raises. Mostly a fraction of a millisecond.

        Args:
            event: Any event; also one told by several transports.

        Returns:
            Whether everything so far is in the file.
        """
        try:
            rows = list(rows_of(event, int(self._clock())))
        except Exception as error:  # noqa: BLE001  must not harm a handler
            _log.warning("an event could not be archived: %s", type(error).__name__)
            return False
        return self._keep(rows)

    def observe(self, fact: Any) -> None:
        """Keep own sends; an observer for ``client.observe(archive.observe)``. Never raises.

        Args:
            fact: What the client tells; finished sends count.
        """
        sent = getattr(fact, "result", None)
        if isinstance(sent, SentMessage):
            self.record_sent(sent, getattr(fact, "instance", None) or "")

    def record_sent(self, sent: SentMessage, instance: str) -> bool:
        """Keep an own send; never raises.

        Args:
            sent: What a send returned.
            instance: Its instance.

        Returns:
            Whether everything so far is in the file.
        """
        try:
            rows = list(row_of_sent(sent, instance, int(self._clock())))
        except Exception as error:  # noqa: BLE001  nothing after a send may raise
            _log.warning("a send could not be archived: %s", type(error).__name__)
            return False
        return self._keep(rows)

    def flush(self) -> bool:
        """Try now to write what waits.

        Returns:
            Whether nothing waits any more.
        """
        with self._lock:
            self._silent_until = None
            return self._write()

    @property
    def waiting(self) -> int:
        """Rows that wait because the file cannot be written."""
        return len(self._waiting)

    def _keep(self, rows: list[Row]) -> bool:
        with self._lock:
            for row in rows:
                if isinstance(row, self._kinds):
                    self.lost += len(self._waiting) == _MOST_WAITING
                    self._waiting.append(row)
            return self._write()

    def _write(self) -> bool:
        if not self._waiting:
            return True
        if self._silent_until is not None and self._clock() < self._silent_until:
            return False
        try:
            self._since_pruned += self._put(self._open())
            if self._since_pruned >= _PRUNE_EVERY:
                self._prune(self._max_age, self._max_messages)
        except Exception as error:  # noqa: BLE001  nothing may get out of recording
            self._trouble(error)
            return False
        self._waiting.clear()
        if self._silent_until is not None:
            _log.warning("the archive %s can be written again", self.path)
            self._silent_until = None
        return True

    def _put(self, connection: sqlite3.Connection) -> int:
        """Write what waits; a row that cannot be stored holds up no other one."""
        try:
            return write(connection, self._waiting, searchable=self._searchable)
        except Exception as error:
            if _of_the_file(error):
                raise
        count = 0
        for row in self._waiting:
            try:
                count += write(connection, (row,), searchable=self._searchable)
            except Exception as error:
                if _of_the_file(error):
                    raise
                _log.error("a row could not be archived: %s", type(error).__name__)
                self.lost += 1
        return count

    def _trouble(self, error: Exception) -> None:
        """Report the first of a row of failures, and leave the file alone for a while."""
        if self._silent_until is None:
            _log.error(
                "the archive %s cannot be written (%s: %s); it is tried again every %g ms",
                self.path, type(error).__name__, error, self._retry_s * 1_000,
            )  # fmt: skip
        self._silent_until = self._clock() + self._retry_s
        self._close()

    # Keeping it small, opening, closing

    def prune(self, *, max_age: timedelta | None = None, max_messages: int | None = None) -> int:
        """Delete old messages and their updates now.

        Args:
            max_age: Older ones than this. Default: as configured.
            max_messages: The oldest beyond this number. Default: as configured.

        Returns:
            How many messages were deleted.

        Raises:
            ArchiveError: The file cannot be written.
        """
        with self._lock:
            age = self._max_age if max_age is None else max_age
            most = self._max_messages if max_messages is None else max_messages
            return self._reading(lambda _: self._prune(age, most))

    def close(self) -> None:
        """Write what waits, as far as possible, and close the file; recording opens it again."""
        with self._lock:
            self.flush()
            self._close()

    def _prune(self, max_age: timedelta | None, most: int | None) -> int:
        self._since_pruned = 0
        if max_age is None and most is None:
            return 0
        before = None if max_age is None else int(self._clock() - max_age.total_seconds())
        return prune(self._open(), before, most, searchable=self._searchable)

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(
                self.path, timeout=self._busy_s, isolation_level=None, check_same_thread=False
            )
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = NORMAL")
                migrate(connection, self._migrations)
                self._searchable = prepare_search(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _close(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _reading(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with self._lock:
            try:
                return work(self._open())
            except (sqlite3.Error, OSError) as error:
                self._close()
                problem = f"{type(error).__name__}: {error}"
        raise ArchiveError(
            f"The archive {self.path} cannot be used ({problem}). Recording goes on trying; "
            "restore the file from a backup or move it away for a new one."
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Archive({str(self.path)!r})"


def _of_the_file(error: Exception) -> bool:
    return isinstance(error, sqlite3.Error | OSError) and not isinstance(error, _OF_A_ROW)
