"""Cost of everything that could grow with the work, at three sizes each: ``make scale``.

Each part is a module beside this one with ``measure(quick: bool) -> Iterable[Row]``. Usage:
``python benchmarks/scale/run.py [--quick] [part …]``. Exits with 1 when a figure misses its target.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from importlib import import_module
from itertools import groupby
from pathlib import Path

from rows import Row

HERE = Path(__file__).resolve().parent
NOT_PARTS = {"rows", "run"}


def parts() -> list[str]:
    """Names of the modules that measure something."""
    return sorted(path.stem for path in HERE.glob("*.py") if path.stem not in NOT_PARTS)


def told(rows: Iterable[Row]) -> bool:
    """Print the rows of one part, with the growth from the smallest size; True if all are kept."""
    kept = True
    for what, group in groupby(rows, key=lambda row: row.what):
        sizes = list(group)
        first = sizes[0].value or 1.0
        for row in sizes:
            word = "" if row.target is None else f"{'≥' if row.at_least else '≤'} {row.target:g}"
            mark = "" if row.kept else "  MISSED"
            print(
                f"{what:<52} {row.size:>9,} {row.value:>12,.2f} {row.unit:<10} "
                f"x{row.value / first:<7.2f} {word}{mark}"
            )
            kept = kept and row.kept
    return kept


def main() -> int:
    """Measure the parts that were named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller sizes, fewer rounds")
    parser.add_argument("part", nargs="*", help="such as archive; default: all")
    asked = parser.parse_args()
    good = True
    for name in asked.part or parts():
        good = told(import_module(name).measure(quick=asked.quick)) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
