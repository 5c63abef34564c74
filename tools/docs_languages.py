"""Tell which Portuguese pages are missing or follow an older English one; --write says they follow.

Each page of ``docs/pt`` names the English text it was written from, in its front matter:
``follows: <first 16 hex digits of the SHA-256>``. ``--write PAGE…`` puts the present one there:
call it once you have read what changed.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

DOCS: Final = Path(__file__).resolve().parent.parent / "docs"
EN: Final = DOCS / "en"
PT: Final = DOCS / "pt"

_FOLLOWS: Final = re.compile(r"\A---\nfollows: ([0-9a-f]{16})\n---\n")
# What a hand may have put there before the first --write, and each that came on top of another.
_FRONT_MATTER: Final = re.compile(r"\A(?:---\nfollows: \w*\n---\n+)+")


def digest_of(text: bytes) -> str:
    """The first 16 hex digits of a text's SHA-256.

    Args:
        text: In UTF-8.
    """
    return sha256(text).hexdigest()[:16]


def digest(page: Path) -> str:
    """The digest of a page.

    Args:
        page: Path of the page.
    """
    return digest_of(page.read_bytes())


def follows(page: Path) -> str | None:
    """The digest that a Portuguese page names, or None.

    Args:
        page: Path of the page.
    """
    match = _FOLLOWS.match(page.read_text("utf-8"))
    return match[1] if match else None


def names(folder: Path) -> set[str]:
    """Pages of a language, as paths within its folder.

    Args:
        folder: ``docs/en`` or ``docs/pt``.
    """
    return {page.relative_to(folder).as_posix() for page in folder.rglob("*.md")}


def troubles() -> list[str]:
    """What is wrong, one line each."""
    found = [f"docs/pt/{name} is missing" for name in sorted(names(EN) - names(PT))]
    found += [f"docs/pt/{name} has no English page" for name in sorted(names(PT) - names(EN))]
    found += [
        f"docs/pt/{name} follows an older docs/en/{name}: read what changed, then --write {name}"
        for name in sorted(names(EN) & names(PT))
        if follows(PT / name) != digest(EN / name)
    ]
    return found


def settle(name: str) -> None:
    """Write into a Portuguese page that it follows the present English one.

    Args:
        name: The page within its folder.
    """
    page = PT / name
    text = _FRONT_MATTER.sub("", page.read_text("utf-8")).lstrip("\n")
    page.write_text(f"---\nfollows: {digest(EN / name)}\n---\n\n{text}", "utf-8")


def main(arguments: Sequence[str]) -> int:
    """Check, or with ``--write`` settle the pages that are named; return the exit code.

    Args:
        arguments: Those of the command line.
    """
    if arguments[:1] == ["--write"]:
        for name in arguments[1:]:
            settle(name)
        return 0
    found = troubles()
    print("\n".join(found) or "both languages are level")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
