"""Every file, section and line of evidence that a comment or a page cites is in the repository."""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from facts import FACTS, ROOT, routes

FOLDERS = ("src", "docs", "tests", "benchmarks", "tools", "examples")
# Copied material, such as the scoring script, cites nothing of ours.
NO_PROSE = (ROOT / "tests" / "data",)

# The negative look-ahead leaves out calls in the server's language: ``res.json(error)``.
NAMED = re.compile(r"(?<![\w./*{-])(?P<path>[\w*][\w./*<>-]*\.(?:md|json))\b(?![(\w])`{0,2}")
MARK = re.compile(
    r"[ ,(]*(?:and )?"
    r'(?:§(?P<section>\d+)|"(?P<words>[^"]+)"(?P<items>(?:,? \d+\b)?(?: and \d+\b)?))'
)
KEY = re.compile(r", (?P<key>[a-zA-Z0-9]+\.\w+)\b")


class Citation(NamedTuple):
    """One named file, and the marks that stand right behind it."""

    where: str
    path: str
    rest: str

    def marks(self) -> Iterator[re.Match[str]]:
        at = 0
        while found := MARK.match(self.rest, at):
            yield found
            at = found.end()


def comments_and_docstrings(source: str) -> Iterator[tuple[int, str]]:
    """Yield each docstring, and each run of comment lines as one text, with its line."""
    for node in ast.walk(ast.parse(source)):
        # Any bare string counts: the text below an attribute is its docstring.
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield node.lineno, text
    run: list[str] = []
    begun = last = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        line = token.start[0]
        if run and line != last + 1:
            yield begun, " ".join(run)
            run = []
        begun = begun if run else line
        run.append(token.string.lstrip("# "))
        last = line
    if run:
        yield begun, " ".join(run)


def cited_in(text: str, where: str) -> Iterator[Citation]:
    flat = re.sub(r"\s+", " ", text)
    for found in NAMED.finditer(flat):
        yield Citation(where, found["path"], flat[found.end() :][:200])


def of_python() -> Iterator[Citation]:
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if any(path.is_relative_to(place) for place in NO_PROSE):
                continue
            name = path.relative_to(ROOT)
            for line, text in comments_and_docstrings(path.read_text("utf-8")):
                yield from cited_in(text, f"{name}:{line}")


CITED = list(of_python())
OF_FACTS = [one for one in CITED if one.path.startswith("facts/")]


@cache
def headings(path: Path) -> dict[str, str]:
    """Return the text below each heading of a page, by heading."""
    found: dict[str, str] = {}
    for part in re.split(r"^(?=#+ )", path.read_text("utf-8"), flags=re.MULTILINE):
        title, _, body = part.partition("\n")
        found[title.lstrip("# ")] = body
    return found


@cache
def flat_text(path: Path) -> str:
    """Return a file's text on one line, without the marks of bold and code."""
    return re.sub(r"\s+", " ", re.sub(r"[`*]", "", path.read_text("utf-8")))


def leads_somewhere(data: Any, dotted: str) -> bool:
    for name in dotted.split("."):
        if not isinstance(data, dict) or name not in data:
            return False
        data = data[name]
    return True


def wrong_marks(one: Citation) -> Iterator[str]:
    """Name each section, quotation, list item and route that the cited file does not have."""
    file = ROOT / one.path
    pages = headings(file) if file.suffix == ".md" else {}
    for mark in one.marks():
        number, words = mark["section"], mark["words"]
        if number is not None:
            if not any(title.startswith(f"{number}. ") for title in pages):
                yield f"§{number}"
            continue
        title = next((title for title in pages if re.match(rf"{re.escape(words)}\b", title)), None)
        in_text = words in flat_text(file) or (
            file.suffix == ".json" and leads_somewhere(json.loads(file.read_text("utf-8")), words)
        )
        if title is None and not in_text:
            yield f'"{words}"'
        for item in re.findall(r"\d+", mark["items"]):
            if title is None or not re.search(rf"^{item}\. ", pages[title], re.MULTILINE):
                yield f'"{words}" {item}'
    key = KEY.match(one.rest)
    if one.path == "facts/endpoints.json" and key and key["key"] not in routes():
        yield key["key"]


def test_the_facts_are_cited() -> None:
    assert len(OF_FACTS) >= 80
    assert sum(1 for one in OF_FACTS for _ in one.marks()) >= 60
    assert {"semantics.md", "observed.md", "endpoints.json", "events.json"} <= {
        one.path.removeprefix("facts/") for one in OF_FACTS
    }


def test_every_cited_file_is_in_the_repository() -> None:
    missing = [f"{one.where}: {one.path}" for one in CITED if not any(ROOT.glob(one.path))]
    assert missing == []


def test_every_cited_section_and_quotation_is_in_its_file() -> None:
    wrong = [
        f"{one.where}: {one.path} {mark}"
        for one in OF_FACTS
        if "*" not in one.path
        for mark in wrong_marks(one)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("`facts/semantics.md` §2 and §7", []),
        ("`facts/semantics.md` §6 and §99", ["§99"]),
        ('`facts/semantics.md` §6 "Types seen in\n    messageType"', []),
        ('`facts/observed.md` "Errors" 1 and 2', []),
        ('`facts/observed.md` "Errors" 1 and 77', ['"Errors" 77']),
        ('`facts/observed.md` "No such heading" 1', ['"No such heading"', '"No such heading" 1']),
        ('`facts/events.json` "webhook_delivery.jwt"', []),
        ('`facts/events.json` "webhook_delivery.none"', ['"webhook_delivery.none"']),
        ("`facts/endpoints.json`, message.send_text).", []),
        ("`facts/endpoints.json`, message.send_nothing).", ["message.send_nothing"]),
    ],
)
def test_a_wrong_mark_is_found(text: str, wrong: list[str]) -> None:
    (one,) = cited_in(text, "here")
    assert list(wrong_marks(one)) == wrong


def test_calls_and_code_are_no_citations() -> None:
    assert not list(cited_in("``res.json(error)`` and arguments.jsonify", "here"))
    source = 'x = read("no/such.json")\n"""See `a.md`."""\n# and `b.json`,\n# then `c.md`\n'
    found = [one.path for _, text in comments_and_docstrings(source) for one in cited_in(text, "")]
    assert found == ["a.md", "b.json", "c.md"]


def pages() -> list[Path]:
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")), FACTS / "README.md"]


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_files_named_on_a_page_exist(page: Path) -> None:
    """Links go from the page, paths in backticks from it or from the repository's root."""
    text = re.sub(r"^ *```.*?^ *```", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    linked = re.findall(r"\]\((?!https?:|#)([^)#\s]+\.(?:md|json))", text)
    assert [name for name in linked if not (page.parent / name).exists()] == []
    named = re.findall(r"`([\w./*<>-]+\.(?:md|json))`", text)
    # A placeholder stands for one name: ``versions/<version>``.
    patterns = [re.sub(r"<\w+>", "*", name) for name in named]
    missing = [
        name for name in patterns if not any(any(place.glob(name)) for place in (ROOT, page.parent))
    ]
    assert missing == []


def test_every_fact_is_listed_in_the_readme() -> None:
    text = (FACTS / "README.md").read_text("utf-8")
    named = [re.sub(r"<\w+>", "*", name) for name in re.findall(r"`([\w./*<>-]+\.\w+)`", text)]
    listed = {path for name in named for path in FACTS.glob(name)}
    assert {path for path in FACTS.rglob("*") if path.is_file()} - listed == {FACTS / "README.md"}
