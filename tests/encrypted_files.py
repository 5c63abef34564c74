"""Encrypts files as WhatsApp's phones do, independently of the code under test.

Written after Baileys' ``encryptedStream`` (``src/Utils/messages-media.ts``) with the library's own
HKDF, HMAC and padding. That it is right is shown by what a server recorded: the same key and the
same file give the same hash of the encrypted file.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes, hmac, padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY = bytes(range(1, 33))
"""The key of the recorded messages of a phone."""


@dataclass(frozen=True)
class Encrypted:
    body: bytes
    sha256: bytes
    enc_sha256: bytes
    key: bytes = KEY


def encrypt(plain: bytes, words: str, key: bytes = KEY) -> Encrypted:
    """Encrypt a file; ``words`` is ``Image``, ``Video``, ``Audio`` or ``Document``."""
    info = f"WhatsApp {words} Keys".encode()
    derived = HKDF(hashes.SHA256(), 112, None, info).derive(key)
    vector, cipher_key, mac_key = derived[:16], derived[16:48], derived[48:80]
    padder = padding.PKCS7(128).padder()
    padded = padder.update(plain) + padder.finalize()
    aes = Cipher(algorithms.AES(cipher_key), modes.CBC(vector)).encryptor()
    inner = aes.update(padded) + aes.finalize()
    mac = hmac.HMAC(mac_key, hashes.SHA256())
    mac.update(vector + inner)
    body = inner + mac.finalize()[:10]
    return Encrypted(body, hashlib.sha256(plain).digest(), hashlib.sha256(body).digest(), key)
