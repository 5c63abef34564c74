"""Log lines of a trouble that goes on: at once, then at most once a minute, and at its end."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Hashable
from typing import Any, Final

from .bounded_dict import BoundedDict

__all__ = ["QuietLog", "Repeats"]

EVERY_S: Final = 60.0
_MOST_KINDS: Final = 256


class _Trouble:
    """One kind of trouble.

    Attributes:
        told_at: When it was told last, in seconds.
        untold: How often it came since.
        times: How often it came in all.
    """

    __slots__ = ("times", "told_at", "untold")

    def __init__(self, now: float) -> None:
        self.told_at = now
        self.untold = 0
        self.times = 1


class Repeats:
    """The decision whether a trouble is told; pure, time is an argument.

    It has no lock: two threads at one instant may log a trouble twice, which is harmless.

    Args:
        every_s: Least time between two lines about the same trouble, in seconds.
        most: Most kinds of trouble remembered; the longest unused ones go first.
    """

    def __init__(self, every_s: float = EVERY_S, most: int = _MOST_KINDS) -> None:
        self._every = every_s
        self._known: BoundedDict[Hashable, _Trouble] = BoundedDict(most)

    def again(self, kind: Hashable, now: float) -> int | None:
        """Count a trouble.

        Args:
            kind: What kind of trouble; equal ones are one.
            now: Seconds that never go back.

        Returns:
            How often it came untold since it was told last; None to be quiet now.
        """
        trouble = self._known.get(kind)
        if trouble is None:
            self._known[kind] = _Trouble(now)
            return 0
        trouble.times += 1
        if now - trouble.told_at < self._every:
            trouble.untold += 1
            return None
        untold, trouble.untold, trouble.told_at = trouble.untold, 0, now
        return untold

    def over(self, kind: Hashable) -> int:
        """End a trouble.

        Args:
            kind: What kind of trouble.

        Returns:
            How often it came in all; 0 where there was none.
        """
        if not self._known:
            return 0
        ended = self._known.pop(kind, None)
        return 0 if ended is None else ended.times


class QuietLog:
    """A logger for what can happen at every event, check or attempt of an outage.

    Args:
        logger: Where the lines go.
        clock: Seconds that never go back.
        every_s: Least time between two lines about the same trouble, in seconds.
        most: Most kinds of trouble remembered; the longest unused ones go first, and are told
            again at once.
    """

    def __init__(
        self,
        logger: logging.Logger | logging.LoggerAdapter[logging.Logger],
        clock: Callable[[], float] = time.monotonic,
        every_s: float = EVERY_S,
        most: int = _MOST_KINDS,
    ) -> None:
        self._logger = logger
        self._clock = clock
        self._repeats = Repeats(every_s, most)

    def trouble(
        self,
        kind: Hashable,
        message: str,
        *args: Any,
        level: int = logging.WARNING,
        extra: Callable[[], dict[str, Any]] | None = None,
    ) -> None:
        """Log a trouble, unless the same kind was logged less than a minute ago.

        Args:
            kind: What kind of trouble; equal ones are counted together.
            message: The line, with places for ``args`` as :mod:`logging` has them.
            *args: What goes there.
            level: Its level.
            extra: Makes the fields of the record, when it is told.
        """
        untold = self._repeats.again(kind, self._clock())
        if untold is None:
            return
        if untold:
            message, args = f"{message} (%d more times since the last line)", (*args, untold)
        fields = {} if extra is None else extra()
        self._logger.log(level, message, *args, extra={**fields, "untold": untold})

    def forget(self, kind: Hashable) -> None:
        """Tell the next one of a kind again at once.

        Args:
            kind: What kind of trouble.
        """
        self._repeats.over(kind)

    def over(self, kind: Hashable, message: str, *args: Any) -> None:
        """Log the end of a trouble once, with how often it came; nothing where there was none.

        Args:
            kind: What kind of trouble.
            message: The line.
            *args: What goes into it.
        """
        times = self._repeats.over(kind)
        if times:
            message, args = f"{message} (failures: %d)", (*args, times)
            self._logger.warning(message, *args)
