"""Files that are there already, where a command was to write them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from evolution_sdk._cli.language import t
from evolution_sdk._cli.output import print_json, print_text

__all__ = ["existing", "tell_existing"]


def existing(folder: Path, names: Iterable[str]) -> list[str]:
    """Return the names of those files that are there.

    Args:
        folder: The folder.
        names: Names of the files.
    """
    return [name for name in names if (folder / name).exists()]


def tell_existing(there: list[str], en: str, pt: str, *, as_json: bool) -> None:
    """Tell that nothing was written, because files are there.

    Args:
        there: Their names.
        en: The end of the sentence, in English.
        pt: The same in Portuguese.
        as_json: Whether to tell it as JSON.
    """
    if as_json:
        print_json({"written": [], "there": there})
    else:
        names = ", ".join(there)
        print_text(t(f"{names}: there already{en}", f"{names}: já existe{pt}"))
