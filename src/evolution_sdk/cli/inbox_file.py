"""The inbox of a receiver that runs in another process: it is looked at, and left alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from evolution_sdk.errors import ConfigurationError
from evolution_sdk.webhooks import DeadLetter, ReceiverMetrics
from evolution_sdk.webhooks.inbox_rows import COLUMNS, to_entry
from evolution_sdk.webhooks.queue import letter_of

__all__ = ["InboxFile"]

_WAITING: Final = (
    "SELECT count(*), coalesce(sum(length(body)), 0) FROM event WHERE failed_at IS NULL"
)
_DEAD: Final = "SELECT count(*) FROM event WHERE failed_at IS NOT NULL"
_LETTERS: Final = f"SELECT {COLUMNS} FROM event WHERE failed_at IS NOT NULL ORDER BY id LIMIT ?"  # noqa: S608 - our own words only
_BUSY_S: Final = 0.5


class InboxFile:
    """Reads the SQLite file of a receiver.

    It is opened for reading alone. Only the receiver's own process may replay: it knows which of
    its handlers have finished, and takes events that nobody holds.

    Args:
        path: The file.

    Raises:
        ConfigurationError: There is no such inbox.
    """

    read_only: Final = True

    def __init__(self, path: Path) -> None:
        self._uri = f"{path.absolute().as_uri()}?mode=ro"
        try:
            self.metrics()
        except sqlite3.Error as error:
            raise ConfigurationError(
                f"--inbox: {path} is no inbox that can be read ({type(error).__name__}).",
                variable="--inbox",
            ) from None

    def metrics(self) -> ReceiverMetrics:
        """Return what the file tells: the events that wait, and the dead letters."""
        with closing(self._connect()) as connection:
            waiting, size = connection.execute(_WAITING).fetchone()
            (dead,) = connection.execute(_DEAD).fetchone()
        return ReceiverMetrics(
            accepted=0, duplicates=0, ignored=0, rejected={}, handled=0, failed=0, recovered=0,
            queue_depth=waiting, in_flight=0, queue_bytes=size, oldest_age_ms=0.0, dead=dead,
        )  # fmt: skip

    def dead_letters(self, limit: int = 100) -> list[DeadLetter]:
        """Return the events whose handlers failed, the oldest first."""
        with closing(self._connect()) as connection:
            found = [to_entry(row) for row in connection.execute(_LETTERS, (limit,))]
        return [letter_of(one) for one in found]

    def replay(self, ids: Iterable[int] | None = None) -> int:
        """Refuse: only the receiver's own process may."""
        raise self._refusal()

    def discard(self, ids: Iterable[int] | None = None) -> int:
        """Refuse: the file is only read."""
        raise self._refusal()

    def _refusal(self) -> ConfigurationError:
        return ConfigurationError(
            "Only the process of the receiver may change its inbox: mount the console there.",
            variable="--inbox",
        )

    def _connect(self) -> Any:
        return sqlite3.connect(self._uri, uri=True, timeout=_BUSY_S)
