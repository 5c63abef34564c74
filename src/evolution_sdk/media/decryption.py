"""Decryption of the files that WhatsApp keeps, piece by piece and without I/O.

WhatsApp's servers keep a file encrypted; the message holds its key. From the key and the kind of
file follow (HKDF-SHA256) an initial vector of 16 bytes, a key for AES-256-CBC and one for
HMAC-SHA256. Behind the encrypted bytes stand the first 10 bytes of the HMAC over vector and
encrypted bytes. Source: Baileys, ``src/Utils/messages-media.ts`` and ``src/Defaults/index.ts``;
the recorded sends of a server are decrypted in the tests.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from evolution_sdk.errors import ConfigurationError

__all__ = [
    "ENCRYPTION_OVERHEAD_BYTES",
    "MEDIA_KEY_BYTES",
    "DamagedMediaError",
    "MediaDecryptor",
    "can_decrypt",
]

# A sticker is an image, a round video a video, a voice message an audio.
_INFO: Final[Mapping[str, bytes]] = MappingProxyType(
    {
        "image": b"WhatsApp Image Keys",
        "sticker": b"WhatsApp Image Keys",
        "video": b"WhatsApp Video Keys",
        "audio": b"WhatsApp Audio Keys",
        "document": b"WhatsApp Document Keys",
    }
)
_BLOCK: Final = 16
_MAC_BYTES: Final = 10
_DERIVED_BYTES: Final = 112

MEDIA_KEY_BYTES: Final = 32
"""Length of the key that a message tells."""

ENCRYPTION_OVERHEAD_BYTES: Final = _BLOCK + _MAC_BYTES
"""The most bytes by which an encrypted file is longer."""


class DamagedMediaError(Exception):
    """A file is not the one that its message describes; the text says why."""


def can_decrypt(media_key: bytes, kind: str) -> bool:
    """Tell if a file of this kind can be decrypted with such a key.

    Args:
        media_key: The key that the message tells.
        kind: ``image``, ``video``, ``audio``, ``document`` or ``sticker``.
    """
    return kind in _INFO and len(media_key) == MEDIA_KEY_BYTES


class MediaDecryptor:
    """Decrypts one file, piece by piece.

    What :meth:`feed` returns is not verified yet: keep it to yourself until :meth:`finish` has
    returned.

    Args:
        media_key: The key that the message tells, 32 bytes.
        kind: ``image``, ``video``, ``audio``, ``document`` or ``sticker``.
        file_sha256: The hash of the decrypted file, if the message tells it.
        file_enc_sha256: The hash of the encrypted file, if the message tells it.

    Raises:
        DamagedMediaError: The key has another length, or the kind is another one.
        ConfigurationError: The extra ``media`` is not installed.
    """

    def __init__(
        self,
        media_key: bytes,
        kind: str,
        *,
        file_sha256: bytes | None = None,
        file_enc_sha256: bytes | None = None,
    ) -> None:
        if not can_decrypt(media_key, kind):
            raise DamagedMediaError("the message has no key that fits its kind of file")
        derived = _expanded(media_key, _INFO[kind])
        vector, cipher_key, mac_key = derived[:16], derived[16:48], derived[48:80]
        self._aes = _aes(cipher_key, vector)
        self._mac = hmac.new(mac_key, vector, hashlib.sha256)
        self._plain_hash, self._wanted_plain = hashlib.sha256(), file_sha256
        self._outer_hash, self._wanted_outer = hashlib.sha256(), file_enc_sha256
        # The last bytes that came may be the code, and those decrypted last the padding.
        self._code = b""
        self._tail = b""

    def feed(self, data: bytes) -> bytes:
        """Take the next piece of the encrypted file.

        Args:
            data: The bytes, of any number.

        Returns:
            What could be decrypted by now, not yet verified; may be empty.
        """
        self._outer_hash.update(data)
        data = self._code + data
        body, self._code = data[:-_MAC_BYTES], data[-_MAC_BYTES:]
        self._mac.update(body)
        plain: bytes = self._tail + self._aes.update(body)
        ready, self._tail = plain[:-_BLOCK], plain[-_BLOCK:]
        self._plain_hash.update(ready)
        return ready

    def finish(self) -> bytes:
        """Verify the whole file.

        Returns:
            Its last bytes; it is what the message describes.

        Raises:
            DamagedMediaError: It is not, or was cut short.
        """
        # First of all: nothing is concluded from bytes that somebody else may have written.
        if not hmac.compare_digest(self._mac.digest()[:_MAC_BYTES], self._code):
            raise DamagedMediaError("its authentication code (HMAC) is another one")
        if _differs(self._wanted_outer, self._outer_hash.digest()):
            raise DamagedMediaError("the hash of the encrypted file (fileEncSha256) is another one")
        last = self._unpadded()
        self._plain_hash.update(last)
        if _differs(self._wanted_plain, self._plain_hash.digest()):
            raise DamagedMediaError("the hash of the file (fileSha256) is another one")
        return last

    def _unpadded(self) -> bytes:
        try:
            tail: bytes = self._tail + self._aes.finalize()
        except ValueError:
            raise DamagedMediaError("it does not end with a whole block") from None
        padding = tail[-1] if tail else 0
        if not 0 < padding <= _BLOCK or tail[-padding:] != bytes([padding]) * padding:
            raise DamagedMediaError("its padding is wrong")
        return tail[:-padding]


def _differs(wanted: bytes | None, found: bytes) -> bool:
    return wanted is not None and not hmac.compare_digest(wanted, found)


def _expanded(key: bytes, info: bytes) -> bytes:
    """Derive keys (HKDF of RFC 5869 with SHA-256, without salt)."""
    secret = hmac.digest(bytes(hashlib.sha256().digest_size), key, "sha256")
    derived = block = b""
    count = 0
    while len(derived) < _DERIVED_BYTES:
        count += 1
        block = hmac.digest(secret, block + info + bytes([count]), "sha256")
        derived += block
    return derived[:_DERIVED_BYTES]


def _aes(key: bytes, vector: bytes) -> Any:
    try:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    except ImportError:
        raise ConfigurationError(
            "Decrypting WhatsApp's files needs one more package: "
            "pip install 'evolutionapi-sdk[media]'",
            variable="evolutionapi-sdk[media]",
        ) from None
    return Cipher(algorithms.AES(key), modes.CBC(vector)).decryptor()
