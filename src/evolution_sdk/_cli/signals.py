"""Work beside a main thread that hears signals."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Final, TypeVar

__all__ = ["beside_signals"]

T = TypeVar("T")

_LOOK_S: Final = 0.2
"""Seconds after which a signal is heard that came just before the main thread went to sleep."""


def beside_signals(work: Callable[[], T]) -> T:
    """Do work in a thread of its own, while this one hears signals.

    A handler in Python runs between two steps of the main thread. A signal that comes in the
    moment before that thread blocks, or that the system hands to another thread, wakes nobody:
    its handler would run only when the blocking call returns, which may be never. Therefore the
    main thread never blocks for long here.

    Args:
        work: Does it, and may block.

    Returns:
        What it returns.

    Raises:
        BaseException: What it raises.
    """
    beside = ThreadPoolExecutor(1, thread_name_prefix="evolution-work")
    under_way = beside.submit(work)
    beside.shutdown(wait=False)
    while not under_way.done():
        wait([under_way], timeout=_LOOK_S)
    return under_way.result()
