"""The last samples in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import takewhile
from threading import Lock

from evolution_sdk._base.forking import free_in_child, in_child

from .sample import Sample

__all__ = ["SampleHistory"]


class SampleHistory:
    """The newest samples, the oldest falling out; adding one costs the same for ever.

    Args:
        size: Most samples kept.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = free_in_child(Lock())
        self._begin()
        in_child(self._begin)

    def _begin(self) -> None:
        self._samples: deque[Sample] = deque(maxlen=self._size)

    def __len__(self) -> int:
        return len(self._samples)

    def __iter__(self) -> Iterator[Sample]:
        with self._lock:
            return iter(tuple(self._samples))

    def add(self, sample: Sample) -> None:
        """Keep a sample."""
        with self._lock:
            self._samples.append(sample)

    def last(self) -> Sample | None:
        """The newest one."""
        with self._lock:
            return self._samples[-1] if self._samples else None

    def since(self, at: float) -> list[Sample]:
        """The samples from a time on, the oldest first.

        Args:
            at: Unix seconds.
        """
        with self._lock:
            found = list(takewhile(lambda sample: sample.at >= at, reversed(self._samples)))
        found.reverse()
        return found
