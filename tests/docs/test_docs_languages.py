"""Both languages have the same pages, each Portuguese one follows the English one of today.

Blocks of code are shared: the Portuguese page repeats those of the English one, which run.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import docs_pages
import pytest
from docs_pages import ROOT

sys.path.insert(0, str(ROOT / "tools"))

import docs_languages
from docs_languages import EN, PT, digest, follows, names

SITE = "https://evolution-sdk.github.io/"
TRANSLATED = sorted(names(EN) & names(PT))
CONFIGURATION = {"en": "mkdocs.yml", "pt": "mkdocs.pt.yml"}


def test_each_page_is_in_both_languages() -> None:
    assert names(EN) == names(PT)


@pytest.mark.parametrize("name", TRANSLATED)
def test_a_portuguese_page_follows_the_english_one_of_today(name: str) -> None:
    remedy = f"read what changed, then: python tools/docs_languages.py --write {name}"
    assert follows(PT / name) == digest(EN / name), remedy


@pytest.mark.parametrize("name", TRANSLATED)
def test_blocks_are_the_same_in_both_languages(name: str) -> None:
    """So those of the English page, which run, speak for both."""
    shown = [
        [
            (step.kind, step.code)
            for step in docs_pages.steps(tree / name)
            if step.kind not in ("setup", "check")
        ]
        for tree in (EN, PT)
    ]
    assert shown[0] == shown[1]


@pytest.mark.parametrize("name", TRANSLATED)
def test_portuguese_links_resolve(name: str) -> None:
    assert docs_pages.dead_links(PT / name) == []


@pytest.mark.parametrize("name", TRANSLATED)
def test_pages_are_linked_in_their_own_language(name: str) -> None:
    for tree in (EN, PT):
        assert [one for one in docs_pages.links(tree / name) if one.startswith(SITE)] == []


def test_the_portuguese_table_of_errors_has_every_class() -> None:
    tables = [
        re.findall(r"^\| `(\w+Error)` \|", (tree / "errors.md").read_text("utf-8"), re.MULTILINE)
        for tree in (EN, PT)
    ]
    assert tables[0] == tables[1]


@pytest.mark.parametrize("language", CONFIGURATION)
def test_every_page_is_in_the_navigation(language: str) -> None:
    text = (ROOT / CONFIGURATION[language]).read_text("utf-8")
    listed = re.findall(r"^ *- .*?([\w/-]+\.md)$", text[text.index("\nnav:") :], re.MULTILINE)
    assert sorted(listed) == sorted(names(ROOT / "docs" / language))


@pytest.mark.parametrize("language", CONFIGURATION)
def test_a_recipe_is_listed_under_its_title(language: str) -> None:
    text = (ROOT / CONFIGURATION[language]).read_text("utf-8")
    for title, name in re.findall(r'^ *- "(.+?)": (cookbook/\w+\.md)$', text, re.MULTILINE):
        page = (ROOT / "docs" / language / name).read_text("utf-8")
        assert f"\n# {title}\n" in f"\n{page}"


def test_the_tool_settles_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for language in ("en", "pt"):
        (tmp_path / language).mkdir()
        (tmp_path / language / "a.md").write_text(f"# {language}\n", "utf-8")
    monkeypatch.setattr(docs_languages, "EN", tmp_path / "en")
    monkeypatch.setattr(docs_languages, "PT", tmp_path / "pt")
    assert docs_languages.main([]) == 1
    assert docs_languages.main(["--write", "a.md"]) == 0
    assert docs_languages.main([]) == 0
    page = tmp_path / "pt" / "a.md"
    page.write_text(f"---\nfollows: 0\n---\n\n{page.read_text('utf-8')}", "utf-8")
    assert docs_languages.main(["--write", "a.md"]) == 0
    assert page.read_text("utf-8").count("follows:") == 1, "what a hand put there is replaced"
    (tmp_path / "en" / "a.md").write_text("# changed\n", "utf-8")
    assert len(docs_languages.troubles()) == 1
