"""Open files and uploads of web frameworks as media."""

from __future__ import annotations

import io
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from starlette.datastructures import Headers, UploadFile
from werkzeug.datastructures import FileStorage

from evolution_sdk.errors import RequestValidationError
from evolution_sdk.media import MAX_OPEN_FILE_BYTES, Media
from evolution_sdk.media._files import _TURNS

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8


@pytest.fixture(autouse=True, scope="module")
def django() -> Iterator[None]:
    from django.conf import settings
    from django.utils.functional import empty

    ours = not settings.configured
    if ours:
        settings.configure()
    yield
    if ours:  # another test of this process brings settings of its own
        settings._wrapped = empty


def temporary(content: bytes) -> TemporaryUploadedFile:
    file = TemporaryUploadedFile("nota.png", "image/png", len(content), None)
    file.write(content)
    return file


def starlette(content: bytes, name: str, kind: str) -> UploadFile:
    headers = Headers({"content-type": kind})
    return UploadFile(io.BytesIO(content), filename=name, headers=headers)


def spooled(content: bytes) -> Any:
    file = tempfile.SpooledTemporaryFile(max_size=10)  # noqa: SIM115 - closed by the collector
    file.write(content)
    return file


UPLOADS: dict[str, Any] = {
    "bytes-io": lambda: (io.BytesIO(PNG), "file.png", "image/png"),
    "django-memory": lambda: (
        SimpleUploadedFile("nota.png", PNG, "image/png"), "nota.png", "image/png"
    ),
    "django-disk": lambda: (temporary(PNG), "nota.png", "image/png"),
    "django-content": lambda: (ContentFile(PNG, name="a/b/nota.gif"), "nota.gif", "image/gif"),
    "flask": lambda: (
        FileStorage(io.BytesIO(PNG), "nota.png", "arquivo", "image/png"), "nota.png", "image/png"
    ),
    "flask-nameless": lambda: (
        FileStorage(io.BytesIO(PNG), "", "arquivo"), "file.png", "image/png"
    ),
    "starlette": lambda: (starlette(PNG, "nota", "image/webp"), "nota", "image/webp"),
    "starlette-octets": lambda: (
        starlette(PNG, "nota", "application/octet-stream"), "nota", "image/png"
    ),
    "ie-path": lambda: (
        FileStorage(io.BytesIO(PNG), "C:\\fakepath\\nota.png"), "nota.png", "image/png"
    ),
    "climbing": lambda: (FileStorage(io.BytesIO(PNG), "../../x.png"), "x.png", "image/png"),
    "dots": lambda: (FileStorage(io.BytesIO(PNG), ".."), "file.png", "image/png"),
    "spooled": lambda: (spooled(PNG), "file.png", "image/png"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("name", UPLOADS)
@pytest.mark.parametrize("make", [Media.of, Media.from_file])
def test_uploads_are_read_whole_and_named(name: str, make: Any) -> None:
    upload, file_name, mime_type = UPLOADS[name]()
    media = make(upload)
    assert (media.data, media.file_name, media.mime_type) == (PNG, file_name, mime_type)
    assert media.size == len(PNG)
    assert make(upload, file_name="x.pdf").mime_type == "application/pdf"
    assert make(upload, mime_type="image/x-own").mime_type == "image/x-own"


def test_an_open_file_is_taken_from_its_beginning_and_left_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "boleto 1.png"
    path.write_bytes(PNG)
    with path.open("rb") as file:
        for position in (0, 10, len(PNG)):
            file.seek(position)  # somebody looked into it, to its end even
            media = Media.of(file)
            assert media.data == PNG
            assert media.file_name == "boleto 1.png"
            assert file.tell() == position
    with path.open("rb", buffering=0) as raw:
        assert Media.of(raw).data == PNG


def test_what_cannot_be_rewound_is_read_from_where_it_stands() -> None:
    read, write = os.pipe()
    os.write(write, b"abc" + PNG[:1000])
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        assert pipe.read(3) == b"abc"
        assert Media.of(pipe).data == PNG[:1000]


class Reads:
    """A file that does what it is told to."""

    def __init__(self, *parts: Any) -> None:
        self.parts = list(parts)
        self.asked: list[int] = []

    def read(self, size: int = -1) -> Any:
        self.asked.append(size)
        part = self.parts.pop(0) if self.parts else b""
        if isinstance(part, BaseException):
            raise part
        return part


def test_short_reads_are_continued() -> None:
    assert Media.of(Reads(PNG[:8], PNG[8:9], PNG[9:])).data == PNG


def closed() -> Any:
    file = io.BytesIO(PNG)
    file.close()
    return file


class Awaited:
    async def read(self, size: int = -1) -> bytes:
        return PNG


class Disguised:
    def read(self, size: int = -1) -> Any:
        return Awaited().read()


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (lambda: io.StringIO("texto"), 'open\\(…, "rb"\\)'),
        (lambda: io.StringIO(""), 'open\\(…, "rb"\\)'),
        (lambda: Reads("texto"), 'open\\(…, "rb"\\)'),
        (closed, "closed"),
        (lambda: io.BytesIO(b""), "must not be empty"),
        (Awaited, "await file.read"),
        (Disguised, "await file.read"),
        (lambda: Reads(None), "bytes are available"),
        (lambda: Reads(7), "returns bytes"),
        (lambda: Reads(OSError(5, "disk")), "raised OSError"),
        (lambda: Reads(RuntimeError("s3cret")), "raised RuntimeError"),
    ],
)
def test_what_cannot_be_read_is_refused(file: Any, words: str) -> None:
    with pytest.raises(RequestValidationError, match=words) as caught:
        Media.of(file())
    assert caught.value.field == "media"
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_text_file_is_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a;b")
    with path.open() as file, pytest.raises(RequestValidationError, match="binary mode"):
        Media.of(file)  # type: ignore[arg-type]


def test_reading_stops_at_the_limit() -> None:
    endless = Reads(*[bytes(1 << 20)] * 400)
    with pytest.raises(RequestValidationError, match="pass a Path"):
        Media.of(endless)
    assert len(endless.asked) == MAX_OPEN_FILE_BYTES // (1 << 20) + 1
    assert sum(endless.asked) == MAX_OPEN_FILE_BYTES + 1
    assert Media.from_file(io.BytesIO(b"abc"), limit_bytes=3).size == 3
    with pytest.raises(RequestValidationError, match="at most 2 bytes"):
        Media.from_file(io.BytesIO(b"abc"), limit_bytes=2)


def test_a_path_of_another_kind_is_a_path(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(PNG)

    class Own:
        def __fspath__(self) -> str:
            return str(path)

    assert Media.of(Own()).path == path


class Slow(io.BytesIO):
    """Gives a few bytes at a time, and every other thread a turn in between."""

    def read(self, size: int | None = -1, /) -> bytes:
        time.sleep(0)
        return super().read(7)


def test_one_file_sent_to_many_at_once_arrives_whole_every_time() -> None:
    """Its position is one for all threads, and so it would be read in pieces."""
    file = Slow(PNG)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: Media.of(file).data, range(16)))
    assert set(found) == {PNG}
    assert _TURNS._locks == {}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_process_waits_for_no_thread_of_its_parent() -> None:
    file = io.BytesIO(PNG)
    with _TURNS.of(file), _TURNS._guard:
        child = os.fork()
        if child == 0:  # pragma: no cover - the child's coverage is not collected
            whole = Media.of(file).data == PNG
            os._exit(0 if whole else 1)
    for _ in range(2_000):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        time.sleep(0.005)
    else:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        pytest.fail("the child waits for ever")
    assert os.waitstatus_to_exitcode(status) == 0
