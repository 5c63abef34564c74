"""A bound on the answers of the calls in a block, where they are made through the API."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

__all__ = ["ANSWER_BOUND", "answers_up_to"]

ANSWER_BOUND: Final[ContextVar[int | None]] = ContextVar("answer_bound", default=None)
"""Most bytes of an answer, or None for the configured limit."""


@contextmanager
def answers_up_to(most_bytes: int) -> Generator[None]:
    """Bound the answers of the calls made in the block.

    Args:
        most_bytes: Most bytes of one answer, instead of the configured limit.
    """
    token = ANSWER_BOUND.set(most_bytes)
    try:
        yield
    finally:
        ANSWER_BOUND.reset(token)
