"""A plain text as media: base64 only where it surely is, and never a path."""

from __future__ import annotations

import base64
import contextlib
import io
import string
import wave
import zipfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from effort import examples
from evolution_sdk.errors import RequestValidationError
from evolution_sdk.media import Media


def mp3(frames: int = 2, head: bytes = b"\xff\xfb\x90\x00", size: int = 417) -> bytes:
    """Silence as text-to-speech gives it: frames of layer III without a tag."""
    return (head + bytes(size - 4)) * frames


def aac(frames: int = 2, size: int = 200) -> bytes:
    head = bytes([0xFF, 0xF1, 0x50, 0x80 | size >> 11, size >> 3 & 0xFF, (size & 7) << 5 | 0x1F])
    return (head + bytes(size - 6)) * frames


def wav() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(bytes(16))
    return out.getvalue()


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("word/document.xml", "<w/>")
    return out.getvalue()


KNOWN = {
    "png": (b"\x89PNG\r\n\x1a\n----", "image/png"),
    "jpeg": (b"\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg"),
    "gif": (b"GIF89a\x01\x00", "image/gif"),
    "webp": (b"RIFF\x04\0\0\0WEBPVP8 ", "image/webp"),
    "tiff": (b"II*\x00\x08\0\0\0", "image/tiff"),
    "heic": (b"\0\0\0\x18ftypheic\0\0\0\0", "image/heic"),
    "pdf": (b"%PDF-1.7\n", "application/pdf"),
    "ogg": (b"OggS\x00\x02" + bytes(20), "audio/ogg"),
    "id3": (b"ID3\x04\0\0\0\0\0\x23TSSE", "audio/mpeg"),
    "mp3": (mp3(), "audio/mpeg"),
    "mp3-2": (mp3(head=b"\xff\xf3\x84\xc4", size=192), "audio/mpeg"),
    "aac": (aac(), "audio/aac"),
    "amr": (b"#!AMR\n<", "audio/amr"),
    "flac": (b"fLaC\0\0\0\x22", "audio/flac"),
    "wav": (wav(), "audio/wav"),
    "m4a": (b"\0\0\0\x1cftypM4A \0\0\0\0", "audio/mp4"),
    "mp4": (b"\0\0\0\x18ftypmp42\0\0\0\0", "video/mp4"),
    "mov": (b"\0\0\0\x14ftypqt  \0\0\0\0", "video/quicktime"),
    "avi": (b"RIFF\x04\0\0\0AVI LIST", "video/x-msvideo"),
    "webm": (b"\x1aE\xdf\xa3\x01\0\0\0", "video/webm"),
    "zip": (zipped(), "application/zip"),
    "doc": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(8), "application/x-ole-storage"),
    "rar": (b"Rar!\x1a\x07\x01\x00", "application/vnd.rar"),
    "gz": (b"\x1f\x8b\x08\x00" + bytes(6), "application/gzip"),
    "rtf": (b"{\\rtf1\\ansi}", "application/rtf"),
}


@pytest.mark.parametrize("name", KNOWN)
def test_base64_of_a_known_type_needs_no_name(name: str) -> None:
    content, mime_type = KNOWN[name]
    for text in (base64.b64encode(content).decode(), base64.encodebytes(content).decode()):
        media = Media.of(text)
        assert (media.data, media.mime_type) == (content, mime_type)
    assert Media.from_bytes(content).mime_type == mime_type


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("/srv/boletos", "path"),
        ("/srv/boletos/2026/11/a1b2", "path"),
        ("boletos1", "path"),
        ("relatorio123", "path"),
        ("./a", "path"),
        ("../a", "path"),
        ("~/foto.png", "path"),
        ("C:\\x\\y.pdf", "path"),
        ("C:/x/y.pdf", "path"),
        ("\\\\server\\share\\a.pdf", "path"),
        ("foto.jpg", "path"),
        ("foto.jpg ", "path"),
        ("pasta/foto", "path"),
        ("//srv/boletos1", "for a file pass a Path"),
        ("SUQz", "path"),
        ("SUQzboletos1", "path"),
        ("RIFFRIFF", "path"),
        ("abcd", "path"),
        (base64.b64encode(b"nome;valor\n1;2\n").decode(), "Media.from_base64"),
        (base64.b64encode(mp3(1)).decode(), "Media.from_base64"),
        ("olá", "base64"),
        ("não sei", "base64"),
        ("a-b_", "base64url"),
        ("", "empty"),
        ("   ", "empty"),
    ],
)
@pytest.mark.parametrize("file_name", [None, "boleto.pdf"])
def test_what_may_be_something_else_is_refused(
    text: str, words: str, file_name: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with contextlib.suppress(OSError, ValueError):
        (tmp_path / text.strip("/~ ")).write_bytes(b"%PDF-1.7")  # that it exists changes nothing
    with pytest.raises(RequestValidationError, match=words) as caught:
        Media.of(text, file_name=file_name)
    assert caught.value.field == "media"
    assert "for a file pass a Path" in caught.value.rule
    assert len(text.strip()) < 4 or text.strip() not in str(caught.value)


def test_content_that_is_named_may_be_anything() -> None:
    text = base64.b64encode(b"nome;valor\n1;2\n").decode()
    for media in (
        Media.from_base64(text, file_name="a.csv"),
        Media.of(f"data:text/csv;base64,{text}", file_name="a.csv"),
        Media.of(base64.b64decode(text), file_name="a.csv"),
    ):
        assert (media.data, media.mime_type) == (b"nome;valor\n1;2\n", "text/csv")


PATHS = st.lists(
    st.text(string.ascii_letters + string.digits + "._-", min_size=1, max_size=12),
    min_size=1,
    max_size=6,
).flatmap(
    lambda parts: st.sampled_from(["", "/", "./", "../", "~/", "C:\\", "\\\\"]).map(
        lambda start: start + ("\\" if "\\" in start else "/").join(parts)
    )
)


@given(PATHS)
@example("/9j")
@example("//se/rver1234")
@settings(max_examples=examples(300))
def test_no_path_is_sent_as_its_own_letters(path: str) -> None:
    """A random path that decodes to a file's first bytes has yet to be found."""
    with pytest.raises(RequestValidationError):
        Media.of(path)


@given(st.text(), st.sampled_from(["", "http://", "https://", "data:", "//", "C:", "www.", "htp:"]))
@settings(max_examples=examples(300))
def test_any_text_is_refused_by_name_or_is_what_it_says(text: str, start: str) -> None:
    try:
        media = Media.of(start + text)
    except RequestValidationError as error:
        assert error.field in ("media", "file_name")  # noqa: PT017 - either outcome is right
    else:
        assert media.url or media.data


@pytest.mark.parametrize("make", [Media.of, Media.from_url, Media.from_base64, Media.from_path,
                                  Media.from_bytes, Media.from_file])  # fmt: skip
@pytest.mark.parametrize("value", [None, 7, 1.5, True, [], {}, object(), Ellipsis, Media])
def test_what_is_no_media_is_refused_by_name(make: object, value: object) -> None:
    with pytest.raises(RequestValidationError) as caught:
        make(value)  # type: ignore[operator]
    assert caught.value.field == "media"


@pytest.mark.parametrize("name", ["file_name", "mime_type"])
@pytest.mark.parametrize("value", [7, b"a.png", Path("a.png"), ["a.png"]])
def test_names_and_types_are_text(name: str, value: object, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    for given_value in (b"x", "https://h.example/a", tmp_path / "a", io.BytesIO(b"x")):
        with pytest.raises(RequestValidationError, match="text") as caught:
            Media.of(given_value, **{name: value})  # type: ignore[arg-type]
        assert caught.value.field == name


def test_the_frames_of_an_mp3_are_measured() -> None:
    """Two bytes alone would take the path ``//server/share`` for music."""
    for head, size in (
        (b"\xff\xfb\x92\x00", 418),
        (b"\xff\xf3\x40\xc4", 104),
        (b"\xff\xe3\x18\xc4", 72),
    ):
        assert Media.from_bytes(mp3(2, head, size)).mime_type == "audio/mpeg"
        assert Media.from_bytes(mp3(2, head, size - 1)).mime_type == "application/octet-stream"
