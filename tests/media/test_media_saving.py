"""Names and places of files that strangers send."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest

from evolution_sdk.errors import RequestValidationError
from evolution_sdk.events import parse_event
from evolution_sdk.media.saving import FileStore, MemoryStore, Store, check_folder, safe_name


@pytest.mark.parametrize(
    ("wished", "name"),
    [
        ("contrato.pdf", "contrato.pdf"),
        ("Relatório final - 2026.pdf", "Relatório final - 2026.pdf"),
        ("../../etc/cron.d/x", "x.pdf"),
        ("..\\..\\Windows\\evil.pdf", "evil.pdf"),
        ("/etc/passwd", "passwd.pdf"),
        ("C:\\x.pdf", "x.pdf"),
        ("..", "document-1.pdf"),
        (".", "document-1.pdf"),
        ("a/", "document-1.pdf"),
        ("", "document-1.pdf"),
        (None, "document-1.pdf"),
        ("   ", "document-1.pdf"),
        (".bashrc", "bashrc.pdf"),
        ("a\x00b\n.pdf", "ab.pdf"),
        ("a\u202efdp.exe", "afdp.exe"),
        ("\ud800.pdf", "pdf.pdf"),
        ('a<b>:"|?*.pdf', "a_b______.pdf"),
        ("x.pdf. . ", "x.pdf"),
        ("CON", "_CON.pdf"),
        ("nul.pdf", "_nul.pdf"),
        ("com1.txt", "_com1.txt"),
        ("conto.pdf", "conto.pdf"),
        ("unknown.ext7", "unknown.ext7.pdf"),
    ],
)
def test_a_name_leads_nowhere_else(wished: str | None, name: str) -> None:
    assert safe_name(wished, "document-1", "application/pdf") == name


@pytest.mark.parametrize(
    ("mimetype", "name"),
    [
        ("image/jpeg", "image-1.jpg"),
        ("audio/ogg; codecs=opus", "image-1.ogg"),
        ("VIDEO/MP4", "image-1.mp4"),
        ("image/webp", "image-1.webp"),
        ("application/x-none", "image-1.bin"),
        ("../..", "image-1.bin"),
        (None, "image-1"),
    ],
)
def test_the_type_gives_the_extension(mimetype: str | None, name: str) -> None:
    assert safe_name(None, "image-1", mimetype) == name


def test_a_fallback_is_no_more_trusted() -> None:
    assert safe_name(None, "image-../../x", "image/png") == "image-.._.._x.png"


@pytest.mark.parametrize("wished", ["a" * 400 + ".pdf", "é" * 200 + ".pdf", "a." + "b" * 300])
def test_long_names_keep_their_extension(wished: str) -> None:
    name = safe_name(wished, "x", "application/pdf")
    assert len(name.encode()) <= 150
    assert name.endswith(".pdf") or "." not in wished[:-300]


def test_a_suggested_name() -> None:
    def media(part: Any, kind: str) -> Any:
        data = {"key": {"id": "3A1"}, "message": {kind: part}, "messageType": kind}
        told: Any = parse_event({"event": "messages.upsert", "instance": "s", "data": data})
        return told.media

    voice = {"ptt": True, "mimetype": "audio/ogg; codecs=opus"}
    assert media(voice, "audioMessage").suggested_name == "voice.ogg"
    contract = {"fileName": "../a.pdf", "mimetype": "application/pdf"}
    assert media(contract, "documentMessage").suggested_name == "a.pdf"
    assert media({"fileName": {}, "mimetype": []}, "imageMessage").suggested_name == "image"


def stores(folder: Path) -> list[Store]:
    return [MemoryStore(10), FileStore(folder, 10)]


def test_the_second_choice(tmp_path: Path) -> None:
    for store in stores(tmp_path):
        assert not store.take_back()
        store.write(b"first")
        store.set_aside()
        assert store.size == 0
        store.write(b"second")
        store.set_aside()
        store.write(b"junk")
        store.restart()
        assert store.take_back()
        assert store.size == 5
        with pytest.raises(RequestValidationError, match="max_bytes"):
            store.write(b"123456")
        if isinstance(store, FileStore):
            assert store.keep(None, "x.bin").read_bytes() == b"first"
            store.discard()
        elif isinstance(store, MemoryStore):
            assert store.content == b"first"
    assert [path.name for path in tmp_path.iterdir()] == ["x.bin"]


def test_a_thread_that_is_late_leaves_nothing(tmp_path: Path) -> None:
    """A task that was cancelled goes on while a thread still writes for it."""
    store = FileStore(tmp_path, 100)
    store.write(b"begun")
    failed: list[BaseException] = []

    def write() -> None:
        try:
            store.write(b"late")
        except OSError as error:
            failed.append(error)

    store.discard()
    late = threading.Thread(target=write)
    late.start()
    late.join()
    assert len(failed) == 1
    assert list(tmp_path.iterdir()) == []


def test_an_empty_file_of_a_name_that_failed_goes_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FileStore(tmp_path, 100)
    store.write(b"x")

    def refuse(*_: Any) -> None:
        raise PermissionError(13, "no")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(PermissionError):
        store.keep(None, "x.bin")
    store.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_link_in_the_place_of_a_name_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "a.pdf").symlink_to(outside / "stolen.pdf")
    store = FileStore(inside, 100)
    store.write(b"x")
    assert store.keep(None, "a.pdf").name == "a (1).pdf"
    assert list(outside.iterdir()) == []


def test_a_folder_or_a_path(tmp_path: Path) -> None:
    assert check_folder(tmp_path) == (tmp_path, None)
    assert check_folder(f"{tmp_path}{os.sep}") == (tmp_path, None)
    assert check_folder(tmp_path / "a.pdf") == (tmp_path, tmp_path / "a.pdf")
    for path in (tmp_path / "no" / "a", f"{tmp_path}/no/", "a\0", b"a"):
        with pytest.raises(RequestValidationError, match="path"):
            check_folder(path)  # type: ignore[arg-type]
