"""A batch is indexed in one piece, and what happens to a message within its batch is found."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from archive_stage import (
    ANA,
    BOB,
    T0,
    Clock,
    connection_of,
    delete,
    edited,
    image,
    recorded,
    told,
    upsert,
)

from evolution_sdk._sql.dialect import SQLITE
from evolution_sdk.archive import Archive, _taking, _words, _writing
from evolution_sdk.events import Event


@pytest.fixture
def archive(place: str) -> Iterator[Archive]:
    with Archive(place, clock=Clock(T0 + 100)) as archive:
        yield archive


@pytest.fixture
def in_a_file(tmp_path: Path) -> Iterator[Archive]:
    with Archive(tmp_path / "a.db", clock=Clock(T0 + 100)) as archive:
        yield archive


def keep(archive: Archive, events: Iterable[Event[Any]]) -> None:
    """Write events in one transaction, as the thread of a loop does."""
    archive._keep([row for each in events for row in _taking.rows_of(each, T0)])


def segments(archive: Archive) -> set[int]:
    assert archive.path is not None
    with closing(sqlite3.connect(archive.path)) as beside:
        return {int(row[0]) for row in beside.execute("SELECT segid FROM messages_words_idx")}


def test_a_batch_makes_one_segment_of_the_full_text_index(in_a_file: Archive) -> None:
    in_a_file.record(upsert(0, "olá"))
    before = segments(in_a_file)
    # In no order of their times: a lower number after a higher one would end a segment, too.
    keep(in_a_file, [upsert(number, "bom dia") for number in (5, 1, 9, 3, 7, 2, 8, 4, 6)])
    assert len(segments(in_a_file) - before) == 1
    assert [each.id for each in in_a_file.search("dia")] == [f"M{n}" for n in range(9, 0, -1)]


def test_pruning_makes_one_segment_of_the_full_text_index(in_a_file: Archive) -> None:
    keep(in_a_file, [upsert(number, "bom dia") for number in range(30)])
    before = segments(in_a_file)
    in_a_file.prune(max_messages=10)
    assert len(segments(in_a_file) - before) == 1
    assert [each.id for each in in_a_file.search("dia")] == [f"M{n}" for n in range(29, 19, -1)]


def test_a_message_is_inserted_without_the_journal_of_a_statement(in_a_file: Archive) -> None:
    """Such a journal would end a segment of the full-text index, and copies every page."""
    in_a_file.record(upsert(0, "olá"))
    before = segments(in_a_file)
    connection = connection_of(in_a_file)
    rows = [row for number in (1, 2) for row in _taking.rows_of(upsert(number), T0)]
    messages = [row for row in rows if isinstance(row, _taking.MessageRow)]
    connection.execute("BEGIN IMMEDIATE")
    for number, message in enumerate(messages, start=1):
        connection.execute(
            "INSERT INTO messages_words (rowid, text, chat) VALUES (?, 'bom dia', 'c')",
            (_words.place(T0 + 50, number),),
        )
        connection.execute(SQLITE.sql(_writing._INSERT), message.values).fetchall()
    connection.execute("COMMIT")
    assert len(segments(in_a_file) - before) == 1


def test_an_edit_in_the_batch_of_its_message_is_what_is_found(archive: Archive) -> None:
    keep(archive, [upsert(1, "bom dia"), upsert(2, "boa noite"), edited(ANA, "boa tarde")])
    assert [each.id for each in archive.search("tarde")] == ["M1"]
    assert archive.search("dia") == []
    keep(archive, [edited(ANA, "boa semana"), upsert(3, "bom dia"), edited(ANA, "oi", number=3)])
    assert archive.search("tarde") == []
    assert [each.id for each in archive.search("semana")] == ["M1"]
    assert [each.id for each in archive.search("oi")] == ["M3"]


def test_two_records_joined_in_their_batch_are_found_once(archive: Archive) -> None:
    # 2.3.7 (recorded): the hidden id, then the phone's JID, whose pair makes them one.
    hidden, pair = "100000000000009@lid", {"remoteJidAlt": ANA}
    keep(
        archive,
        [
            upsert(1, "bom dia", key={"remoteJid": ANA}),
            upsert(1, "bom dia", key={"remoteJid": hidden}),
            upsert(2, "boa noite", key={"remoteJid": hidden, **pair}),
        ],
    )
    assert [each.id for each in archive.search("dia")] == ["M1"]
    assert [each.id for each in archive.search("noite")] == ["M2"]


def test_a_text_that_a_copy_brings_in_the_same_batch_is_found(archive: Archive) -> None:
    keep(archive, [upsert(1, None), upsert(1, "bom dia"), upsert(2, "oi", key={"remoteJid": BOB})])
    assert [each.id for each in archive.search("dia")] == ["M1"]


def test_a_batch_that_fails_leaves_no_text_behind(archive: Archive) -> None:
    rows = [row for number in (1, 2) for row in _taking.rows_of(upsert(number, "bom dia"), T0)]
    broken = rows[1]
    assert isinstance(broken, _taking.MessageRow)
    values = list(broken.values)
    values[_taking.MESSAGE_FIELDS.index("raw")] = None
    unfit = _taking.MessageRow(
        broken.instance, broken.id, broken.chat, broken.from_me, broken.sender, None, tuple(values)
    )
    archive._keep([rows[0], unfit])
    # The other one of its batch is stored and found, and this one is counted.
    assert [each.id for each in archive.search("dia")] == ["M1"]
    assert (archive.lost, archive.get("M2")) == (1, None)
    if archive.path is not None:
        with closing(sqlite3.connect(archive.path)) as beside:
            assert beside.execute("SELECT count(*) FROM message_ids").fetchone() == (1,)


def test_a_deletion_in_its_batch_counts(archive: Archive) -> None:
    keep(archive, [upsert(1, "bom dia"), delete(1)])
    (message,) = archive.search("dia")
    assert message.deleted_at == datetime.fromtimestamp(T0, tz=UTC)


@pytest.mark.parametrize("version", ["2.2.3", "2.3.7", "2.4-pre"])
def test_a_record_is_written_alike_either_way(version: str) -> None:
    """The short way, for records that are expected to be small, and the careful one."""
    records = [each["json"]["data"] for each in recorded(version)]
    assert records
    for record in (*records, image().raw["data"], {"a": {"quotedMessage": {}, "base64": "x"}}):
        careful = _taking._raw_text(record, is_small=False)
        assert _taking._raw_text(record, is_small=True) == careful


def test_a_record_never_holds_what_a_backup_of_texts_leaves_out() -> None:
    thumbnail = {"message": {"extendedTextMessage": {"text": "x", "jpegThumbnail": "QQ=="}}}
    assert json.loads(_taking._raw_text(thumbnail, is_small=True)) == {
        "message": {"extendedTextMessage": {"text": "x"}}
    }
    # A word in a text is none of these fields.
    words = {"message": {"conversation": 'o "base64" e o \\"mediaKey\\"'}, "b": b"bytes"}
    assert json.loads(_taking._raw_text(words, is_small=True)) == {**words, "b": None}


def test_recorded_events_in_one_batch_are_found_as_one_by_one(
    new_place: Callable[[], str],
) -> None:
    events = told("2.3.7", "")
    with Archive(new_place(), clock=Clock(T0)) as one, Archive(new_place()) as other:
        keep(one, events)
        for each in events:
            other.record(each)
        stored = other.messages()
        words = {word for each in stored for word in (each.text or "").split() if word.isalnum()}
        assert len(words) > 20
        for word in words:
            found = [(each.chat, each.id) for each in other.search(word)]
            assert [(each.chat, each.id) for each in one.search(word)] == found
            assert found
