"""Real children of this process: what they return, and how long they may take."""

from __future__ import annotations

import ctypes
import os
import pickle
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import pytest

_PATIENCE_S = 30.0

quiet_forks = pytest.mark.filterwarnings(
    # Python 3.12 warns of every fork beside threads; that is what is tested here.
    "ignore:.*multi-threaded.*fork.*:DeprecationWarning"
)


def untold_fork() -> int:
    """Fork as the C library does, without Python being told.

    A thread that wants to run asks for the interpreter, and whoever is asked waits until it has it:
    in the child nobody would ever take it. So none may have asked when the process forks.
    """
    fork: Any = ctypes.PyDLL(None).fork
    interval = sys.getswitchinterval()
    sys.setswitchinterval(60)  # after so many seconds a thread asks
    try:
        time.sleep(0.01)  # whoever had asked runs now
        pid: int = fork()
        return pid
    finally:
        sys.setswitchinterval(interval)


class Child:
    """A forked process at work."""

    def __init__(self, work: Callable[[], Any], fork: Callable[[], int] = os.fork) -> None:
        self._out, write = os.pipe()
        self._data = b""
        self.pid = fork()
        if self.pid == 0:
            os.close(self._out)
            _work(work, write)
        os.close(write)

    def result(self) -> Any:
        """What it returned; fails if it raised, or took too long."""
        end = time.monotonic() + _PATIENCE_S
        while select.select([self._out], [], [], max(0.0, end - time.monotonic()))[0]:
            piece = os.read(self._out, 65_536)
            if not piece:
                break
            self._data += piece
        else:
            os.kill(self.pid, signal.SIGKILL)
            self._data = pickle.dumps((False, "the child did not come to an end"))
        os.close(self._out)
        os.waitpid(self.pid, 0)
        assert self._data, "the child died"
        fine, result = pickle.loads(self._data)
        assert fine, result
        return result


def _work(work: Callable[[], Any], write: int) -> None:
    try:
        told = (True, work())
    except BaseException:
        told = (False, traceback.format_exc())
    with os.fdopen(write, "wb") as out:
        out.write(pickle.dumps(told))
    os._exit(0)


def in_child(work: Callable[[], Any], fork: Callable[[], int] = os.fork) -> Any:
    """What a child makes of it."""
    return Child(work, fork).result()


def at_one_instant(works: Sequence[Callable[[], Any]]) -> list[Any]:
    """What several children make of it, who begin together."""
    ready, go = os.pipe()

    def begin(work: Callable[[], Any]) -> Callable[[], Any]:
        def begun() -> Any:
            os.close(go)
            os.read(ready, 1)  # until the parent lets go
            return work()

        return begun

    children = [Child(begin(work)) for work in works]
    os.close(ready)
    os.close(go)
    return [child.result() for child in children]
