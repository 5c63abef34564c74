"""Reading the pages: code blocks, hidden steps, links, headings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs" / "en").rglob("*.md"))]

# Links from a page to a file beside the pages go to the repository: the site holds pages only.
_REPOSITORY = re.compile(
    r"https://github\.com/evolution-sdk/evolution-sdk/(?:blob|tree)/main/([^#]+)"
)

_STEP = re.compile(
    r"^```(?P<language>\w*)\n(?P<code>.*?)^```$|<!-- (?P<hidden>setup|check): (?P<line>.*?) -->",
    re.DOTALL | re.MULTILINE,
)
_FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Step:
    """A code block, or a hidden ``<!-- setup: … -->`` or ``<!-- check: … -->`` line of a page."""

    kind: str
    code: str
    line: int


def steps(page: Path) -> list[Step]:
    """Everything of a page that can be run, in order."""
    text = page.read_text(encoding="utf-8")
    found: list[Step] = []
    for match in _STEP.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        if match["hidden"]:
            found.append(Step(match["hidden"], match["line"], line))
        else:
            found.append(Step(match["language"], match["code"], line + 1))
    return found


def links(page: Path) -> list[str]:
    """Targets of the links outside code."""
    return _LINK.findall(_FENCED.sub("", page.read_text(encoding="utf-8")))


def in_repository(link: str) -> Path | None:
    """The file of this repository that an absolute link means, if it means one."""
    match = _REPOSITORY.match(link)
    return ROOT / match[1] if match else None


def anchors(page: Path) -> set[str]:
    """The anchors that a Markdown viewer makes of the headings."""
    text = _FENCED.sub("", page.read_text(encoding="utf-8"))
    kept = (re.sub(r"[^\w\- ]", "", title.lower()) for title in _HEADING.findall(text))
    return {title.strip().replace(" ", "-") for title in kept}


def name(page: Path) -> str:
    """The page's path, for test ids."""
    return str(page.relative_to(ROOT))


def dead_links(page: Path) -> list[str]:
    """Links of a page whose file or heading is not there; addresses of others count as alive."""
    return [link for link in links(page) if not _resolves(page, link)]


def _resolves(page: Path, link: str) -> bool:
    ours = in_repository(link)
    if ours is None and link.startswith(("https://", "http://")):
        return True
    target, _, anchor = link.partition("#")
    there = ours or ((page.parent / target).resolve() if target else page)
    return there.exists() and (not anchor or anchor in anchors(there))
