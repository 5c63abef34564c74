"""Drawing QR codes: as picture, as SVG, as text for a terminal."""

from __future__ import annotations

import base64
import binascii
import io
from itertools import zip_longest
from typing import Any, Final

from evolution_sdk.errors import ConfigurationError, RequestValidationError

__all__ = ["as_png", "as_svg", "as_terminal"]

_PNG: Final = b"\x89PNG"
_SCALE: Final = 8
_QUIET: Final = 4
# WhatsApp reads it with less, and lines of a terminal are few.
_QUIET_TERMINAL: Final = 2
# By (upper, lower) module; light ones are drawn, as terminals mostly are dark.
_BLOCKS: Final = {(0, 0): "█", (0, 1): "▀", (1, 0): "▄", (1, 1): " "}
# White on black whatever the colours of the terminal are, or the code would be inverted.
_WHITE_ON_BLACK: Final = "\x1b[38;5;231;48;5;16m"
_RESET: Final = "\x1b[0m"


def as_png(code: str | None, data_uri: str | None) -> bytes:
    """Return a PNG: the server's own where there is one, else a drawn one.

    Args:
        code: Text of the code.
        data_uri: The server's picture, as a data URI or as bare base64.

    Raises:
        RequestValidationError: There is neither.
        ConfigurationError: It has to be drawn, and segno is not installed.
    """
    if data_uri:
        try:
            picture = base64.b64decode(data_uri.rpartition(",")[2], validate=True)
        except (binascii.Error, ValueError):
            picture = b""
        if picture.startswith(_PNG):
            return picture
    out = io.BytesIO()
    _made(code).save(out, kind="png", scale=_SCALE, border=_QUIET)
    return out.getvalue()


def as_svg(code: str | None) -> bytes:
    """Return an SVG.

    Args:
        code: Text of the code.

    Raises:
        RequestValidationError: There is none.
        ConfigurationError: segno is not installed.
    """
    out = io.BytesIO()
    _made(code).save(out, kind="svg", scale=_SCALE, border=_QUIET, light="#ffffff")
    return out.getvalue()


def as_terminal(code: str | None, *, ansi: bool) -> str:
    """Return lines of half blocks.

    Args:
        code: Text of the code.
        ansi: Whether to set the colours; without, the terminal has to be dark.

    Raises:
        RequestValidationError: There is no code.
        ConfigurationError: segno is not installed.
    """
    rows = iter(_made(code).matrix_iter(border=_QUIET_TERMINAL))
    begin, end = (_WHITE_ON_BLACK, _RESET) if ansi else ("", "")
    lines: list[str] = []
    for upper, lower in zip_longest(rows, rows):
        # An odd number of rows: the last half line is not to look like a light one.
        pairs = zip(upper, lower or [1] * len(upper), strict=True)
        lines.append(f"{begin}{''.join(_BLOCKS[pair] for pair in pairs)}{end}")
    return "\n".join(lines)


def _made(code: str | None) -> Any:
    if not code:
        raise RequestValidationError(
            "code", "is missing: the server has none yet; instances.wait_for_qr() waits for one"
        )
    try:
        import segno
    except ImportError:
        raise ConfigurationError(
            "Drawing a QR code needs segno: pip install 'evolutionapi-sdk[cli]'.",
            variable="evolutionapi-sdk[cli]",
        ) from None
    return segno.make_qr(code, error="l", boost_error=False)
