"""Language of what commands print: English, or Brazilian Portuguese.

Both forms of a text stand side by side at its place, so that neither can be forgotten or drift.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Final, Literal, TypeAlias

__all__ = ["LANGUAGES", "Language", "current", "t", "take_language", "use"]

Language: TypeAlias = Literal["en", "pt"]

LANGUAGES: Final[tuple[Language, ...]] = ("en", "pt")
"""Languages of the commands."""

# In the order in which gettext looks at them.
_VARIABLES: Final = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
_OPTION: Final = "--lang"


class _Chosen:
    """The language of this process."""

    value: Language = "en"


def t(en: str, pt: str) -> str:
    """Return a text in the chosen language.

    Args:
        en: In English.
        pt: In Brazilian Portuguese.
    """
    return pt if _Chosen.value == "pt" else en


def current() -> Language:
    """Return the chosen language."""
    return _Chosen.value


def use(language: Language) -> None:
    """Choose the language.

    Args:
        language: The language.
    """
    _Chosen.value = language


def take_language(
    arguments: Sequence[str], environ: Mapping[str, str] | None = None
) -> tuple[str, list[str]]:
    """Take ``--lang`` out of the arguments, before or after the command's name.

    It is taken before the options are parsed, because their help is in that language, too.

    Args:
        arguments: The arguments of the program.
        environ: The environment, which decides without the option. Default: that of the process.

    Returns:
        The language, or the words after ``--lang`` that name none; and the other arguments.
    """
    left: list[str] = []
    named: str | None = None
    given = iter(arguments)
    for each in given:
        if each == "--":
            left += [each, *given]
        elif each == _OPTION:
            named = next(given, "")
        elif each.startswith(f"{_OPTION}="):
            named = each.partition("=")[2]
        else:
            left.append(each)
    if named is not None:
        short = _short(named)
        return (short if short in LANGUAGES else named), left
    environ = os.environ if environ is None else environ
    for variable in _VARIABLES:
        if value := environ.get(variable):
            # LANGUAGE may hold several, the most wanted first.
            return ("pt" if _short(value.partition(":")[0]) == "pt" else "en"), left
    return "en", left


def _short(name: str) -> str:
    return name.lower().replace("-", "_").partition(".")[0].partition("_")[0]
