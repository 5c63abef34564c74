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

__all__ = ["Later", "Signal", "Transport", "open_transport", "run_blocking", "sleep"]


def sleep(seconds: float) -> None:
    """Wait."""
    time.sleep(seconds)


def run_blocking(work: Callable[[], T]) -> T:
    """Run slow work; in this colour the caller waits anyway."""
    return work()


class Signal:
    """Wakes one waiting thread."""

    def __init__(self) -> None:
        self._event = Event()

    @property
    def is_set(self) -> bool:
        """Whether it has been set."""
        return self._event.is_set()

    def set(self) -> None:
        """Wake it; a second time nothing happens."""
        self._event.set()

    def wait(self, seconds: float | None = None) -> None:
        """Wait until it is set, at most some seconds."""
        self._event.wait(seconds)
