"""Connections to one PostgreSQL, used in turns and kept open; without threads of its own."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any

from evolution_sdk._base.forking import abandon, free_in_child, in_child

from .troubles import DatabaseError

__all__ = ["Connections", "answering_within"]

_IDLE_S = 60.0
_SURE_S = 5.0
_WAIT_S = 10.0


class Connections:
    """Opens a connection where none is idle, in the thread that needs it.

    It is not psycopg's pool: that one opens connections in threads of its own, so that whoever
    needs one waits for the whole of its patience where nobody listens, and never hears why. Threads
    would not survive a fork either.

    Args:
        connect: Opens a connection.
        most: Most connections at once.
    """

    def __init__(self, connect: Callable[[], Any], most: int) -> None:
        self._connect = connect
        self.most: int = most
        self._lock = free_in_child(threading.Lock())
        self._start()
        in_child(self._begin_anew)

    def _start(self) -> None:
        self._idle: list[tuple[Any, float]] = []  # the one used last is taken first
        self._places = threading.BoundedSemaphore(self.most)
        self._age = object()
        self._pid = os.getpid()

    def __del__(self) -> None:
        # Whoever forgot to close them should not be warned by the driver, long after.
        if self._pid == os.getpid():
            for one, _ in self._idle:
                with suppress(Exception):
                    one.close()

    def _begin_anew(self) -> None:
        abandon(self._idle)
        self._start()

    @contextmanager
    def one(self) -> Generator[Any]:
        """Lend a connection that is not in a transaction.

        Raises:
            DatabaseError: None could be opened.
        """
        age, places = self._age, self._places
        if not places.acquire(timeout=_WAIT_S):
            raise DatabaseError("busy", f"all {self.most} connections are in use")
        try:
            connection = self._taken() or self._connect()
            try:
                yield connection
            finally:
                self._give(connection, age)
        finally:
            places.release()

    def close(self) -> None:
        """Close the connections: idle ones now, those in use when they are given back."""
        with self._lock:
            idle, self._idle, self._age = self._idle, [], object()
        for connection, _ in idle:
            connection.close()

    def _taken(self) -> Any:
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection, since = self._idle.pop()
            if _is_alive(connection, monotonic() - since):
                return connection
            with suppress(Exception):
                connection.close()

    def _give(self, connection: Any, age: object) -> None:
        now = monotonic()
        old: list[Any] = []
        # Idle, and not within a transaction or a statement that was broken off.
        fit = not connection.closed and connection.pgconn.transaction_status == 0
        with self._lock:
            if fit and age is self._age:
                self._idle.append((connection, now))
            else:
                old.append(connection)
            while self._idle and now - self._idle[0][1] > _IDLE_S:
                old.append(self._idle.pop(0)[0])
        for one in old:
            with suppress(Exception):
                one.close()


def _is_alive(connection: Any, idle_s: float) -> bool:
    """Find out whether an idle connection can be used: here, where nothing has been done yet."""
    try:
        # What an idle connection has to say is nearly always that the server ended it. A server
        # that vanished says nothing: who was idle for longer is asked.
        if idle_s > _SURE_S or _has_news(connection.fileno()):
            connection.execute("")
    except Exception:  # noqa: BLE001 - whatever it is, another one is opened
        return False
    return True


def _has_news(number: int) -> bool:
    if hasattr(select, "poll"):  # not on Windows; select() knows no number above 1,023
        poll = select.poll()
        poll.register(number, select.POLLIN)
        return bool(poll.poll(0))
    return bool(select.select([number], [], [], 0)[0])


def answering_within(connection: Any, seconds: float, too_slow: Callable[[], Exception]) -> None:
    """Let a connection wait for each answer only for some time; then it is closed.

    Time limits of the server do not help where it hangs, or the network swallows its answers.

    Args:
        connection: The connection.
        seconds: The time.
        too_slow: Makes the error.
    """
    usual, pgconn = connection.wait, connection.pgconn

    def bounded(steps: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        ends = monotonic() + seconds
        try:
            wanted = next(steps)
            while True:
                ready = yield wanted
                if not ready and monotonic() > ends:
                    pgconn.finish()
                    raise too_slow()
                wanted = steps.send(ready)
        except StopIteration as stop:
            return stop.value

    def wait(steps: Any, *args: Any, **options: Any) -> Any:
        return usual(bounded(steps), *args, **options)

    connection.wait = wait
