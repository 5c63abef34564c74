"""The QR code of the fake: a picture that a phone could scan."""

from __future__ import annotations

import base64
import re
import struct
import sys
import zlib

import pytest
import segno
from delivery_stage import ask

from evolution_sdk.testing import FakeClock, FakeEvolution
from evolution_sdk.testing.fake import qr
from evolution_sdk.testing.fake.ids import Ids

# Recorded: `2@SIMREF,AAAAnoise=,BBBBidentity=,CCCCadv=`; a reference and three keys of 32 bytes.
FORM = re.compile(r"^2@[A-Za-z0-9+/]{40,}={0,2}(,[A-Za-z0-9+/]{43}=){3}$")


def pixels(png: bytes) -> tuple[int, int, list[list[bool]]]:
    """Read a PNG of palette or grey pixels: which of them are dark."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, parts = 8, dict[bytes, bytes]()
    while at < len(png):
        size, kind = struct.unpack(">I4s", png[at : at + 8])
        data = png[at + 8 : at + 8 + size]
        (check,) = struct.unpack(">I", png[at + 8 + size : at + 12 + size])
        assert check == zlib.crc32(kind + data)
        parts[kind] = parts.get(kind, b"") + data
        at += 12 + size
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", parts[b"IHDR"])
    assert (depth, colour, interlaced) == (1, 3, 0)
    palette = [parts[b"PLTE"][at : at + 3] for at in (0, 3)]
    dark = palette.index(bytes.fromhex(qr.COLOR.removeprefix("#")))
    assert palette[1 - dark] == b"\xff\xff\xff"
    raw, stride = zlib.decompress(parts[b"IDAT"]), (width + 7) // 8
    rows: list[list[bool]] = []
    above = [0] * stride
    for line in range(height):
        filtered, *packed = raw[line * (stride + 1) : (line + 1) * (stride + 1)]
        assert filtered in (0, 2)  # as it is, or as the difference to the row above
        if filtered == 2:
            packed = [(byte + over) % 256 for byte, over in zip(packed, above, strict=True)]
        above = packed
        bits = "".join(f"{byte:08b}" for byte in packed)[:width]
        rows.append([int(bit) == dark for bit in bits])
    return width, height, rows


def modules(data_url: str) -> list[list[bool]]:
    """The modules of a drawn QR code, its margin checked and taken off."""
    kind, _, data = data_url.partition(",")
    assert kind == "data:image/png;base64"
    width, height, rows = pixels(base64.b64decode(data))
    assert width == height
    sampled = [row[qr.SCALE // 2 :: qr.SCALE] for row in rows[qr.SCALE // 2 :: qr.SCALE]]
    margin = qr.MARGIN
    assert not any(any(row) for row in sampled[:margin] + sampled[-margin:])
    assert not any(any(row[:margin] + row[-margin:]) for row in sampled)
    return [row[margin:-margin] for row in sampled[margin:-margin]]


def test_connect_shows_a_code_that_its_picture_holds() -> None:
    fake = FakeEvolution(clock=FakeClock())
    fake.create_instance("new", state="close")
    shown = ask(fake, "GET", "/instance/connect/new").json()
    assert FORM.match(shown["code"])
    expected = segno.make_qr(shown["code"], error="h", boost_error=False, mask=qr.MASK)
    assert modules(shown["base64"]) == [[bool(bit) for bit in row] for row in expected.matrix]


def test_the_event_carries_the_same_and_the_next_is_another() -> None:
    fake = FakeEvolution(clock=FakeClock())
    fake.create_instance("new", state="close")
    shown = ask(fake, "GET", "/instance/connect/new").json()
    told = next(e["data"]["qrcode"] for e in fake.events if e["event"] == "qrcode.updated")
    assert (told["code"], told["base64"]) == (shown["code"], shown["base64"])
    fake.set_state("new", "close")
    again = ask(fake, "GET", "/instance/connect/new").json()
    assert again["code"] != shown["code"]
    assert again["base64"] != shown["base64"]


def test_without_the_library_the_picture_is_a_pixel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "segno", None)
    code = qr.new_code(Ids(__import__("random").Random(99), lambda: 0.0))
    assert qr.draw.__wrapped__(code) == qr.PLACEHOLDER
