"""Identifiers in the server's formats, drawn from one seeded source."""

from __future__ import annotations

import base64
import random
import re
import string
import uuid
from collections.abc import Callable
from typing import Any

_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
_ALPHANUMERIC = string.ascii_letters + string.digits
_DEVICES = (
    ("3A.{18}", "ios"),
    ("3E.{20}", "web"),
    (".{21}|.{32}", "android"),
    ("3F.*|.{18}", "desktop"),
)
_REFERENCE = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


class Ids:
    """Makes ids; the same seed gives the same ones.

    Args:
        chance: The source of randomness.
        now_ms: Source of the time part of row ids, in milliseconds.
    """

    def __init__(self, chance: random.Random, now_ms: Callable[[], float]) -> None:
        self._chance = chance
        self._now_ms = now_ms
        self._counter = 0

    def _text(self, alphabet: str, length: int) -> str:
        return "".join(self._chance.choices(alphabet, k=length))

    def _count(self) -> int:
        self._counter += 1
        return self._counter

    def row(self) -> str:
        """Make a database row id (cuid)."""
        # Time, counter and chance, like a cuid: rows sort by creation.
        stamp = _base36(int(self._now_ms()))
        return f"c{stamp}{_base36(self._count()).rjust(4, '0')}{self._text(_BASE36, 12)}"

    def uuid(self) -> str:
        """Make a random UUID."""
        return str(uuid.UUID(int=self._chance.getrandbits(128), version=4))

    def whatsapp(self, prefix: str = "3EB0", length: int = 18) -> str:
        """Make a WhatsApp message id; ``3EB0`` and 18 hexadecimal digits is WhatsApp Web's form."""
        return prefix + f"{self._chance.getrandbits(4 * length):0{length}X}"

    def older_whatsapp(self) -> str:
        """Make a WhatsApp message id as long as 2.2.3 makes them."""
        return self.whatsapp(length=36)

    def wamid(self, recipient: str) -> str:
        """Make a message id of Meta's."""
        raw = f"fake-{recipient}-{self._count():08d}".encode()
        return "wamid." + base64.b64encode(raw).decode()

    def media(self) -> str:
        """Make a media id of Meta's."""
        return f"9{self._count():014d}"

    def group(self) -> str:
        """Make the JID of a new group."""
        return f"120363{self._chance.randrange(10**12):012d}@g.us"

    def invite_code(self) -> str:
        """Make the code of a group's invitation link."""
        return self._text(_ALPHANUMERIC, 22)

    def reference(self) -> str:
        """Make the reference of a payment button."""
        return self._text(_REFERENCE, 11)

    def secret(self, length: int = 32) -> bytes:
        """Draw random bytes."""
        return self._chance.randbytes(length)


def source_of(key_id: Any) -> str:
    """Tell which device made a message id, by its length and beginning, as the library does.

    Args:
        key_id: The id; callers may have chosen anything.
    """
    text = str(key_id)
    for pattern, device in _DEVICES:
        if re.fullmatch(pattern, text):
            return device
    return "unknown"


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = _BASE36[rest] + digits
    return digits or "0"
