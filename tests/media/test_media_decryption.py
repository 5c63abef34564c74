"""WhatsApp's encrypted files are decrypted, and never believed before they are verified."""

from __future__ import annotations

import base64
import subprocess
import sys
from typing import Any

import pytest

import facts
from encrypted_files import KEY, Encrypted, encrypt
from evolution_sdk.media.decryption import (
    ENCRYPTION_OVERHEAD_BYTES,
    DamagedMediaError,
    MediaDecryptor,
    can_decrypt,
)

WORDS = {
    "image": "Image",
    "sticker": "Image",
    "video": "Video",
    "audio": "Audio",
    "document": "Document",
}


def decrypted(body: bytes, kind: str = "image", piece: int = 7, **more: Any) -> bytes:
    decryptor = MediaDecryptor(more.pop("key", KEY), kind, **more)
    parts = [decryptor.feed(body[at : at + piece]) for at in range(0, len(body), piece)]
    return b"".join([*parts, decryptor.finish()])


def as_bytes(told: Any) -> bytes:
    return base64.b64decode(told) if isinstance(told, str) else bytes(told.values())


def recorded_sends() -> list[Any]:
    """What servers made of files whose bytes are known, with the key that they chose."""
    found: list[Any] = []
    for version in ("2.2.3", "2.3.7", "2.4-pre"):
        for one in facts.read(f"versions/{version}/baileys_exchanges.json"):
            asked, answer = one["request"].get("json"), one["response"].get("json")
            # Of images 2.3 makes others first, whose bytes are not known.
            if one["name"] != "sendMedia document base64":
                continue
            (content,) = (answer["message"].get(f"{kind}Message") for kind in [asked["mediatype"]])
            found.append(pytest.param(asked, content, id=f"{version} {one['name']}"))
    return found


@pytest.mark.parametrize(("asked", "content"), recorded_sends())
def test_what_a_server_encrypted_is_decrypted(asked: Any, content: Any) -> None:
    plain, kind = base64.b64decode(asked["media"]), asked["mediatype"]
    key, sha256 = as_bytes(content["mediaKey"]), as_bytes(content["fileSha256"])
    copy = encrypt(plain, WORDS[kind], key)
    # The recording has no encrypted bytes, but their hash.
    assert (copy.sha256, copy.enc_sha256) == (sha256, as_bytes(content["fileEncSha256"]))
    more: dict[str, Any] = {"file_sha256": sha256, "file_enc_sha256": copy.enc_sha256, "key": key}
    assert decrypted(copy.body, kind, **more) == plain


def test_there_are_recordings_to_check_against() -> None:
    assert len(recorded_sends()) >= 2


@pytest.mark.parametrize("kind", WORDS)
@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 4096])
def test_any_size_in_any_pieces(kind: str, size: int) -> None:
    plain = bytes(n % 251 for n in range(size))
    copy = encrypt(plain, WORDS[kind])
    assert len(copy.body) <= size + ENCRYPTION_OVERHEAD_BYTES
    for piece in (1, 10, 16, 26, 5000):
        assert decrypted(copy.body, kind, piece, file_sha256=copy.sha256) == plain


COPY = encrypt(b"a photo of a cat, and of its owner" * 3, "Image")


def changed(copy: Encrypted, at: int) -> bytes:
    body = bytearray(copy.body)
    body[at] ^= 1
    return bytes(body)


@pytest.mark.parametrize("at", [0, 17, 40, -11, -10, -1])
def test_a_changed_byte_is_noticed(at: int) -> None:
    with pytest.raises(DamagedMediaError, match="HMAC"):
        decrypted(changed(COPY, at))


@pytest.mark.parametrize("size", [0, 5, 10, 26, len(COPY.body) - 16, len(COPY.body) - 1])
def test_a_file_that_was_cut_short_is_noticed(size: int) -> None:
    with pytest.raises(DamagedMediaError):
        decrypted(COPY.body[:size])


def test_the_key_of_another_kind_of_file_is_another_key() -> None:
    with pytest.raises(DamagedMediaError, match="HMAC"):
        decrypted(COPY.body, "video")
    with pytest.raises(DamagedMediaError, match="HMAC"):
        decrypted(COPY.body, key=bytes(32))


def test_the_hashes_must_be_those_that_the_message_tells() -> None:
    with pytest.raises(DamagedMediaError, match="fileSha256"):
        decrypted(COPY.body, file_sha256=bytes(32))
    with pytest.raises(DamagedMediaError, match="fileEncSha256"):
        decrypted(COPY.body, file_enc_sha256=bytes(32))
    # A hash that is none is not one that was not told.
    with pytest.raises(DamagedMediaError, match="fileSha256"):
        decrypted(COPY.body, file_sha256=b"\x01\x02")


@pytest.mark.parametrize(("key", "kind"), [(KEY[:31], "image"), (b"", "image"), (KEY, "history")])
def test_a_key_that_fits_nothing_is_refused(key: bytes, kind: str) -> None:
    assert not can_decrypt(key, kind)
    with pytest.raises(DamagedMediaError, match="no key"):
        MediaDecryptor(key, kind)


def test_the_last_block_is_kept_back_until_all_is_verified() -> None:
    """Whoever ignores that pieces are not verified still lacks the end of the file."""
    decryptor = MediaDecryptor(KEY, "image")
    early = decryptor.feed(COPY.body)
    assert early == (b"a photo of a cat, and of its owner" * 3)[: len(early)]
    assert len(early) < 34 * 3


def test_without_the_extra_the_error_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['cryptography'] = None\n"
        "from evolution_sdk.media.decryption import MediaDecryptor\n"
        "MediaDecryptor(bytes(32), 'image')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "ConfigurationError" in done.stderr
    assert "pip install 'evolutionapi-sdk[media]'" in done.stderr
