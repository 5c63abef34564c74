"""Messages that belong to a send already."""

from __future__ import annotations

import threading
from collections.abc import Hashable

from evolution_sdk._base.bounded_dict import BoundedDict
from evolution_sdk._base.forking import free_in_child

__all__ = ["ClaimedIds"]

_MOST_CLAIMED = 20_000


class ClaimedIds:
    """The ids of messages that belong to a send already; each belongs to one at most.

    Args:
        most: Number of ids to remember; the oldest go first.
    """

    def __init__(self, most: int = _MOST_CLAIMED) -> None:
        self._claimed: BoundedDict[Hashable, None] = BoundedDict(most)
        self._lock = free_in_child(threading.Lock())

    def take(self, message_id: Hashable) -> bool:
        """Claim a message.

        Args:
            message_id: Its id, with all that makes it unique.

        Returns:
            False when it was claimed before.
        """
        # Looking and claiming are one step: two sends must not take the same message.
        with self._lock:
            if message_id in self._claimed:
                return False
            self._claimed[message_id] = None
            return True

    def __contains__(self, message_id: object) -> bool:
        return message_id in self._claimed
