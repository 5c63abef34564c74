"""PostgreSQL finds what FTS5 finds: words are taken apart alike, without case and accents."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from archive_stage import Clock, upsert
from hypothesis import given, settings
from hypothesis import strategies as st

from databases import fresh_postgres
from effort import examples
from evolution_sdk.archive import Archive
from evolution_sdk.archive._vectors import every_word_of, vector

TEXTS = (
    "Olá, coração!", "OLA CORACAO", "amanhã às 9h-10h", "9h 10h", "10h-9h", "pedido nº 4711/2026",
    "e-mail: ana@example.com", "ana example com", "https://x.example/a?b=c", "R$ 1.234,56", "1234",
    "don't", "dont", "don t", "naïve café", "ÀÉÎÕÜ ç ñ", "aeiou c n", "Привет, мир", "привет мир",
    "日本語 テキスト", "a_b", "a b", "👍 ok", "ok", "", "...", "x" * 300, "ola ola ola coracao",
    "o'brien \\ 'quoted' & | ! <-> :*", "quoted", "não-fumante", "fumante nao",
)  # fmt: skip
QUERIES = (
    "ola", "OLÁ", "coração", "ola coracao", "9h-10h", "9h", "10h 9h", "4711/2026", "4711",
    "ana@example.com", "example", "x.example", "1.234,56", "1234", "don't", "dont", "naive cafe",
    "aeiou", "привет", "МИР", "日本語", "a_b", "a", "👍", "👍 ok", "...", "... ok", "'", "\\", "&",
    "| ola", "!", ":*", "ola:*", "(ola", "<->", "x" * 300, "quoted'", "nao-fumante", "fumante",
    "AND", "ola OR coracao", "nº",
)  # fmt: skip


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Archive, Archive]]:
    path = tmp_path_factory.mktemp("words") / "a.db"
    with (
        fresh_postgres() as url,
        Archive(path, clock=Clock()) as in_file,
        Archive(url, clock=Clock()) as in_postgres,
    ):
        for number, text in enumerate(TEXTS):
            for archive in (in_file, in_postgres):
                assert archive.record(upsert(number, text))
        yield in_file, in_postgres


def found(archive: Archive, words: str) -> list[str]:
    return [TEXTS[int(each.id[1:])] for each in archive.search(words)]


@pytest.mark.parametrize("words", QUERIES)
def test_both_databases_find_the_same(both: tuple[Archive, Archive], words: str) -> None:
    in_file, in_postgres = both
    assert found(in_postgres, words) == found(in_file, words)


@settings(max_examples=examples(60))
@given(st.text(min_size=1, max_size=20).filter(lambda text: text.replace("\0", " ").strip()))
def test_no_words_are_an_error_of_the_database(both: tuple[Archive, Archive], words: str) -> None:
    both[1].search(words)


def test_words_have_places() -> None:
    assert vector("Olá, olá coração") == "'ola':1 'ola':2 'coracao':3"
    assert every_word_of("9h-10h olá") == "('9h' <-> '10h') & ('ola')"
    assert every_word_of("... !") is None
