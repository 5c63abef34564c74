"""Put the Markdown of each page beside the built site, and llms.txt that lists the pages.

Run by ``make docs`` after Zensical: a page's folder gets its Markdown beside it, and each language
its ``llms.txt`` and ``llms-full.txt``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
SITE: Final = ROOT / "site"
URL: Final = "https://evolution-sdk.github.io/evolution-sdk/latest/"
ABOUT: Final = {
    "en": "Typed Python SDK for the Evolution API, the open-source WhatsApp server.",
    "pt": "SDK Python tipado para a Evolution API, o servidor de WhatsApp de código aberto.",
}
FOLDER: Final = {"en": "", "pt": "pt/"}

_FRONT_MATTER: Final = re.compile(r"\A---\n.*?\n---\n+", re.DOTALL)
_HIDDEN: Final = re.compile(r"<!-- (?:setup|check): .*? -->\n*", re.DOTALL)
_BUTTON: Final = re.compile(r"\{ \.md-button.*?\}")


def readable(text: str) -> str:
    """A page without what only tests and the site need.

    Args:
        text: The page's source.
    """
    return _BUTTON.sub("", _HIDDEN.sub("", _FRONT_MATTER.sub("", text)))


def title(text: str) -> str:
    """The first heading of a page.

    Args:
        text: The page.
    """
    match = re.search(r"^# (.+)$", text, re.MULTILINE)
    return match[1] if match else ""


def write(language: str) -> int:
    """Write the Markdown and the lists of one language; return the number of pages.

    Args:
        language: ``en`` or ``pt``.
    """
    source, there = ROOT / "docs" / language, SITE / FOLDER[language]
    pages = {
        page.relative_to(source).as_posix(): readable(page.read_text("utf-8"))
        for page in sorted(source.rglob("*.md"))
    }
    head = f"# evolution-sdk\n\n> {ABOUT[language]}\n"
    lines = [
        f"- [{title(text)}]({URL}{FOLDER[language]}{name})" for name, text in sorted(pages.items())
    ]
    for name, text in pages.items():
        (there / name).parent.mkdir(parents=True, exist_ok=True)
        (there / name).write_text(text, "utf-8")
    (there / "llms.txt").write_text(head + "\n" + "\n".join(lines) + "\n", "utf-8")
    (there / "llms-full.txt").write_text("\n\n".join([head, *pages.values()]), "utf-8")
    return len(pages)


def main() -> None:
    """Write both languages."""
    for language in FOLDER:
        print(f"{write(language)} pages of {language} as Markdown, with llms.txt")


if __name__ == "__main__":
    main()
