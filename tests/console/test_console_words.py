"""Both tables of words have the same keys, all are used, and none is missing."""

from __future__ import annotations

import re
from pathlib import Path

STATIC = Path(__file__).parents[2] / "src/evolution_sdk/monitor/console/static"
SCRIPT = (STATIC / "console.js").read_text("utf-8")
PAGE = (STATIC / "index.html").read_text("utf-8")
# Put together from a state of the server's.
MADE = ("state_", "legend_", "ask_", "link_", "theme_", "sort_")
STATES = {
    "healthy", "degraded", "unhealthy", "unknown", "closed", "open", "half_open", "info", "warning",
    "critical", "queued", "sending", "failed", "cancelled", "expired_state", "refused_state",
    "unknown_state", "accepted", "delivered", "read", "refused", "state",
}  # fmt: skip


def keys(language: str) -> dict[str, str]:
    table = SCRIPT.split("export const WORDS = {")[1].split("\n};")[0]
    part = table.split(f"\n  {language}: {{")[1].split("\n  },")[0]
    return dict(re.findall(r'(\w+): "((?:[^"\\]|\\.)*)"', part))


def test_both_languages_have_the_same_words() -> None:
    english, portuguese = keys("en"), keys("pt")
    assert list(english) == list(portuguese)
    assert len(english) > 150
    for key, words in english.items():
        holes = set(re.findall(r"\{\w+\}", words))
        assert holes == set(re.findall(r"\{\w+\}", portuguese[key])), key


def test_every_word_is_used_and_every_used_one_is_there() -> None:
    known = set(keys("en"))
    outside = SCRIPT.split("\n};", 1)[1]
    used = set(re.findall(r'\bt\("(\w+)"', outside)) | set(re.findall(r'data-t="(\w+)"', PAGE))
    assert used <= known
    named = set(re.findall(r'"(\w+)"', outside)) | used | STATES
    assert {key for key in known if key not in named and not key.startswith(MADE)} == set()


def test_nothing_is_inline_and_nothing_is_written_as_markup() -> None:
    assert not re.search(r"<style|\sstyle=|<script>|\son\w+=", PAGE)
    assert "innerHTML" not in SCRIPT
    assert "insertAdjacentHTML" not in SCRIPT
    assert not re.search(r"https?://(?!www\.w3\.org)", SCRIPT + PAGE)
