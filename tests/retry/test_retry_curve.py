"""The curve is the one that backoff documents, whoever computes it."""

from __future__ import annotations

import ast
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolution_sdk.retry.curve import exponential

SOURCE = Path(__file__).parents[2] / "src" / "evolution_sdk"
COUNT = 2_000  # 2.0 ** 1024 is more than a float can hold


def documented(first: float, factor: float, most: float, n: int) -> float:
    """``factor * base ** n``, and once it exceeds ``max_value``, that for ever after."""
    try:
        return min(first * factor**n, most)
    except OverflowError:
        return most if first else 0.0


@pytest.mark.parametrize(
    ("first", "factor", "most", "curve"),
    [
        # backoff's own examples: expo() with max_value, and with another base and factor
        (1, 2, 32, [1, 2, 4, 8, 16, 32, 32, 32]),
        (1, 3, 100, [1, 3, 9, 27, 81, 100, 100, 100]),
        (3, 3, 500, [3, 9, 27, 81, 243, 500, 500, 500]),
        (1_000, 2, 30_000, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]),
        (5, 1, 60, [5] * 8),
        (90, 2, 60, [60] * 8),
        (0, 2, 60, [0] * 8),
    ],
)
def test_the_curve_that_backoff_documents(
    first: float, factor: float, most: float, curve: list[float]
) -> None:
    assert list(islice(exponential(first, factor, most), 8)) == curve


@given(first=st.floats(0, 1e9), factor=st.floats(1, 1e6), most=st.floats(0, 1e9))
def test_parity_for_any_numbers_and_far_out(first: float, factor: float, most: float) -> None:
    seen = list(islice(exponential(first, factor, most), COUNT))
    expected = [documented(first, factor, most, n) for n in range(COUNT)]
    assert seen == expected


def test_one_file_knows_backoff() -> None:
    knowing = [
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.ImportFrom) and node.module == "backoff" and not node.level)
        or (isinstance(node, ast.Import) and any(name.name == "backoff" for name in node.names))
    ]
    assert knowing == ["retry/curve.py"]
