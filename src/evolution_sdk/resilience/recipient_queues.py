"""Queues of one process before recipients that may not be written to yet."""

from __future__ import annotations

import threading
from itertools import count

from evolution_sdk._base.forking import free_in_child, in_child

__all__ = ["RecipientQueues"]


class RecipientQueues:
    """Tells those who wait for one recipient how many come before them; safe for threads.

    Otherwise all would ask again each time that the recipient is free, and all but one in vain.
    Only recipients that somebody waits for take memory.
    """

    def __init__(self) -> None:
        self._guard = free_in_child(threading.Lock())
        self._begin_anew()
        in_child(self._begin_anew)

    def _begin_anew(self) -> None:
        """Forget those who wait in the parent of a forked process."""
        self._numbers = count(1)
        # For each number its rank in the queue, which grows by one.
        self._queues: dict[str, dict[int, int]] = {}

    def join(self, recipient_key: str) -> int:
        """Take a place at the end of a queue; :meth:`leave` must follow.

        Args:
            recipient_key: Key of the recipient.

        Returns:
            The number of the place.
        """
        with self._guard:
            number = next(self._numbers)
            queue = self._queues.setdefault(recipient_key, {})
            queue[number] = queue[next(reversed(queue))] + 1 if queue else 0
            return number

    def ahead(self, recipient_key: str, number: int) -> int:
        """Tell how many joined before and still wait; at most, where some left from the middle.

        Args:
            recipient_key: Key of the recipient.
            number: Number of the place.
        """
        with self._guard:
            queue = self._queues.get(recipient_key, {})
            if number not in queue:
                return 0  # of before a fork
            return min(queue[number] - queue[next(iter(queue))], len(queue) - 1)

    def leave(self, recipient_key: str, number: int) -> None:
        """Leave a queue; a second time nothing happens.

        Args:
            recipient_key: Key of the recipient.
            number: Number of the place.
        """
        with self._guard:
            queue = self._queues.get(recipient_key)
            if queue is not None:
                queue.pop(number, None)
                if not queue:
                    del self._queues[recipient_key]
