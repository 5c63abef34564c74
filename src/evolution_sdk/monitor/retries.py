"""How retried calls end, from the running sums of retry services."""

from __future__ import annotations

from collections import deque
from threading import Lock
from typing import Final

from evolution_sdk._base.forking import free_in_child, in_child
from evolution_sdk.retry import RetryMetrics

__all__ = ["RetryOutcomes"]

_MOST_KEPT: Final = 2_000


class _Source:
    __slots__ = ("retried", "succeeded")

    def __init__(self) -> None:
        self.retried = 0
        self.succeeded = 0


class RetryOutcomes:
    """Turns sums that only grow into what happened lately.

    A call counts when it took more than one attempt: what succeeds at once, and what the caller
    did wrong, says nothing about retries.

    Args:
        window_ms: What "lately" means, in milliseconds.
    """

    def __init__(self, window_ms: float) -> None:
        self._window = window_ms / 1_000
        self._lock = free_in_child(Lock())
        self._begin()
        in_child(self._begin)

    def _begin(self) -> None:
        # A child's services count from nothing: they have no past to leave out.
        self._sources: dict[str, _Source] = {}
        self._recent: deque[tuple[float, int, int]] = deque(maxlen=_MOST_KEPT)

    def baseline(self, source: str, metrics: RetryMetrics) -> None:
        """Take sums as the past of a source, which is not judged."""
        with self._lock:
            known = self._sources[source] = _Source()
            known.retried, known.succeeded = _sums(metrics)

    def update(self, source: str, metrics: RetryMetrics, now: float) -> None:
        """Take in the sums of a source; smaller ones mean that it was reset."""
        with self._lock:
            known = self._sources.setdefault(source, _Source())
            retried, succeeded = _sums(metrics)
            if retried < known.retried or succeeded < known.succeeded:
                known.retried = known.succeeded = 0
            more, won = retried - known.retried, succeeded - known.succeeded
            known.retried, known.succeeded = retried, succeeded
            if more:
                self._recent.append((now, more, won))

    def recent(self, now: float) -> tuple[int, float | None]:
        """Retried calls of late, and the share of them that succeeded."""
        with self._lock:
            while self._recent and self._recent[0][0] < now - self._window:
                self._recent.popleft()
            retried = sum(more for _, more, _ in self._recent)
            won = sum(succeeded for _, _, succeeded in self._recent)
        return retried, (won / retried if retried else None)


def _sums(metrics: RetryMetrics) -> tuple[int, int]:
    retried = sum(calls for attempts, calls in metrics.attempts_histogram.items() if attempts > 1)
    return retried, metrics.successes_after_retry
