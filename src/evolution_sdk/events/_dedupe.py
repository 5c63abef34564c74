"""Keys of events, equal for every transport and every attempt of the server.

Facts: the server gives no event id; every attempt carries the same body, and the transports carry
the same ``data`` except for bytes, which are index maps in JSON and attachments on the socket
(`facts/events.json` "encoding", `facts/observed.md` "Webhooks").
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

from evolution_sdk._base.json_types import is_array, is_object
from evolution_sdk.models.wire import decode_bytes

_DIGEST_BYTES = 16
_MOST_NAME = 48
_PLAIN: frozenset[type[object]] = frozenset({bool, int, float, type(None)})
_FLAT: frozenset[type[object]] = _PLAIN | {str}
# From here on, a float no longer holds every integer.
_EXACT = 2.0**53


def digest(*parts: object) -> str:
    """Hash decoded JSON (and bytes); the order of keys makes no difference.

    Args:
        *parts: Values of any depth; bytes equal the index map in which JSON carries them.

    Returns:
        32 hexadecimal digits.
    """
    if _FLAT.issuperset(map(type, parts)):
        # The identity of nearly every message: small, and hashed in one step.
        flat = [_text(one) if type(one) is str else _scalar(one) for one in parts]
        return blake2b(b"".join(flat) + b".", digest_size=_DIGEST_BYTES).hexdigest()
    hasher = blake2b(digest_size=_DIGEST_BYTES)
    # A stack instead of recursion: a body may be nested deeper than Python can call functions.
    todo: list[object] = [_Mark(b"."), *reversed(parts)]
    while todo:
        value = todo.pop()
        if type(value) is str:  # nearly all of them, and the others are asked for by slower means
            hasher.update(_text(value))
        elif type(value) in _PLAIN:
            hasher.update(_scalar(value))
        elif isinstance(value, _Mark):
            hasher.update(value)
        elif is_object(value):
            blob = _as_bytes(value)
            if blob is not None:
                hasher.update(b"b%d:" % len(blob) + blob)
                continue
            todo.append(_Mark(b"}"))
            for key in sorted(value, key=str, reverse=True):
                todo.append(value[key])
                todo.append(str(key))
            hasher.update(b"{")
        elif is_array(value):
            todo.append(_Mark(b"]"))
            todo.extend(reversed(value))
            hasher.update(b"[")
        else:
            hasher.update(_scalar(value))
    return hasher.hexdigest()


def dedupe_key(event: str, instance: str, *parts: object) -> str:
    """Make the key of an event: its name, then a hash of everything that identifies it."""
    return f"{event[:_MOST_NAME]}:{digest(event, instance, *parts)}"


class _Mark(bytes):
    """Delimiters on the stack, kept apart from bytes in the data."""

    __slots__ = ()


def _as_bytes(value: Mapping[str, object]) -> bytes | None:
    if not value:
        return b""
    # The two forms in which Node writes bytes: an index map, and {"type": "Buffer", …}.
    if "0" in value or value.get("type") == "Buffer":
        return decode_bytes(value)
    return None


def _text(value: str) -> bytes:
    text = value.encode("utf-8", "surrogatepass")
    return b"s%d:" % len(text) + text


def _scalar(value: object) -> bytes:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bytes | bytearray):
        blob = bytes(value)
        return b"b%d:" % len(blob) + blob
    if value is None or isinstance(value, bool):
        return f"{value};".encode()
    if isinstance(value, float):
        # JavaScript has no integers: 1.0 and 1 are the same value to the server.
        if abs(value) < _EXACT and value.is_integer():
            value = int(value)
        else:
            return f"f{value!r};".encode()
    # Hexadecimal: Python refuses to write a huge integer in decimal, which takes quadratic time.
    return f"i{value:x};".encode() if isinstance(value, int) else f"?{type(value)};".encode()
