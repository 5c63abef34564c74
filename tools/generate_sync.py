"""Generate src/evolution_sdk/_sync from _async; with --check, tell whether it is up to date.

Token by token with the library `unasync`, so that no string or comment is touched by accident;
then documentation is reworded, unused imports go and the result is formatted with ruff. --check
compares whole files, finds files in _sync that have no source, and rules that are never used.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import unasync

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src/evolution_sdk/_async"
TARGET = ROOT / "src/evolution_sdk/_sync"
BY_HAND = {"_seam.py"}
HEADER = "# Generated from {source} by tools/generate_sync.py. Edit that file instead.\n"

NAMES = {
    "_async": "_sync",
    "run_async": "run_sync",
    "AsyncIterator": "Iterator",
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
}
DOCS = (
    (r"\bawait (?=[a-z_]+[.(])", ""),
    (r"\basync with\b", "with"),
    (r"\basync for\b", "for"),
    (r"\bAsync(?=[A-Z]\w+)", ""),
    (r"many tasks\b", "many threads"),
    (r"``httpx`` or ``aiohttp``\.", "``httpx`` (``aiohttp`` is async only)."),
)


def class_names() -> dict[str, str]:
    """Every class of ours that begins with Async, and what it is called without."""
    names: dict[str, str] = {}
    for path in SOURCE.rglob("*.py"):
        for name in re.findall(r"^class (Async\w+)", path.read_text("utf-8"), re.MULTILINE):
            names[name] = name.removeprefix("Async")
    return names


def sources() -> list[Path]:
    """The files to convert."""
    return sorted(p for p in SOURCE.rglob("*.py") if p.name not in BY_HAND)


def generate(destination: Path) -> None:
    """Write the whole tree to a folder and format it."""
    rule = unasync.Rule(
        fromdir=f"{SOURCE}/",
        todir=f"{destination}/",
        additional_replacements={**NAMES, **class_names()},
    )
    unasync.unasync_files([str(path) for path in sources()], [rule])
    for path in sources():
        made = destination / path.relative_to(SOURCE)
        text = made.read_text("utf-8")
        for pattern, replacement in DOCS:
            text = re.sub(pattern, replacement, text)
        made.write_text(HEADER.format(source=path.relative_to(ROOT)) + text, "utf-8")
    ruff = [sys.executable, "-m", "ruff"]
    quiet = {"check": True, "stdout": subprocess.DEVNULL}
    config = ["--config", str(ROOT / "pyproject.toml")]
    subprocess.run(
        [*ruff, "check", "--fix", "--select", "I,F401,RUF100", *config, str(destination)], **quiet
    )
    subprocess.run([*ruff, "format", *config, str(destination)], **quiet)


def unused_names() -> list[str]:
    """Rules that no source needs any more."""
    everything = "\n".join(path.read_text("utf-8") for path in sources())
    return [name for name in NAMES if not re.search(rf"\b{name}\b", everything)]


def differences(made: Path) -> list[str]:
    """Whatever of the committed tree is not what would be generated."""
    found: list[str] = []
    expected = {path.relative_to(made) for path in made.rglob("*.py")}
    present = {p.relative_to(TARGET) for p in TARGET.rglob("*.py") if p.name not in BY_HAND}
    found += [f"missing: {path}" for path in sorted(expected - present)]
    found += [f"has no source: {path}" for path in sorted(present - expected)]
    found += [
        f"differs: {path}"
        for path in sorted(expected & present)
        if (made / path).read_bytes() != (TARGET / path).read_bytes()
    ]
    return found


def main() -> int:
    """Generate, or check."""
    with tempfile.TemporaryDirectory() as folder:
        # Under the same package path, so that ruff sorts its imports as it does in place.
        made = Path(folder) / "src/evolution_sdk/_sync"
        made.mkdir(parents=True)
        generate(made)
        problems = [f"rule never used: {name}" for name in unused_names()]
        if "--check" in sys.argv[1:]:
            problems += differences(made)
            print("\n".join(problems) or "_sync is up to date")
            return 1 if problems else 0
        for path in TARGET.rglob("*.py"):
            if path.name not in BY_HAND:
                path.unlink()
        for path in made.rglob("*.py"):
            place = TARGET / path.relative_to(made)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
    print("\n".join(problems) or f"{len(sources())} files generated")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
