"""Decode the forms that WhatsApp's protocol buffers take in the server's JSON.

Facts: `facts/semantics.md` §6, `facts/observed.md` "Response shapes that vary" 2.
"""

from __future__ import annotations

import base64
import binascii
import re

from evolution_sdk._base.json_types import is_array, is_object

_DECIMAL = re.compile(r"-?[0-9]{1,20}")
_LOW_BITS = 32
_MASK = 0xFFFFFFFF


def decode_long(value: object) -> int | None:
    """Read a 64-bit integer in any form the server uses.

    Args:
        value: An int, a decimal string, or ``{low, high, unsigned}`` (low may be negative).

    Returns:
        The integer, or None for any other value.
    """
    if type(value) is int:  # nearly always
        return value
    # A bool is an int in Python.
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        return int(value) if _DECIMAL.fullmatch(value) else None
    if is_object(value):
        low, high = value.get("low"), value.get("high")
        if isinstance(low, int) and isinstance(high, int):
            # JavaScript's 32-bit halves are signed: the low one is negative from 2**31 on.
            number = ((high & _MASK) << _LOW_BITS) | (low & _MASK)
            if not value.get("unsigned") and number >= 1 << 63:
                number -= 1 << 64
            return number
    return None


def decode_bytes(value: object) -> bytes | None:
    """Read bytes in any form the server uses.

    Args:
        value: ``{"0": 232, "1": 74}``, ``{"type": "Buffer", "data": [...]}``, a list of ints, or
            base64 text.

    Returns:
        The bytes, or None for any other value.
    """
    if isinstance(value, bytes):
        return value
    try:
        if isinstance(value, str):
            return base64.b64decode(value, validate=True)
        if is_object(value):
            if value.get("type") != "Buffer":
                return bytes(value[str(i)] for i in range(len(value)))
            value = value.get("data")
        if is_array(value):
            return bytes(value)
    except (KeyError, TypeError, ValueError, binascii.Error):
        return None
    return None
