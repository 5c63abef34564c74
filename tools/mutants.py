"""Check that the tests notice small mistakes in the decision code.

Each entry of tests/mutants/mutants.toml is one such mistake, a mutant: a piece of a source file,
what stands in its place, and the tests that must fail then. Every mutant gets a copy of src of its
own, so that the checkout is never touched. Ends with 1 if a mutant survives or cannot be run.

    python tools/mutants.py            all of them
    python tools/mutants.py breaker    those with "breaker" in name or file
    python tools/mutants.py --list     the names alone
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = ROOT / "tests/mutants/mutants.toml"
LONGEST_S = 300

Result = Literal["killed", "survived", "broken"]


@dataclass(frozen=True)
class Mutant:
    """One small mistake.

    Attributes:
        name: The mistake in words; unique.
        file: The source file, relative to the project's root.
        old: The text that is replaced; it occurs once in the file.
        new: The text that replaces it.
        tests: Test files or node ids of which at least one test must fail.
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


def load(catalogue: Path = CATALOGUE) -> list[Mutant]:
    """Read the catalogue.

    Args:
        catalogue: The TOML file.

    Returns:
        The mutants in its order.

    Raises:
        TypeError: An entry has a field too many or too few.
    """
    entries = tomllib.loads(catalogue.read_text("utf-8"))["mutant"]
    return [Mutant(**{**entry, "tests": tuple(entry["tests"])}) for entry in entries]


def mutate(source: str, mutant: Mutant) -> str:
    """Make the mistake.

    Args:
        source: The text of the file.
        mutant: The mistake.

    Returns:
        The text with the mistake in it.

    Raises:
        ValueError: The text to replace does not occur exactly once, so that nobody could say
            which place is meant.
    """
    found = source.count(mutant.old)
    if found != 1:
        raise ValueError(f"{mutant.name}: its old text occurs {found} times in {mutant.file}")
    return source.replace(mutant.old, mutant.new)


def places(mutant: Mutant, root: Path) -> dict[Path, str]:
    """Find the files to change.

    Code of the async client is mutated in its generated twin as well: a test that runs in one
    colour alone is to notice the mistake in that colour.

    Args:
        mutant: The mistake.
        root: The folder that holds src.

    Returns:
        The files and their new texts.
    """
    path = root / mutant.file
    changed = {path: mutate(path.read_text("utf-8"), mutant)}
    twin = Path(str(path).replace("/_async/", "/_sync/"))
    if twin != path and twin.is_file():
        text = twin.read_text("utf-8")
        blocking = replace(mutant, old=_without_await(mutant.old), new=_without_await(mutant.new))
        # Where an await is dropped, ruff may join lines: then the async client alone is mutated.
        if text.count(blocking.old) == 1:
            changed[twin] = mutate(text, blocking)
    return changed


def _without_await(code: str) -> str:
    return re.sub(r"\b(?:await|async) ", "", code)


class Copy:
    """A copy of src, in which one mutant at a time is tried."""

    def __init__(self, place: Path) -> None:
        self._place = place
        shutil.copytree(ROOT / "src", place / "src")

    def test(self, tests: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        """Run tests against the copy, up to the first that fails."""
        env = {
            **os.environ,
            "PYTHONPATH": str(self._place / "src"),
            # An example that fails for a mutant must not be replayed by the next ordinary run.
            "HYPOTHESIS_STORAGE_DIRECTORY": str(self._place / "hypothesis"),
        }
        options = ("-x", "-q", "-n", "0", "-p", "no:cacheprovider", "--hypothesis-seed=0")
        return subprocess.run(
            [sys.executable, "-m", "pytest", *options, *tests],
            cwd=ROOT, env=env, capture_output=True, text=True, timeout=LONGEST_S, check=False,
        )  # fmt: skip

    def holds_the_package(self) -> bool:
        """Tell if the tests import the package from here and not from the checkout."""
        run = subprocess.run(
            [sys.executable, "-c", "import evolution_sdk; print(evolution_sdk.__file__)"],
            env={**os.environ, "PYTHONPATH": str(self._place / "src")},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return Path(run.stdout.strip()).is_relative_to(self._place.resolve())

    def attempt(self, mutant: Mutant) -> tuple[Result, str]:
        """Make one mistake, run its tests, and mend it again.

        Args:
            mutant: The mistake.

        Returns:
            The result, and the last lines of pytest where they explain it.
        """
        changed = places(mutant, self._place)
        before = {path: path.read_text("utf-8") for path in changed}
        try:
            for path, text in changed.items():
                _write(path, text)
            done = self.test(mutant.tests)
        except subprocess.TimeoutExpired:
            return "broken", f"not done after {LONGEST_S} s"
        finally:
            for path, text in before.items():
                _write(path, text)
        lines = done.stdout.strip().splitlines() or done.stderr.strip().splitlines()
        if done.returncode == 1:
            return "killed", next((line for line in lines if line.startswith("FAILED")), "")
        if done.returncode == 0:
            return "survived", lines[-1] if lines else ""
        # No test ran: the mutant cannot be imported, or its tests are gone.
        return "broken", "\n".join(lines[-5:])


def _write(path: Path, text: str) -> None:
    # Two texts of one length in one second look alike to Python's bytecode cache.
    Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)
    path.write_text(text, "utf-8")


def run(mutants: list[Mutant], jobs: int) -> int:
    """Try mutants, several at once, and print what became of each.

    Args:
        mutants: The mutants.
        jobs: Most at once.

    Returns:
        The number of those that were not killed.
    """
    began = time.monotonic()
    results: dict[Result, list[str]] = {"killed": [], "survived": [], "broken": []}
    with tempfile.TemporaryDirectory(prefix="mutants-") as made:
        copies: queue.SimpleQueue[Copy] = queue.SimpleQueue()
        for number in range(jobs):
            copies.put(Copy(Path(made) / str(number)))
        first = copies.get()
        if not first.holds_the_package():
            raise SystemExit("The tests do not import the copy: another evolution_sdk comes first.")
        every = tuple(dict.fromkeys(test for mutant in mutants for test in mutant.tests))
        try:
            healthy = first.test(every)
        except subprocess.TimeoutExpired:
            raise SystemExit(
                f"The tests take more than {LONGEST_S} s without any mutant."
            ) from None
        if healthy.returncode:
            print(healthy.stdout[-3_000:])
            raise SystemExit("The tests fail without any mutant: mend them first.")
        copies.put(first)

        def attempt(mutant: Mutant) -> None:
            copy = copies.get()
            try:
                result, words = copy.attempt(mutant)
            finally:
                copies.put(copy)
            results[result].append(mutant.name)
            detail = "" if result == "killed" and not words else f"  [{words}]"
            print(f"{result:8}  {mutant.name}{detail}", flush=True)

        with ThreadPoolExecutor(jobs) as pool:
            for _ in pool.map(attempt, mutants):
                pass
    left = len(results["survived"]) + len(results["broken"])
    took = time.monotonic() - began
    print(f"\n{len(results['killed'])} of {len(mutants)} mutants killed in {took:.0f} s")
    for result in ("survived", "broken"):
        for name in results[result]:
            print(f"  {result}: {name}")
    return left


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Check that tests notice small mistakes.")
    parser.add_argument("wanted", nargs="*", help="parts of names or files; none for all mutants")
    parser.add_argument("--jobs", type=int, default=2, help="most at once (default: 2)")
    parser.add_argument("--list", action="store_true", help="print the names, run nothing")
    options = parser.parse_args()
    mutants = [
        mutant
        for mutant in load()
        if not options.wanted
        or any(word in mutant.name or word in mutant.file for word in options.wanted)
    ]
    if not mutants:
        print("No mutant has that in its name or file.", file=sys.stderr)
        return 1
    if options.list:
        for mutant in mutants:
            print(f"{mutant.file}: {mutant.name}")
        return 0
    return 1 if run(mutants, options.jobs) else 0


if __name__ == "__main__":
    sys.exit(main())
