"""What the detector thought of one value, with words made only when somebody reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

__all__ = ["AnomalyKind", "Judgement", "chance_score"]

_HALF_AT: Final = 4.0
"""A surprise of so many orders of magnitude is a score of 0.5; twice as many, 0.75."""

AnomalyKind: TypeAlias = Literal["spike", "level", "spread", "flat", "missing"]
"""What is unusual: a value, the level, how much values vary, that they do not, their absence."""


def chance_score(surprise: float) -> float:
    """The score, 0 to 1, of something so many decimal orders of magnitude improbable."""
    return 1 - 2 ** (-surprise / _HALF_AT)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the detector thought of the last value.

    Attributes:
        score: From 0.0 (normal) to 1.0 (certain).
        value: The value judged; None when it was missing.
        expected_low: Lower end of what was expected, by level and rhythm; None in the beginning.
        expected_high: Upper end of it.
        kind: The most surprising thing about it; None when nothing was.
        size: How much of that kind: values in a row (flat), usual intervals without a value
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
        """One sentence for people."""
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
