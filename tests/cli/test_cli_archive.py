"""``evolution archive``: the local backup, searched and exported."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from event_kit import NUMBER, Answer, isolate, run, upsert

from databases import NOBODY, fresh_postgres
from evolution_sdk.archive import Archive
from evolution_sdk.events import parse_event


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    isolate(monkeypatch, tmp_path)


def fill(place: str) -> None:
    archive = Archive(place)
    for number, text in enumerate(("Olá, amanhã às 9h", "bom dia", "=1+1"), 1):
        archive.record(parse_event(upsert(number, text=text)))
    archive.record(parse_event(upsert(4, instance="shop", text="amanhã não")))
    archive.close()


@pytest.fixture
def store(tmp_path: Path) -> str:
    place = str(tmp_path / "archive.db")
    fill(place)
    return place


def found(answer: Answer) -> list[str]:
    assert answer.code == 0, answer
    (line,) = answer.json
    return [each["id"] for each in line["messages"]]


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        (["AMANHA"], ["M4", "M1"]),
        (["amanha", "ola"], ["M1"]),
        ([], ["M4", "M3", "M2", "M1"]),
        (["--limit", "1"], ["M4"]),
        (["amanha", "--instance", "shop"], ["M4"]),
        (["--chat", NUMBER, "--kind", "text", "--limit", "2"], ["M4", "M3"]),
        (["--chat", "5511999990002"], []),
        (["--since", "2026-11-23T15:35:04+00:00"], ["M4", "M3"]),
        (["--until", "2026-11-23T15:35:02Z"], ["M1"]),
    ],
)
def test_search(
    store: str, capsys: pytest.CaptureFixture[str], options: list[str], ids: list[str]
) -> None:
    assert found(run(capsys, "archive", "search", *options, "--store", store, "--json")) == ids


def test_a_table_for_people_in_two_languages(
    store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = run(capsys, "archive", "search", "dia", "--store", store)
    assert answer.out.splitlines() == [
        "time (UTC)           instance  chat           who  text",
        f"2026-11-23 15:35:03  sales     {NUMBER}  Ana  bom dia",
    ]
    answer = run(capsys, "archive", "search", "nada", "--store", store, "--lang", "pt")
    assert (answer.code, answer.out) == (0, "nenhuma mensagem\n")


def test_the_settings_name_the_store(
    store: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EVOLUTION_STORE_PATH", store)
    assert found(run(capsys, "archive", "search", "ola", "--json")) == ["M1"]


def test_export_lines_to_standard_output(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    answer = run(capsys, "archive", "export", "--store", store, "--instance", "sales")
    assert answer.code == 0
    assert {each["id"] for each in answer.json} == {"M1", "M2", "M3"}
    assert "raw" in answer.json[0]


def test_export_csv_by_the_name_of_the_file(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.csv"
    answer = run(capsys, "archive", "export", "--store", store, "--output", str(out))
    assert (answer.code, answer.out) == (0, f"4 messages written to {out}\n")
    rows = list(csv.DictReader(io.StringIO(out.read_text("utf-8"))))
    assert "'=1+1" in {row["text"] for row in rows}  # a spreadsheet must not calculate it
    told = run(capsys, "archive", "export", "--store", store, "--output", str(out), "--json")
    assert told.json == [{"messages": 4, "output": str(out)}]


def test_the_format_counts_more_than_the_name(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.csv"
    words = ("--store", store, "--output", str(out), "--format", "jsonl")
    assert run(capsys, "archive", "export", *words).code == 0
    assert json.loads(out.read_text("utf-8").splitlines()[0])


def test_a_missing_file_is_not_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "none.db"
    answer = run(capsys, "archive", "search", "x", "--store", str(place))
    assert answer.code == 3
    assert "there is no file" in answer.one_error
    assert not place.exists()


def test_a_file_that_is_no_archive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "odd.db"
    place.write_bytes(b"no database" * 100)
    answer = run(capsys, "archive", "search", "x", "--store", str(place))
    assert answer.code == 3
    assert answer.one_error


@pytest.mark.parametrize(
    "options",
    [["--since", "yesterday"], ["--limit", "0"], ["--kind"], ["--chat", "Ana"]],
)
def test_a_wrong_option_is_one_line(
    store: str, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    answer = run(capsys, "archive", "search", "--store", store, *options)
    assert answer.code == 2
    assert answer.one_error


def test_postgres(capsys: pytest.CaptureFixture[str]) -> None:
    with fresh_postgres() as url:
        fill(url)
        assert found(run(capsys, "archive", "search", "ola", "--store", url, "--json")) == ["M1"]


def test_a_database_that_is_gone_shows_no_password(capsys: pytest.CaptureFixture[str]) -> None:
    answer = run(capsys, "archive", "search", "ola", "--store", NOBODY)
    assert answer.code == 3
    assert "s3cret" not in answer.err + answer.out
