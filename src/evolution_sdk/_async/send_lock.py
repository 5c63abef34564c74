"""Keeping equal sends apart while one of them is looked for."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from evolution_sdk._base.forking import free_in_child, in_child

from ._seam import Signal


class _Line:
    """The equal sends of one moment."""

    __slots__ = ("looking", "sending", "waiting", "wanting")

    def __init__(self) -> None:
        self.sending = 0
        self.looking = False
        self.wanting = 0
        self.waiting: list[Signal] = []

    @property
    def empty(self) -> bool:
        return not (self.sending or self.looking or self.wanting)

    def wait(self) -> Signal:
        # One each: they may wait in different event loops.
        self.waiting.append(Signal())
        return self.waiting[-1]

    def tell(self) -> None:
        for signal in self.waiting:
            signal.set()
        self.waiting.clear()


class KeyedSendLock:
    """Lets equal messages be sent at once, but not while one of them is looked for.

    Two equal texts to one chat look alike in the server's store. A look-up therefore waits until
    the answers of all equal sends under way are in, and new ones wait until it is over; otherwise
    one message could stand for two sends.
    """

    def __init__(self) -> None:
        self._guard = free_in_child(threading.Lock())
        self._lines: dict[int, _Line] = {}
        in_child(self._begin_anew)

    def _begin_anew(self) -> None:
        """Forget the parent's sends, which would never end in a forked child."""
        self._lines = {}

    async def begin(self, key: int) -> None:
        """Begin one attempt; :meth:`end` must follow, once its message is claimed.

        Args:
            key: Equal for equal messages; an accidental equality only costs time.
        """
        while True:
            with self._guard:
                line = self._lines.get(key)
                if line is None:
                    line = self._lines[key] = _Line()
                if not line.looking and not line.wanting:
                    line.sending += 1
                    return
                changed = line.wait()
            await changed.wait()

    def end(self, key: int) -> None:
        """End one attempt."""
        with self._guard:
            line = self._lines.get(key)
            if line is not None:  # else begun before a fork
                line.sending -= 1
                self._settle(key, line)

    @asynccontextmanager
    async def looking(self, key: int) -> AsyncGenerator[None]:
        """Hold while a message of this key is looked for; no equal one is under way meanwhile.

        Args:
            key: As for :meth:`begin`.
        """
        with self._guard:
            line = self._lines.setdefault(key, _Line())
            line.wanting += 1
        held = False
        try:
            while True:
                with self._guard:
                    if not line.looking and not line.sending:
                        line.looking = held = True
                        break
                    changed = line.wait()
                await changed.wait()
            yield
        finally:
            with self._guard:
                line.wanting -= 1
                line.looking = line.looking and not held
                self._settle(key, line)

    def _settle(self, key: int, line: _Line) -> None:
        line.tell()
        if line.empty and self._lines.get(key) is line:
            del self._lines[key]
