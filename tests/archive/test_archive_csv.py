"""No text that a stranger wrote is a formula in a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from archive_stage import Clock, upsert
from hypothesis import example, given, settings
from hypothesis import strategies as st

from effort import examples
from evolution_sdk.archive import Archive
from evolution_sdk.archive._export import write_csv
from evolution_sdk.archive.records import ArchivedMessage

# Unicode's blanks, controls, invisible and combining signs, and letters without ink.
UNSEEN = "".join(
    sign
    for sign in map(chr, (*range(0x3100), *range(0xFE00, 0x10000), 0x3164, 0xD800, 0xE0001))
    if unicodedata.category(sign)[0] in "ZCM" or sign in "\u115f\u1160\u2800\u3164\uffa0"
)
BEFORE = re.compile(f"^[{re.escape(UNSEEN)}]+")
SIGNS = (
    "=+-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b"
    "\u207c\u207a\u207b\u208c\u208a\u208b\ufb29\u2a75"
)


def kept(text: str, tmp_path: Path) -> ArchivedMessage:
    with Archive(tmp_path / "a.db", clock=Clock()) as archive:
        archive.record(upsert(1, text))
        (found,) = archive.messages()
    return found


@pytest.fixture(scope="module")
def message(tmp_path_factory: pytest.TempPathFactory) -> ArchivedMessage:
    return kept("Olá", tmp_path_factory.mktemp("csv"))


def cells(message: ArchivedMessage, text: str) -> dict[str, str]:
    file = io.StringIO()
    write_csv([replace(message, text=text, push_name=text, sender=text)], file)
    (row,) = csv.DictReader(io.StringIO(file.getvalue(), newline=""))
    return row


def is_formula(cell: str) -> bool:
    """What the most generous spreadsheet would make of it."""
    seen = BEFORE.sub("", cell)
    return unicodedata.normalize("NFKC", seen).lstrip(UNSEEN)[:1] in set("=+-@")


unseen = st.text(st.sampled_from(UNSEEN), max_size=6)


@settings(max_examples=examples(150))
@given(st.one_of(st.text(), st.builds("{}{}{}".format, unseen, st.sampled_from(SIGNS), st.text())))
@example("\n=1")
@example(" =1")
@example("\u200b\ufeff\uff1dHYPERLINK()")
@example("\u3164@SUM(1)")
@example("-5")
@example("+5511999999999")
@example("\ud800=1")
def test_no_cell_is_a_formula(message: ArchivedMessage, text: str) -> None:
    row = cells(message, text)
    for name in ("text", "push_name", "sender"):
        assert not is_formula(row[name]), ascii(row[name])
        # Nothing but the sign is added (a CSV reader of Python makes "\r" of a lone "\r\n").
        assert row[name].removeprefix("'") in (text, text.removeprefix("'"))


@pytest.mark.parametrize("text", ["Olá", "1 = 2", "a\n=1", "é-", "'=1", "(=1)", "", "¡@!", "5-5"])
def test_other_texts_stay_as_they_are(message: ArchivedMessage, text: str) -> None:
    assert cells(message, text)["text"] == text


def test_a_text_of_the_file_is_made_harmless(tmp_path: Path) -> None:
    file = io.StringIO()
    write_csv([kept("\n=cmd|'/C calc'!A0", tmp_path)], file)
    (row,) = csv.DictReader(io.StringIO(file.getvalue(), newline=""))
    assert row["text"] == "'\n=cmd|'/C calc'!A0"
