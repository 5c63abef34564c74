"""What is put beside the built site: Markdown without hidden steps, llms.txt, the same style."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from docs_pages import ROOT

sys.path.insert(0, str(ROOT / "tools"))

import llms_txt


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


def test_both_sites_look_alike() -> None:
    styles = [(ROOT / "docs" / each / "assets" / "site.css").read_bytes() for each in ("en", "pt")]
    assert styles[0] == styles[1]
