"""Media: where a file comes from, its name and type, and whether we must fetch it."""

from __future__ import annotations

import base64
import contextlib
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolution_sdk.errors import RequestValidationError
from evolution_sdk.media import Media, MediaKind

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def facts(media: Media) -> tuple[str, str, MediaKind]:
    return media.file_name, media.mime_type, media.kind


def test_from_path_reads_late(tmp_path: Path) -> None:
    path = tmp_path / "Invoice 1.PDF"
    path.write_bytes(b"first")
    media = Media.from_path(path)
    assert facts(media) == ("Invoice 1.PDF", "application/pdf", MediaKind.DOCUMENT)
    assert media.size == 5
    path.write_bytes(b"later")
    assert media.read_bytes() == b"later"
    assert media.read_base64() == base64.b64encode(b"later").decode()
    part = media.file_part(MediaKind.DOCUMENT)
    assert (part.content, part.filename, part.mimetype, part.name) == (
        path, "Invoice 1.PDF", "application/pdf", "file",
    )  # fmt: skip
    path.unlink()
    with pytest.raises(RequestValidationError, match="readable"):
        media.read_bytes()


def test_from_path_with_name_and_type(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(PNG)
    assert facts(Media.from_path(str(path), file_name="me.jpg"))[:2] == ("me.jpg", "image/jpeg")
    assert Media.from_path(path, file_name="me").mime_type == "image/png"
    assert Media.from_path(path, mime_type="image/x-own").mime_type == "image/x-own"


def test_from_path_refuses(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()
    for path in (tmp_path / "absent", tmp_path, tmp_path / "empty.txt", "a\0b"):
        with pytest.raises(RequestValidationError) as caught:
            Media.from_path(path)
        assert caught.value.field == "media"


@pytest.mark.parametrize(
    ("data", "name", "mime_type", "expected"),
    [
        (PNG, None, None, ("file.png", "image/png", MediaKind.IMAGE)),
        (PNG, "a.jpg", None, ("a.jpg", "image/jpeg", MediaKind.IMAGE)),
        (PNG, "a", None, ("a", "image/png", MediaKind.IMAGE)),
        (b"\xff\xd8\xff\xe0", None, None, ("file.jpg", "image/jpeg", MediaKind.IMAGE)),
        (b"%PDF-1.7", None, None, ("file.pdf", "application/pdf", MediaKind.DOCUMENT)),
        (b"OggS", None, None, ("file.ogg", "audio/ogg", MediaKind.AUDIO)),
        (b"\0\0\0 ftypisom", None, None, ("file.mp4", "video/mp4", MediaKind.VIDEO)),
        (b"RIFF\0\0\0\0WEBPVP8 ", None, None, ("file.webp", "image/webp", MediaKind.IMAGE)),
        (b"x", None, None, ("file.bin", "application/octet-stream", MediaKind.DOCUMENT)),
        (b"x", None, "audio/mpeg", ("file.mp3", "audio/mpeg", MediaKind.AUDIO)),
        (b"x", "v.opus", None, ("v.opus", "audio/ogg", MediaKind.AUDIO)),
        (b"x", "t.XLSX", "text/plain", ("t.XLSX", "text/plain", MediaKind.DOCUMENT)),
    ],
)
def test_from_bytes(data: bytes, name: str | None, mime_type: str | None, expected: Any) -> None:
    media = Media.from_bytes(data, file_name=name, mime_type=mime_type)
    assert facts(media) == expected
    assert media.read_bytes() == data
    assert media.size == len(data)
    assert media.file_part(media.kind).content == data


@pytest.mark.parametrize("name", ["../x.png", "a/b.png", "a\\b.png", "..", ".", "\x00"])
def test_a_name_is_not_a_path(name: str) -> None:
    with pytest.raises(RequestValidationError) as caught:
        Media.from_bytes(b"x", file_name=name)
    assert caught.value.field == "file_name"


def test_wrong_types_are_refused() -> None:
    for mime_type in ("png", "image/png\r\nx: y"):
        with pytest.raises(RequestValidationError, match="image/png"):
            Media.from_bytes(b"x", mime_type=mime_type)
    with pytest.raises(RequestValidationError, match="one of"):
        Media("a", "image/png")
    with pytest.raises(RequestValidationError, match="one of"):
        Media("a", "image/png", data=b"x", url="http://h.example")


@pytest.mark.parametrize(
    ("name", "mime_type", "kind", "expected"),
    [
        ("pic.png", "image/png", MediaKind.IMAGE, "pic.png"),
        ("pic", "image/png", MediaKind.IMAGE, "pic.png"),
        ("pic.foo", "image/png", MediaKind.IMAGE, "pic.foo.png"),
        ("voice", "audio/ogg; codecs=opus", MediaKind.AUDIO, "voice.ogg"),
        ("pic", "application/octet-stream", MediaKind.IMAGE, "pic.jpg"),
        ("clip", "application/octet-stream", MediaKind.VIDEO, "clip.mp4"),
        ("Makefile", "application/octet-stream", MediaKind.DOCUMENT, "Makefile.bin"),
        ("data.foo", "application/octet-stream", MediaKind.DOCUMENT, "data.foo"),
        ("odd", "image/x-nobody-knows", MediaKind.IMAGE, "odd.jpg"),
    ],
)
def test_the_name_sent_has_an_extension(
    name: str, mime_type: str, kind: MediaKind, expected: str
) -> None:
    media = Media.from_bytes(b"x", file_name=name, mime_type=mime_type)
    assert media.name_for(kind) == media.file_part(kind).filename == expected


@pytest.mark.parametrize(
    ("text", "mime_type"),
    [
        ("data:image/jpeg;base64,aGk=", "image/jpeg"),
        (" DATA:audio/ogg; codecs=opus;BASE64,aG\nk=", "audio/ogg; codecs=opus"),
        ("data:image/png;base64,aGk%3D", "image/png"),
        ("data:;base64,aGk=", "application/octet-stream"),
        ("aGk=", "application/octet-stream"),
        ("  a G\r\nk\t= ", "application/octet-stream"),
    ],
)
def test_from_base64(text: str, mime_type: str) -> None:
    media = Media.from_base64(text)
    assert (media.read_bytes(), media.mime_type) == (b"hi", mime_type)
    assert Media.from_base64(text, mime_type="x/y").mime_type == "x/y"
    assert Media.from_base64(text, file_name="n.txt").file_name == "n.txt"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ("data:image/png;base64,", "empty"),
        ("aGk", "padded"),
        ("a", "padded"),
        ("aG=k", "base64"),
        ("aGk=aGk=", "base64"),
        ("not-a-url", "base64url"),
        ("____", "base64url"),
        ("ação", "base64"),
        ("data:image/png,aGk=", "data:<type>;base64"),
        ("data:text/plain;charset=utf-8,hi", "data:<type>;base64"),
        ("data:image/png;base64", "data:<type>;base64"),
    ],
)
def test_from_base64_refuses(text: str, words: str) -> None:
    with pytest.raises(RequestValidationError, match=words) as caught:
        Media.from_base64(text)
    assert caught.value.field == "media"


@given(st.binary(min_size=1), st.sampled_from(["", "data:image/png;base64,", "data:;base64,"]))
def test_base64_round_trip(data: bytes, prefix: str) -> None:
    text = base64.encodebytes(data).decode()
    media = Media.from_base64(prefix + text)
    assert media.read_bytes() == data
    sent = media.read_base64()
    assert base64.b64decode(sent, validate=True) == data
    assert "\n" not in sent
    assert not sent.startswith("data:")


@given(
    st.text(), st.sampled_from(["", "data:", "data:a/b;base64,", "http://", "https://h.example/"])
)
def test_any_text_is_taken_or_refused(text: str, prefix: str) -> None:
    for make in (Media.of, Media.from_base64, Media.from_url):
        with contextlib.suppress(RequestValidationError):
            media = make(prefix + text)
            assert media.url or media.size
            assert media.file_name


@pytest.mark.parametrize(
    ("url", "name", "mime_type"),
    [
        ("https://h.example/x/Pic%20ture.JPG?w=1", "Pic ture.JPG", "image/jpeg"),
        ("https://h.example/report.pdf#p2", "report.pdf", "application/pdf"),
        ("https://h.example/", "file", "application/octet-stream"),
        ("https://h.example/..", "file", "application/octet-stream"),
        ("https://h.example/a%2Fb%5Cc.mp4", "c.mp4", "video/mp4"),
        ("https://h.example/download?id=7", "download", "application/octet-stream"),
    ],
)
def test_name_and_type_of_a_url(url: str, name: str, mime_type: str) -> None:
    media = Media.from_url(f" {url}\n")
    assert (media.file_name, media.mime_type, media.url) == (name, mime_type, url)
    assert media.size is None
    assert Media.from_url(url, file_name="a.png").mime_type == "image/png"
    assert Media.from_url(url, mime_type="image/gif").kind is MediaKind.IMAGE


def test_a_url_has_no_content_until_downloaded() -> None:
    media = Media.from_url("http://minio:9000/file?id=1")
    with pytest.raises(RequestValidationError, match="download it first"):
        media.read_bytes()
    got = media.downloaded(PNG, "image/webp; charset=binary")
    assert (got.read_bytes(), got.mime_type, got.file_name) == (PNG, "image/webp", "file")
    assert got.url is None
    assert media.downloaded(PNG, "application/octet-stream").mime_type == "image/png"
    assert media.downloaded(PNG).mime_type == "image/png"
    named = Media.from_url("http://minio:9000/a.gif").downloaded(PNG, "image/png")
    assert (named.mime_type, named.file_name) == ("image/gif", "a.gif")


def test_of_takes_everything_but_paths_as_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "abcd"
    path.write_bytes(PNG)
    monkeypatch.chdir(tmp_path)
    media = Media.from_path(path)
    assert Media.of(media) == media
    assert Media.of(media, file_name="b.png").file_name == "b.png"
    assert Media.of(media, mime_type="image/gif").mime_type == "image/gif"
    assert Media.of(path).path == path
    assert Media.of(PNG, file_name="x.png").data == PNG
    assert Media.of(" HTTPS://h.example/a.png").url == "HTTPS://h.example/a.png"
    assert Media.of("data:image/png;base64,aGk=").data == b"hi"
    assert Media.of(base64.b64encode(PNG).decode()).data == PNG
    assert Media.from_base64("abcd").data == base64.b64decode("abcd")
    # "abcd" may be base64; that a file has this name counts neither way
    for wrong in ("photo.png", "abcd", "", None, 7):
        with pytest.raises(RequestValidationError) as caught:
            Media.of(wrong)  # type: ignore[arg-type]
        assert caught.value.field == "media"
    with pytest.raises(RequestValidationError, match="pass a Path"):
        Media.of("photo.png")


def test_it_is_frozen_pickles_and_shows_no_content(tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text("s3cret")
    for media in (
        Media.from_bytes(b"s3cret", file_name="a.txt"),
        Media.from_url("https://h.example/a.txt?token=s3cret"),
        Media.from_path(tmp_path / "p.txt"),
    ):
        assert "s3cret" not in f"{media!r}{media}"
        assert media.file_name in repr(media)
        assert pickle.loads(pickle.dumps(media)) == media
        with pytest.raises((AttributeError, TypeError)):
            media.file_name = "x"  # type: ignore[misc]
