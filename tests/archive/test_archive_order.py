"""Searching and exporting list by the time of the messages, whenever they arrived."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from archive_stage import ANA, BOB, T0, Clock, upsert

from evolution_sdk.archive import Archive
from evolution_sdk.archive import archive as module
from evolution_sdk.archive._words import chat_word, first_of, last_of, place


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(T0 + seconds, tz=UTC)


@pytest.fixture
def archive(place: str) -> Iterator[Archive]:
    """Older messages come later, as a history or a backfill brings them; several in one second."""
    with Archive(place, clock=Clock()) as made:
        for number, seconds in enumerate((50, 10, 30, 30, 90, 20, 30, 70)):
            key = {"remoteJid": BOB if number % 3 == 0 else ANA}
            made.record(upsert(number, "Olá a todos", key=key, messageTimestamp=T0 + seconds))
        yield made


def test_the_newest_hits_are_those_written_last(archive: Archive) -> None:
    newest = ["M4", "M7", "M0", "M6", "M3", "M2", "M5", "M1"]
    assert [m.id for m in archive.messages()] == newest
    assert [m.id for m in archive.search("todos")] == newest
    assert [m.id for m in archive.search("todos", limit=3)] == newest[:3]
    assert [m.id for m in archive.search("ola", oldest_first=True)] == newest[::-1]


def test_a_search_is_limited_to_times_and_chats(archive: Archive) -> None:
    found = archive.search("todos", since=at(30), until=at(70))
    assert [m.id for m in found] == ["M7", "M0", "M6", "M3", "M2"]
    assert [m.id for m in archive.search("todos", chat=BOB)] == ["M0", "M6", "M3"]
    assert [m.id for m in archive.search("todos", chat=BOB, since=at(31))] == ["M0"]
    assert archive.search("todos", chat="nobody@s.whatsapp.net") == []


def test_the_word_of_a_chat_is_no_word_of_a_text(archive: Archive) -> None:
    for word in (chat_word(BOB), "chat", "text : todos", "a OR b", 'to"dos'):
        assert archive.search(word) == []
    assert len(archive.search("TODOS ola")) == 8


@pytest.mark.parametrize("seconds", [-5, 0, T0, 2**33 + 5, 253_402_300_799])
def test_a_place_is_a_number_of_sqlite_and_inside_its_second(seconds: int) -> None:
    assert 0 <= first_of(seconds) <= place(seconds, 12) <= last_of(seconds) < 2**63
    assert place(seconds, 12) & (2**30 - 1) == 12


def test_places_follow_time_then_row() -> None:
    keys = [(T0 + t, row) for t in range(3) for row in (1, 2, 2**30 - 1)]
    assert [place(*key) for key in keys] == sorted({place(*key) for key in keys})


def test_a_message_from_an_odd_time_is_found(place: str) -> None:
    with Archive(place, clock=Clock()) as archive:
        for number, seconds in enumerate((2**33 + 7, 1, T0)):
            archive.record(upsert(number, "quando", messageTimestamp=seconds))
        assert [m.id for m in archive.search("quando")] == ["M0", "M2", "M1"]
        since = datetime.fromtimestamp(2**33 + 1, tz=UTC)
        assert [m.id for m in archive.search("quando", since=since)] == ["M0"]


@pytest.mark.parametrize("page", [1, 2, 3, 100])
def test_pages_of_an_export_miss_and_repeat_nothing(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(module, "_PAGE", page)

    def exported(**filters: object) -> list[str]:
        archive.export_jsonl(tmp_path / "x.jsonl", **filters)  # type: ignore[arg-type]
        lines = (tmp_path / "x.jsonl").read_text("utf-8").splitlines()
        return [json.loads(line)["id"] for line in lines]

    for filters in (
        {}, {"oldest_first": True}, {"limit": 5}, {"limit": 0}, {"chat": BOB}, {"sender": ANA},
        {"since": at(30), "until": at(70)}, {"kind": "text", "limit": 4}, {"from_me": False},
    ):  # fmt: skip
        wanted = [m.id for m in archive.messages(**filters)]  # type: ignore[arg-type]
        assert exported(**filters) == wanted, filters


def test_an_export_ends_where_the_file_ended_when_it_began(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PAGE", 2)
    seen = []
    for message in archive._each({"oldest_first": True}):
        seen.append(message.id)
        archive.record(upsert(100 + len(seen), "mais", messageTimestamp=T0 + 1_000 + len(seen)))
        assert len(seen) < 20
    assert len(seen) == 8
