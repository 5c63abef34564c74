"""Print requirements with the lowest versions that pyproject.toml allows, and tools to test them.

Every dependency of the package and of its extras is pinned to its lower bound; what the tests need
besides (the groups ``test`` and ``browser``) comes in its newest version that fits. With --check,
tell whether exactly these are installed.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"
TESTS = ("test", "browser")


def declared() -> tuple[list[Requirement], list[Requirement]]:
    """The requirements of package and extras, and those of the tests."""
    file = tomllib.loads(PROJECT.read_text("utf-8"))
    name: str = file["project"]["name"]
    extras: dict[str, list[str]] = file["project"]["optional-dependencies"]
    own = [*file["project"]["dependencies"], *(one for each in extras.values() for one in each)]
    # An extra may include another one, by the name of the package itself.
    mine = [each for each in map(Requirement, own) if each.name != name]
    return mine, [Requirement(one) for group in TESTS for one in file["dependency-groups"][group]]


def lowest(requirement: Requirement) -> Version:
    """The lower bound of a requirement.

    Raises:
        ValueError: It has none.
    """
    found = [each.version for each in requirement.specifier if each.operator in (">=", "==")]
    if len(found) != 1:
        raise ValueError(f"{requirement} needs one lower bound, such as {requirement.name}>=1")
    return Version(found[0])


def lines() -> Iterator[str]:
    """The lines of a requirements file."""
    own, tools = declared()
    for each in own:
        yield f"{named(each)}=={lowest(each)}"
    # Without their lower bounds, which hold for the newest of what is pinned above.
    yield from map(named, tools)


def named(requirement: Requirement) -> str:
    """A requirement without its versions."""
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    return requirement.name + extras


def main() -> int:
    """Print, or check."""
    if "--check" not in sys.argv[1:]:
        print("\n".join(dict.fromkeys(lines())))
        return 0
    wrong = [
        f"{each.name} is {version(each.name)}, not {lowest(each)}"
        for each in declared()[0]
        if Version(version(each.name)) != lowest(each)
    ]
    print("\n".join(wrong) or "the lowest versions are installed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
