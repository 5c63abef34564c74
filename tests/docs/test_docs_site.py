"""What is put beside the built site: Markdown without hidden steps, llms.txt, the same style."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from docs_pages import ROOT

sys.path.insert(0, str(ROOT / "tools"))

import docs_versions
import llms_txt
from page_words import words_of


def test_hidden_steps_and_front_matter_are_left_out() -> None:
    page = '---\nfollows: 00\n---\n\n# Send\n\n<!-- check: fake.assert_sent("x") -->\n\nText.\n'
    assert llms_txt.readable(page) == "# Send\n\nText.\n"


def test_every_page_of_a_language_is_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(llms_txt, "SITE", tmp_path)
    count = llms_txt.write("en")
    listed = (tmp_path / "llms.txt").read_text("utf-8").splitlines()
    assert sum(line.startswith("- [") for line in listed) == count
    assert f"- [Send]({llms_txt.URL}send.md)" in listed
    assert "<!-- check" not in (tmp_path / "llms-full.txt").read_text("utf-8")
    assert (tmp_path / "reference" / "operations.md").is_file()


@pytest.mark.parametrize("asset", ["site.css", "site.js"])
def test_both_sites_are_alike(asset: str) -> None:
    found = [(ROOT / "docs" / each / "assets" / asset).read_bytes() for each in ("en", "pt")]
    assert found[0] == found[1]


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A site as `make docs` builds it, in the little."""
    site = tmp_path / "site"
    for folder in (site, site / "pt"):
        folder.mkdir()
        (folder / "index.html").write_text(folder.name, "utf-8")
        (folder / "llms.txt").write_text("# pages\n", "utf-8")
    return site


def listed(path: Path) -> list[tuple[str, str, list[str]]]:
    """What the theme's selector shows: a way, a title, further names of the way."""
    told = json.loads((path / "versions.json").read_text("utf-8"))
    return [(row["version"], row["title"], row["aliases"]) for row in told]


def test_versions_stand_side_by_side_and_latest_is_the_newest_release(
    built: Path, tmp_path: Path
) -> None:
    there = tmp_path / "published"
    docs_versions.publish(built, there, "dev")
    assert listed(there) == [("dev", "dev", ["latest"])], "the only one there is"
    for turn, version in enumerate(("0.10", "0.2", "dev", "0.2")):
        (built / "index.html").write_text(f"{version}, turn {turn}", "utf-8")
        docs_versions.publish(built, there, version)
    assert listed(there) == [("dev", "dev", []), ("0.10", "0.10", ["latest"]), ("0.2", "0.2", [])]
    shown = {name: (there / name / "index.html").read_text("utf-8") for name in ("latest", "0.2")}
    assert shown == {"latest": "0.10, turn 0", "0.2": "0.2, turn 3"}
    assert 'content="0; url=latest/"' in (there / "index.html").read_text("utf-8")
    assert (there / "llms.txt").is_file()


@pytest.mark.parametrize("folder", ["latest", "0.2", "dev"])
def test_each_way_of_the_selector_leads_to_a_page(built: Path, tmp_path: Path, folder: str) -> None:
    """The theme looks for ../versions.json, and for ../<version>/ from where it stands."""
    there = tmp_path / "published"
    for version in ("dev", "0.2"):
        docs_versions.publish(built, there, version)
    for base in (there / folder, there / folder / "pt"):
        ways = listed(base.parent)
        assert [title for _, title, _ in ways] == ["dev", "0.2"]
        for way, title, _ in ways:
            page = (base.parent / way / "index.html").resolve()
            assert page.is_file()
            assert page.relative_to(there.resolve()).parts[0] == title
        now = {way for way, _, more in ways if base.name in (way, *more)}
        assert len(now) == 1, "the version of this page is the one shown as chosen"


@pytest.mark.parametrize("version", ["latest", "v0.2", "../0.2", ""])
def test_only_versions_become_folders(built: Path, tmp_path: Path, version: str) -> None:
    with pytest.raises(SystemExit, match="neither 'dev' nor a version"):
        docs_versions.publish(built, tmp_path / "published", version)


def test_a_site_that_was_not_built_is_not_published(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="make docs"):
        docs_versions.publish(tmp_path, tmp_path / "published", "0.2")


def test_a_table_without_portuguese_words_says_where_they_are_missing() -> None:
    assert words_of("en")("a sentence of tomorrow") == "a sentence of tomorrow"
    with pytest.raises(SystemExit, match=r"page_words\.json has no Portuguese for"):
        words_of("pt")("a sentence of tomorrow")
