"""The growing wait between attempts: the one place that knows the library ``backoff``.

``backoff`` has no maintainer since 2025. Should a Python come on which it cannot be imported, this
function is all there is to replace; a test holds it to the curve that backoff documents.
"""

from __future__ import annotations

from collections.abc import Iterator

from backoff import expo

__all__ = ["exponential"]


def exponential(first: float, factor: float, most: float) -> Iterator[float]:
    """Yield ``first * factor ** n`` for n = 0, 1, 2, …, at most ``most``, without end.

    Args:
        first: The first wait, in any unit.
        factor: By how much each wait is longer than the one before.
        most: The longest wait, in the same unit.

    Yields:
        The waits, in the unit of ``first``.
    """
    waits = expo(base=factor, factor=first, max_value=most)
    next(waits)  # backoff's generators begin with an empty step
    try:
        yield from waits
    except OverflowError:  # backoff computes factor^n before it applies the cap
        beyond = most if first else 0.0
        while True:
            yield beyond
