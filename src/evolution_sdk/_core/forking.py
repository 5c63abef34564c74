"""A forked process begins anew: locks are free, connections are its own, nothing is under way.

A fork copies the memory of a process and one of its threads. Sockets and database files are then
shared, locks that other threads held stay locked, and threads and event loops that the memory
tells of do not exist. Whoever holds such things says here how it begins anew. That happens in the
child right after the fork (``os.register_at_fork``); where a host forks without telling Python, as
uWSGI does, with the first call of :func:`check`.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, TypeVar
from weakref import WeakMethod, WeakSet

__all__ = ["CARRIED_OVER", "abandon", "around_fork", "check", "free_in_child", "in_child"]

CARRIED_OVER: Final = (
    "it was open when this process was forked without Python being told, and SQLite cannot use it "
    "safely here. Load the application in each worker (uWSGI: lazy-apps = true), or make what uses "
    "the file in the process that uses it"
)
"""Why a process does not use a database file that its parent had open."""

L = TypeVar("L")

_log = logging.getLogger("evolution_sdk")
_getpid = os.getpid

_locks: Final[WeakSet[Any]] = WeakSet()
_renewals: Final[set[WeakMethod[Callable[[], object]]]] = set()
_stills: Final[dict[WeakMethod[Callable[[], bool]], WeakMethod[Callable[[], object]]]] = {}
_abandoned: Final[list[object]] = []


class _Here(threading.local):
    """What this thread has brought to rest for the fork that it makes."""

    def __init__(self) -> None:
        self.resting: list[Callable[[], object]] = []


_here: Final = _Here()
_pid = _getpid()
_beginning = threading.RLock()


def free_in_child(lock: L) -> L:
    """Make a lock free in every child, whoever holds it when the process forks.

    Args:
        lock: A ``Lock``, ``RLock``, ``Condition`` or ``Event`` of :mod:`threading`.

    Returns:
        The lock.
    """
    _locks.add(lock)
    return lock


def in_child(renew: Callable[[], object]) -> None:
    """Have a method called in every child, before anything else happens there.

    Args:
        renew: A bound method; held weakly. It must not write to what the parent uses.
    """
    _renewals.add(WeakMethod(renew, _renewals.discard))


def around_fork(still: Callable[[], bool], go_on: Callable[[], object]) -> None:
    """Have something brought to rest before each fork.

    SQLite keeps its locks per process: a child that inherits an open connection believes that it
    holds locks which only its parent has, for connections of its own to the same file, too.

    Args:
        still: Brings it to rest, in the thread that forks; returns whether it did, within a
            second or so. A bound method; held weakly.
        go_on: Called in the parent afterwards, if it did. A bound method, too.
    """
    _stills[WeakMethod(still, _forget)] = WeakMethod(go_on)


def check() -> None:
    """Begin anew if this is another process than before; else some nanoseconds."""
    if _getpid() != _pid:
        _begin()


def abandon(*things: object) -> None:
    """Keep something from ever being cleaned up in this process.

    Connections and tasks of an event loop, and databases, belong to the parent. Their destructors
    would say goodbye to the other end, take descriptors out of the parent's selector, or run the
    ``finally`` of a coroutine that goes on there.

    Args:
        things: What is the parent's; nothing is kept of None and of empty containers.
    """
    kept = [thing for thing in things if thing]
    if not kept:
        return
    _abandoned.extend(kept)
    # Beyond the end of the interpreter, which empties every list.
    with suppress(ImportError, AttributeError):
        from ctypes import py_object, pythonapi

        for thing in kept:
            pythonapi.Py_IncRef(py_object(thing))


def _forget(still: WeakMethod[Callable[[], bool]]) -> None:
    _stills.pop(still, None)


def _before() -> None:
    for still, go_on in list(_stills.items()):
        rest, wake = still(), go_on()
        if rest is None or wake is None:
            continue
        try:
            if rest():
                _here.resting.append(wake)
        except Exception as error:  # noqa: BLE001 - the program forks whatever happens here
            _report(error)


def _in_parent() -> None:
    resting, _here.resting = _here.resting, []
    for wake in resting:
        try:
            wake()
        except Exception as error:  # noqa: BLE001 - as above
            _report(error)


def _after() -> None:
    global _beginning
    _beginning = threading.RLock()
    _here.resting = []  # its locks are free here anyway
    _begin()


def _begin() -> None:
    global _pid
    with _beginning:
        if _getpid() == _pid:
            return
        for lock in list(_locks):
            lock._at_fork_reinit()
        for renewal in list(_renewals):
            renew = renewal()
            if renew is None:
                continue
            try:
                renew()
            except Exception as error:  # noqa: BLE001 - one must not keep the others from it
                _report(error)
        _pid = _getpid()


def _report(error: Exception) -> None:
    _log.error("a fork was not prepared or followed as it should be: %s", type(error).__name__)


if hasattr(os, "register_at_fork"):  # not on Windows, which cannot fork
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_after)
