"""Write the tables of docs/en/servers.md, and of its twin, from the profiles; or --check them."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from page_words import Words
from pages import between_marks, settle_each

from evolution_sdk import OPERATIONS
from evolution_sdk.operations.methods import method_of
from evolution_sdk.operations.server_version import (
    BEHAVIOURS,
    EVENTS_SINCE,
    SUPPORTED,
    ServerProfile,
    profile_of,
)

NAME = "servers.md"


def profiles() -> list[ServerProfile]:
    """The profiles of the supported versions."""
    return [profile for version in SUPPORTED if (profile := profile_of(version)) is not None]


def _head(first: str) -> Iterator[str]:
    yield f"| {first} | {' | '.join(SUPPORTED)} |"
    yield "|---" * (len(SUPPORTED) + 1) + "|"


def _marks(has: list[bool], words: Words) -> str:
    return " | ".join(words("yes" if one else "no") for one in has)


def _families() -> Iterator[tuple[str, list[bool]]]:
    """Methods that some version lacks; a family that is missing as a whole is one line."""
    rows: dict[str, list[bool]] = {}
    for operation in OPERATIONS.values():
        has = [profile.lacks(operation) is None for profile in profiles()]
        if not all(has):
            rows[method_of(operation)] = has
    whole = {
        family
        for family in {name.partition(".")[0] for name in rows}
        if all(
            method_of(one) in rows
            for one in OPERATIONS.values()
            if method_of(one).startswith(f"{family}.")
        )
    }
    told = set[str]()
    for name, has in rows.items():
        family = name.partition(".")[0]
        if family not in whole:
            yield f"`{name}`", has
        elif family not in told:
            told.add(family)
            yield f"`{family}.*`", has


def routes(words: Words) -> list[str]:
    """The methods that not every version has."""
    rows = sorted(_families(), key=lambda row: ([not one for one in row[1]], row[0]))
    return [*_head(words("method")), *(f"| {name} | {_marks(has, words)} |" for name, has in rows)]


def events(words: Words) -> list[str]:
    """The events that not every version can be asked for."""
    rows = [
        f"| `{event}` | {_marks([profile.at_least(since) for profile in profiles()], words)} |"
        for event, since in EVENTS_SINCE.items()
    ]
    return [*_head(words("event")), *rows]


def behaviours(words: Words) -> list[str]:
    """What changed, in the order of the versions."""
    lines = [f"| {words('since')} | {words('now')} | {words('before')} |", "|---|---|---|"]
    ordered = sorted(BEHAVIOURS.values(), key=lambda change: [*map(int, change.since.split("."))])
    lines += [
        f"| {change.since} | {words(change.now)} | {words(change.before)} |" for change in ordered
    ]
    return lines


def page(text: str, words: Words) -> str:
    """Put the tables between their marks."""
    for name, table in (("routes", routes), ("events", events), ("behaviours", behaviours)):
        text = between_marks(text, name, table(words), NAME)
    return text


def main() -> int:
    """Write, or check."""
    return settle_each(NAME, page, f"{len(BEHAVIOURS)} behaviours")


if __name__ == "__main__":
    sys.exit(main())
