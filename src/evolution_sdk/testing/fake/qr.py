"""QR codes as the server shows them: WhatsApp's text, and a picture that really holds it."""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import Any, Final

from .ids import Ids

PLACEHOLDER: Final = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
"""The picture where ``segno`` is missing: one pixel."""

# As the server asks its own library (`whatsapp.baileys.service.ts`, `QRCODE_COLOR`).
LEVEL: Final = "h"
SCALE: Final = 4
MARGIN: Final = 3
COLOR: Final = "#198754"
MASK: Final = 2

_REFERENCE_BYTES: Final = 90
_KEY_BYTES: Final = 32


def new_code(ids: Ids) -> str:
    """Make the text of a QR code: a reference and three keys, as WhatsApp Web's."""
    keys = [base64.b64encode(ids.secret(_KEY_BYTES)).decode() for _ in range(3)]
    return ",".join([f"2@{base64.b64encode(ids.secret(_REFERENCE_BYTES)).decode()}", *keys])


# Fakes with equal seeds show equal codes, and drawing one takes tens of milliseconds.
@lru_cache(maxsize=256)
def draw(code: str) -> str:
    """Draw a QR code.

    Args:
        code: Its text.

    Returns:
        A PNG as data URL; one pixel where ``segno`` (extra ``testing``) is not installed.
    """
    library = _segno()
    if library is None:
        return PLACEHOLDER
    # Any mask can be read; trying all of them for the best takes most of the time.
    made = library.make_qr(code, error=LEVEL, boost_error=False, mask=MASK)
    return str(made.png_data_uri(scale=SCALE, border=MARGIN, dark=COLOR, light="#ffffff"))


def _segno() -> Any:
    try:
        import segno
    except ImportError:
        return None
    return segno
