"""Keeping the pairs of a :class:`LidMap` beyond the process: the protocol, and writing behind."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Iterable, Mapping
from typing import Protocol
from weakref import WeakSet

from evolution_sdk._base.forking import free_in_child, in_child
from evolution_sdk._base.quiet_log import QuietLog
from evolution_sdk._base.serial_worker import SerialWorker
from evolution_sdk.errors import ConfigurationError

__all__ = ["LidStore", "StoreWriter"]

_MOST_WAITING = 100_000
_log = logging.getLogger("evolution_sdk")


class LidStore(Protocol):
    """Keeps pairs of hidden id and phone; its methods may block, and never run on an event loop.

    ``put`` and ``forget`` are called from one thread at a time. What they raise is logged, and the
    change is tried again with the next one.
    """

    def load(self, most: int) -> Iterable[tuple[str, str]]:
        """Return the stored pairs, the oldest first.

        Args:
            most: Most pairs that are of use; the newest count.

        Returns:
            The user part of the ``@lid``, and the phone's digits, of each.

        Raises:
            ConfigurationError: The store cannot be used at all, such as a path without a folder.
        """
        ...

    def put(self, pairs: Mapping[str, str]) -> None:
        """Keep pairs; each replaces older ones of its hidden id and of its phone.

        Args:
            pairs: Phone digits by the user part of the ``@lid``.
        """
        ...

    def forget(self, lids: Collection[str]) -> None:
        """Drop pairs.

        Args:
            lids: User parts of the ``@lid``.
        """
        ...

    def close(self) -> None:
        """Close what is open; a later call opens it again."""
        ...


class StoreWriter:
    """Writes changes to a store from a thread of its own, so that no event waits for it.

    Args:
        store: The store.
    """

    def __init__(self, store: LidStore) -> None:
        self._store = store
        self._worker = SerialWorker("evolution-lids")
        self._lock = free_in_child(threading.Lock())
        self._quiet = QuietLog(_log)
        self._begin_anew()
        in_child(self._begin_anew)
        _writers.add(self)

    def _begin_anew(self) -> None:
        # What waited at a fork is the parent's to write. None: the pair is forgotten.
        self._changes: dict[str, str | None] = {}
        self._is_asked = False

    def load(self, most: int) -> list[tuple[str, str]]:
        """Read the stored pairs; none, and a line in the log, where that fails.

        Args:
            most: Most pairs.

        Raises:
            ConfigurationError: The store cannot be used at all.
        """
        # Another map of this process may be about to write what this one wants to know.
        for other in list(_writers):
            other.flush()
        try:
            return list(self._store.load(most))
        except ConfigurationError:
            raise
        except Exception as error:  # noqa: BLE001 - a store that is away must stop nobody
            self._trouble(error)
            return []

    def note(self, changes: Mapping[str, str | None]) -> None:
        """Take on changes; never raises and never waits for the store.

        Args:
            changes: Phone digits by user part of the ``@lid``; None forgets.
        """
        with self._lock:
            # While a store is away for long, the map itself still holds what is given up here.
            if len(self._changes) < _MOST_WAITING:
                self._changes.update(changes)
            if self._is_asked:
                return
            self._is_asked = True
        self._worker.submit(self._write)

    def flush(self) -> None:
        """Wait until everything noted so far has been tried."""
        with self._lock:
            idle = not self._changes and not self._is_asked
        if not idle:
            self._worker.submit(self._write).result()

    def close(self) -> None:
        """Write what waits, and end the thread; a later change starts another one."""
        self.flush()
        self._worker.close()
        try:
            self._store.close()
        except Exception as error:  # noqa: BLE001 - as in load
            self._trouble(error)

    def _write(self) -> None:
        with self._lock:
            changes, self._changes = self._changes, {}
            self._is_asked = False
        if not changes:
            return
        gone = [hidden for hidden, known in changes.items() if known is None]
        pairs = {hidden: known for hidden, known in changes.items() if known is not None}
        try:
            if gone:
                self._store.forget(gone)
            if pairs:
                self._store.put(pairs)
        except Exception as error:  # noqa: BLE001 - the map goes on in memory
            self._trouble(error)
            with self._lock:
                self._changes = {**changes, **self._changes}
        else:
            self._quiet.over("store", "hidden ids are stored again")

    def _trouble(self, error: Exception) -> None:
        # Its text may show ids and phones.
        self._quiet.trouble(
            "store", "hidden ids are not stored, only kept in memory: %s", type(error).__name__
        )


_writers: WeakSet[StoreWriter] = WeakSet()
