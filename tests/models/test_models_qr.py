"""A QR code as picture, as text and in a file."""

from __future__ import annotations

import base64
import stat
import sys
from pathlib import Path

import pytest
import segno

from evolution_sdk.errors import ConfigurationError, RequestValidationError
from evolution_sdk.models.instance import ConnectResult, QrCode

CODE = "2@" + "Ab3/" * 58
PNG = b"\x89PNG\r\n\x1a\n the server's own"


def _uri(content: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"


def test_the_servers_own_picture_is_taken() -> None:
    assert QrCode(code=CODE, base64=_uri(PNG)).png() == PNG
    assert QrCode(base64=base64.b64encode(PNG).decode()).png() == PNG
    assert ConnectResult(code=CODE, base64=_uri(PNG)).png() == PNG


@pytest.mark.parametrize("picture", [None, "", "data:image/png;base64,???", _uri(b"GIF89a")])
def test_else_one_is_drawn(picture: str | None) -> None:
    drawn = QrCode(code=CODE, base64=picture).png()
    assert drawn.startswith(b"\x89PNG")
    assert drawn != PNG


def test_the_text_holds_every_module() -> None:
    lines = QrCode(code=CODE).terminal(ansi=False).splitlines()
    assert (len(lines), {len(line) for line in lines}) == (31, {61})
    halves = {"█": (0, 0), "▀": (0, 1), "▄": (1, 0), " ": (1, 1)}
    rows = [[halves[cell][half] for cell in line] for line in lines for half in (0, 1)]
    made = segno.make_qr(CODE, error="l", boost_error=False)
    assert rows[:61] == [list(map(int, row)) for row in made.matrix_iter(border=2)]


def test_the_text_sets_its_colours_unless_told_not_to() -> None:
    code = QrCode(code=CODE)
    for line in code.terminal().splitlines():
        assert line.startswith("\x1b[38;5;231;48;5;16m")
        assert line.endswith("\x1b[0m")
    assert "\x1b" not in code.terminal(ansi=False)


@pytest.mark.parametrize(("name", "begin"), [("qr.png", b"\x89PNG"), ("qr.SVG", b"<?xml")])
def test_a_file_is_for_its_owner_alone(name: str, begin: bytes, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text("older")
    path.chmod(0o644)
    assert QrCode(code=CODE).save(path) == path
    assert path.read_bytes().startswith(begin)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_what_cannot_be_drawn_is_told(tmp_path: Path) -> None:
    for act in (QrCode().png, QrCode(count=0).terminal, lambda: QrCode().save(tmp_path / "a.svg")):
        with pytest.raises(RequestValidationError, match="wait_for_qr"):
            act()
    with pytest.raises(RequestValidationError, match=r"\.png or \.svg"):
        QrCode(code=CODE).save(tmp_path / "qr.txt")
    with pytest.raises(OSError, match="No such file"):
        QrCode(code=CODE).save(tmp_path / "nowhere" / "qr.png")


def test_without_segno_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "segno", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'evolutionapi-sdk\[cli\]'"):
        QrCode(code=CODE).terminal()
    assert QrCode(code=CODE, base64=_uri(PNG)).png() == PNG


def test_it_never_shows_in_a_repr() -> None:
    assert CODE not in repr(QrCode(code=CODE, base64=_uri(PNG)))
