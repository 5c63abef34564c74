"""Judgement of one value; its words are made only when somebody reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

__all__ = ["AnomalyKind", "Judgement", "chance_score"]

# Surprise, in orders of magnitude, that scores 0.5; twice as much scores 0.75.
_HALF_AT: Final = 4.0

# The unusual thing: a value, the level, the variation, a lack of it, or a missing value.
AnomalyKind: TypeAlias = Literal["spike", "level", "spread", "flat", "missing"]


def chance_score(surprise: float) -> float:
    """Turn a surprise, in decimal orders of magnitude, into a score from 0 to 1."""
    return 1 - 2 ** (-surprise / _HALF_AT)


@dataclass(frozen=True, slots=True)
class Judgement:
    """Judgement of the last value.

    Attributes:
        score: From 0.0 (normal) to 1.0 (certain).
        value: The value judged; None when it was missing.
        expected_low: Lower end of the expected range, by level and rhythm; None in the beginning.
        expected_high: Upper end of it.
        kind: The most surprising thing about it; None when nothing was.
        size: Its extent: values in a row (flat), usual intervals without a value
            (missing), times the usual variation (spread); the new level (level); the value (spike).
        anomalous: The score reached the detector's threshold.
    """

    score: float
    value: float | None
    expected_low: float | None
    expected_high: float | None
    kind: AnomalyKind | None
    size: float
    anomalous: bool

    @property
    def words(self) -> str:
        """The judgement in one sentence."""
        if self.kind == "missing":
            return f"No value for about {self.size:.3g} usual intervals."
        usual = "nothing is known yet about what is usual"
        if self.expected_low is not None and self.expected_high is not None:
            usual = f"usual is {self.expected_low:.6g} to {self.expected_high:.6g}"
        if self.kind == "flat":
            return f"The value {self.value:.6g} came {self.size:.0f} times in a row; {usual}."
        if self.kind == "spread":
            more = "more" if self.size > 1 else "less"
            return f"Values vary {more} than usual: {self.size:.3g} times as much; {usual}."
        if self.kind == "level":
            return f"The level has moved to about {self.size:.6g}; {usual}."
        if self.kind == "spike":
            return f"The value {self.value:.6g} is unusual; {usual}."
        if self.value is None:
            return "No value."
        return f"The value {self.value:.6g} is ordinary; {usual}."
