"""Images and recordings that are made smaller before they are sent."""

from __future__ import annotations

import asyncio
import io
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from evolution_sdk import EvolutionClient, Media
from evolution_sdk.errors import ConfigurationError, RequestValidationError
from evolution_sdk.media import _optimizing
from evolution_sdk.testing import FakeEvolution


def photo(
    size: tuple[int, int] = (2_400, 1_200), mode: str = "RGB", kind: str = "JPEG", **save: Any
) -> bytes:
    """A picture with a soft gradient, as photos have."""
    image = Image.linear_gradient("L").resize(size).convert(mode)
    if kind == "JPEG":
        save.setdefault("quality", 98)
    made = io.BytesIO()
    image.save(made, kind, **save)
    return made.getvalue()


def opened(media: Media) -> Any:
    return Image.open(io.BytesIO(media.read_bytes()))


def test_a_photo_becomes_smaller_and_keeps_its_shape() -> None:
    media = Media.from_bytes(photo(), file_name="beach.jpg")
    smaller = media.optimized()
    assert smaller.size is not None
    assert media.size is not None
    assert smaller.size < media.size / 2
    assert (smaller.file_name, smaller.mime_type) == ("beach.jpg", "image/jpeg")
    assert opened(smaller).size == (1_600, 800)
    assert opened(media.optimized(max_edge_px=300)).size == (300, 150)


def test_what_the_camera_wrote_stays_out_and_the_picture_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    exif[0x8825] = {1: "N", 2: (38.0, 43.0, 0.0)}  # where it was taken
    media = Media.from_bytes(photo((2_000, 1_000), exif=exif), file_name="trip.jpeg")
    smaller = opened(media.optimized())
    assert smaller.size == (800, 1_600)
    assert dict(smaller.getexif()) == {}


@pytest.mark.parametrize(
    ("mode", "kind", "name", "mime_type"),
    [
        ("RGB", "PNG", "shot.jpg", "image/jpeg"),
        ("P", "PNG", "shot.jpg", "image/jpeg"),
        ("L", "PNG", "shot.jpg", "image/jpeg"),
        ("CMYK", "JPEG", "shot.jpg", "image/jpeg"),
        ("RGBA", "PNG", "shot.webp", "image/webp"),
        ("LA", "PNG", "shot.webp", "image/webp"),
    ],
)
def test_every_kind_of_picture(mode: str, kind: str, name: str, mime_type: str) -> None:
    noise = random.Random(1).randbytes(700 * 700)
    image = Image.frombytes("L", (700, 700), noise).convert(mode)
    made = io.BytesIO()
    image.save(made, kind, **({"quality": 100} if kind == "JPEG" else {}))
    media = Media.from_bytes(made.getvalue(), file_name=f"shot.{kind.lower()}")
    smaller = media.optimized(quality=40)
    assert (smaller.file_name, smaller.mime_type) == (name, mime_type)
    assert opened(smaller).mode in ("RGB", "L", "RGBA")


def test_what_would_not_become_smaller_stays_the_very_same() -> None:
    small = Media.from_bytes(photo((40, 20), quality=1, optimize=True), file_name="a.jpg")
    assert small.optimized() is small
    document = Media.from_bytes(b"%PDF-1.7 x", file_name="a.pdf")
    assert document.optimized() is document
    voice = Media.from_bytes(b"OggS" + bytes(60), file_name="a.ogg")
    assert voice.optimized() is voice


def test_an_animation_stays_as_it_is() -> None:
    frames = [Image.new("P", (600, 600), color) for color in (1, 2, 3)]
    made = io.BytesIO()
    frames[0].save(made, "GIF", save_all=True, append_images=frames[1:])
    media = Media.from_bytes(made.getvalue(), file_name="a.gif")
    assert media.optimized() is media


def test_a_path_is_read_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "beach.jpg"
    path.write_bytes(photo())
    before = path.read_bytes()
    smaller = Media.from_path(path).optimized()
    assert smaller.path is None
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "data", [b"\xff\xd8\xff\xe0 no picture", photo()[:400], b"\x89PNG\r\n\x1a\n"]
)
def test_a_damaged_picture_is_refused_with_what_to_do(data: bytes) -> None:
    media = Media.from_bytes(data, file_name="a.jpg")
    with pytest.raises(RequestValidationError, match="send it as it is") as caught:
        media.optimized()
    assert caught.value.__cause__ is None


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_optimizing, "MAX_PIXELS", 1_000)
    with pytest.raises(RequestValidationError, match="at most 1000 pixels"):
        Media.from_bytes(photo((400, 400)), file_name="a.jpg").optimized()


@pytest.mark.parametrize(
    "option",
    [
        {"max_edge_px": 0}, {"max_edge_px": 1.5}, {"quality": 0}, {"quality": 96},
        {"bitrate_kbps": 5}, {"quality": "80"},
    ],
)  # fmt: skip
def test_arguments_are_checked(option: dict[str, Any]) -> None:
    (name,) = option
    with pytest.raises(RequestValidationError, match="whole number") as caught:
        Media.from_bytes(photo((40, 20)), file_name="a.jpg").optimized(**option)
    assert caught.value.field == name


def test_a_url_must_be_here() -> None:
    with pytest.raises(RequestValidationError, match="download it first"):
        Media.from_url("https://example.com/a.jpg").optimized()


def test_without_pillow_the_error_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['PIL'] = None; from evolution_sdk import Media;"
        "Media.from_bytes(b'\\xff\\xd8\\xff\\xe0', file_name='a.jpg').optimized()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "pip install 'evolutionapi-sdk[pillow]'" in done.stderr


def test_pillow_is_loaded_when_it_is_needed() -> None:
    code = "import sys, evolution_sdk; evolution_sdk.Media; print('PIL' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


# Recordings


@pytest.fixture
def ffmpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A program in ffmpeg's place that notes its arguments and writes what it is told."""

    def put(script: str) -> Path:
        told = tmp_path / "told"
        program = tmp_path / "ffmpeg"
        program.write_text(f'#!/bin/sh\necho "$@" > {told}\n{script}\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        return told

    return put


VOICE = Media.from_bytes(b"ID3" + bytes(997), file_name="note.mp3", mime_type="audio/mpeg")


def test_a_recording_becomes_a_voice_note_where_it_is_asked_for(ffmpeg: Any) -> None:
    told = ffmpeg("head -c 500 >&1")
    smaller = VOICE.optimized(audio=True, bitrate_kbps=24)
    assert (smaller.file_name, smaller.mime_type, smaller.size) == ("note.ogg", "audio/ogg", 500)
    words = told.read_text().split()
    assert words[words.index("-b:a") + 1] == "24k"
    assert words[words.index("-ac") + 1] == "1"
    assert VOICE.optimized() is VOICE


def test_a_recording_that_is_none(ffmpeg: Any) -> None:
    ffmpeg("cat > /dev/null; exit 1")
    with pytest.raises(RequestValidationError, match="send it as it is"):
        VOICE.optimized(audio=True)


def test_a_recording_that_gains_nothing_stays(ffmpeg: Any) -> None:
    ffmpeg("cat; echo more")
    assert VOICE.optimized(audio=True) is VOICE


def test_ffmpeg_that_hangs_is_ended(ffmpeg: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ffmpeg("exec sleep 60")
    monkeypatch.setattr(_optimizing, "_FFMPEG_S", 0.05)
    with pytest.raises(RequestValidationError, match="within"):
        VOICE.optimized(audio=True)


def test_without_ffmpeg_the_error_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError, match="ffmpeg"):
        VOICE.optimized(audio=True)


def test_it_can_be_sent() -> None:
    fake = FakeEvolution(api_key="k")
    fake.create_instance("bot")
    media = asyncio.run(asyncio.to_thread(Media.from_bytes(photo(), file_name="a.jpg").optimized))
    with fake.http_client() as http:
        client = EvolutionClient("http://fake", "k", instance="bot", http_client=http)
        assert client.messages.send_media("5511999999999", media, caption="oi").id


def test_the_colour_profile_of_a_print_does_not_stay_at_a_picture_for_screens() -> None:
    """A viewer would read the RGB of the result as ink."""
    profile = b"\0" * 16 + b"CMYK" + b"\0" * 108
    media = Media.from_bytes(photo(mode="CMYK", icc_profile=profile), file_name="print.jpg")
    smaller = opened(media.optimized())
    assert smaller.mode == "RGB"
    assert "icc_profile" not in smaller.info


def test_an_image_of_more_than_eight_bits_is_not_bleached() -> None:
    made = io.BytesIO()
    pixels = random.Random(1).randbytes(500_000)
    Image.frombytes("I;16", (500, 500), pixels).save(made, "PNG")
    media = Media.from_bytes(made.getvalue(), file_name="scan.png")
    assert media.optimized() is media
