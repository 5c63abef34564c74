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
from itertools import count
from types import MethodType
from typing import Any, Final, NamedTuple, TypeVar, cast
from weakref import WeakSet, ref

__all__ = ["CARRIED_OVER", "abandon", "around_fork", "check", "free_in_child", "in_child"]

CARRIED_OVER: Final = (
    "it was open when this process was forked without Python being told, and SQLite cannot use it "
    "safely here. Load the application in each worker (uWSGI: lazy-apps = true), or make what uses "
    "the file in the process that uses it"
)
"""The reason why a process does not use a database file that its parent had open."""

L = TypeVar("L")

_log = logging.getLogger("evolution_sdk")
_getpid = os.getpid


class _Part(NamedTuple):
    """Functions of an object that is held weakly.

    ``WeakMethod`` would do, but complains on stderr when it dies before its object, at exit.
    """

    owner: ref[Any]
    functions: tuple[Callable[[Any], Any], ...]


_locks: Final[WeakSet[Any]] = WeakSet()
_numbers: Final = count()
_renewals: Final[dict[int, _Part]] = {}
_stills: Final[dict[int, _Part]] = {}
_abandoned: Final[list[object]] = []


class _Here(threading.local):
    """The parts that this thread has brought to rest for the fork that it makes."""

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
    _remember(_renewals, renew)


def around_fork(still: Callable[[], bool], go_on: Callable[[], object]) -> None:
    """Have something brought to rest before each fork.

    SQLite keeps its locks per process: a child that inherits an open connection believes that it
    holds locks which only its parent has, for connections of its own to the same file, too.

    Args:
        still: Brings it to rest, in the thread that forks; returns whether it did, within a
            second or so. A bound method; held weakly.
        go_on: Called in the parent afterwards, if it did. A bound method, too.
    """
    _remember(_stills, still, go_on)


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


def _remember(parts: dict[int, _Part], *methods: Callable[[], Any]) -> None:
    """Keep bound methods of one object for as long as it lives."""
    bound = [cast("MethodType", method) for method in methods]
    number = next(_numbers)
    owner = ref(bound[0].__self__, lambda _: parts.pop(number, None))
    parts[number] = _Part(owner, tuple(method.__func__ for method in bound))


def _before() -> None:
    for owner, (rest, wake) in list(_stills.values()):
        part = owner()
        if part is None:
            continue
        try:
            if rest(part):
                _here.resting.append(MethodType(wake, part))
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
        for owner, (renew,) in list(_renewals.values()):
            part = owner()
            if part is None:
                continue
            try:
                renew(part)
            except Exception as error:  # noqa: BLE001 - one must not keep the others from it
                _report(error)
        _pid = _getpid()


def _report(error: Exception) -> None:
    _log.error("a fork was not prepared or followed as it should be: %s", type(error).__name__)


if hasattr(os, "register_at_fork"):  # not on Windows, which cannot fork
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_after)
