"""A histogram of durations: O(1) to add to, of bounded size, good for percentiles."""

from __future__ import annotations

from typing import Final

__all__ = ["LatencyHistogram"]

_BITS: Final = 5
_MOST_US: Final = 1 << 52  # over a century: nothing lasts longer, and the buckets stay few


class LatencyHistogram(dict[int, int]):
    """Number of durations by bucket: exact up to 31 µs, beyond that within 1/16 of the value."""

    __slots__ = ()

    def add(self, elapsed_ms: float) -> None:
        """Count one duration.

        Args:
            elapsed_ms: Milliseconds; what is negative counts as 0.
        """
        bucket = bucket_of(elapsed_ms)
        self[bucket] = self.get(bucket, 0) + 1

    def merge(self, other: LatencyHistogram) -> None:
        """Add the counts of another one."""
        for bucket, count in other.items():
            self[bucket] = self.get(bucket, 0) + count

    def percentile_ms(self, fraction: float) -> float:
        """Return the duration that a fraction of all does not exceed, within 1/32 of its value.

        Args:
            fraction: From 0 to 1; 0.95 is the 95th percentile.

        Returns:
            Milliseconds; 0.0 when there are none.
        """
        wanted = fraction * sum(self.values())
        seen = 0
        for bucket in sorted(self):
            seen += self[bucket]
            if seen >= wanted:
                return _middle_us(bucket) / 1_000
        return 0.0

    def count_from(self, elapsed_ms: float) -> int:
        """Count the durations of at least some length, right to within its bucket.

        Args:
            elapsed_ms: Milliseconds.
        """
        lowest = bucket_of(elapsed_ms)
        return sum(count for bucket, count in self.items() if bucket >= lowest)


def bucket_of(elapsed_ms: float) -> int:
    """Return the number of a duration's bucket; greater durations never have smaller ones.

    Args:
        elapsed_ms: Milliseconds; what is negative counts as 0.
    """
    us = int(elapsed_ms * 1_000) if elapsed_ms > 0 else 0
    if us > _MOST_US:
        us = _MOST_US
    # The five leading bits name the bucket; the shift tells how many bits follow them.
    shift = us.bit_length() - _BITS
    return us if shift <= 0 else (shift << (_BITS - 1)) + (us >> shift)


def _middle_us(bucket: int) -> float:
    half = 1 << (_BITS - 1)
    shift = max(0, (bucket >> (_BITS - 1)) - 1)
    lowest = (bucket - shift * half) << shift
    return lowest + ((1 << shift) - 1) / 2
