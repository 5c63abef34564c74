"""A histogram of durations: O(1) to add to, of bounded size, good for percentiles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["bucket_of", "percentile_ms"]

_BITS: Final = 5
_MOST_US: Final = 1 << 52  # over a century: nothing lasts longer, and the buckets stay few


def bucket_of(elapsed_ms: float) -> int:
    """The bucket of a duration: exact up to 31 µs, beyond that within 1/16 of its value.

    Args:
        elapsed_ms: Milliseconds; what is negative counts as 0.

    Returns:
        Number of the bucket; greater durations never have smaller ones.
    """
    us = min(int(elapsed_ms * 1_000), _MOST_US) if elapsed_ms > 0 else 0
    shift = us.bit_length() - _BITS
    return us if shift <= 0 else (shift << (_BITS - 1)) + (us >> shift)


def percentile_ms(buckets: Mapping[int, int], fraction: float) -> float:
    """The duration that a fraction of all does not exceed, within 1/32 of its value.

    Args:
        buckets: Number of durations by bucket.
        fraction: From 0 to 1; 0.95 is the 95th percentile.

    Returns:
        Milliseconds; 0.0 when there are none.
    """
    wanted = fraction * sum(buckets.values())
    seen = 0
    for bucket in sorted(buckets):
        seen += buckets[bucket]
        if seen >= wanted:
            return _middle_us(bucket) / 1_000
    return 0.0


def _middle_us(bucket: int) -> float:
    half = 1 << (_BITS - 1)
    shift = max(0, (bucket >> (_BITS - 1)) - 1)
    lowest = (bucket - shift * half) << shift
    return lowest + ((1 << shift) - 1) / 2
