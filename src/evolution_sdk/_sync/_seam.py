"""What differs between the two colours, by one set of names. Written by hand in both trees."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event
from typing import Annotated, TypeAlias, TypeVar

from evolution_sdk.transport import SyncTransport as Transport
from evolution_sdk.transport import open_sync_transport as open_transport

T = TypeVar("T")

Later: TypeAlias = Annotated[T, "at once"]
"""What calling a function gives: the value itself."""

__all__ = ["Event", "Later", "Signal", "Transport", "open_transport", "run_blocking", "sleep"]


class Signal:
    """Wakes one thread."""

    def __init__(self) -> None:
        self._event = Event()

    def set(self) -> None:
        """Wake it."""
        self._event.set()

    def wait(self, seconds: float) -> bool:
        """Wait; False when nobody woke it in time."""
        return self._event.wait(seconds)


def sleep(seconds: float) -> None:
    """Wait."""
    time.sleep(seconds)


def run_blocking(work: Callable[[], T]) -> T:
    """Run slow work; in this colour the caller waits anyway."""
    return work()
