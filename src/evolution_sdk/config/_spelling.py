"""Guess the setting that a misspelt variable was meant to be, without I/O."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable

__all__ = ["meant", "misspelt"]

_PREFIX = "EVOLUTION_"
_TYPO = 0.92
_ALIKE = 0.8


def misspelt(names: Iterable[str], known: Collection[str]) -> dict[str, str]:
    """Find the variables that look like a setting but are none.

    Args:
        names: The variables that are set.
        known: All settings.

    Returns:
        Name of the setting that each variable resembles, by name of the variable.
    """
    strange = (name for name in names if name[:2].upper() == "EV" and name not in known)
    return {name: setting for name in strange if (setting := meant(name, known))}


def meant(name: str, known: Collection[str]) -> str | None:
    """Find the setting that a name resembles most.

    Args:
        name: A variable that is not a setting.
        known: All settings.

    Returns:
        The setting, or None if it resembles none, as the server's own variables do.
    """
    upper = name.upper()
    first, _, rest = upper.partition("_")
    ours = first == _PREFIX[:-1]
    # Likely slips first: lower case, another prefix, a switch without its ending.
    exact = (upper, f"{_PREFIX}{rest}", f"{upper}_ENABLED" if ours else "")
    for guess in exact:
        if guess in known:
            return guess
    # A name without our prefix must be very close: the server's own variables look alike.
    return _closest(upper, known, _TYPO) or (
        (_by_words(upper, known) or _closest(upper, known, _ALIKE)) if ours else None
    )


def _closest(name: str, known: Iterable[str], cutoff: float) -> str | None:
    found = difflib.get_close_matches(name, known, n=1, cutoff=cutoff)
    return found[0] if found else None


def _by_words(name: str, known: Iterable[str]) -> str | None:
    """Find the setting whose words include the name's, or the reverse, with the fewest others."""
    words = set(name.split("_"))
    extra: dict[str, int] = {}
    for setting in known:
        theirs = set(setting.split("_"))
        if setting.startswith(_PREFIX) and (words < theirs or (theirs < words and len(theirs) > 1)):
            extra[setting] = len(words ^ theirs)
    fewest = min(extra.values(), default=0)
    nearest = [setting for setting, count in extra.items() if count == fewest <= _MOST_EXTRA]
    return _closest(name, nearest, 0.0)


_MOST_EXTRA = 2
