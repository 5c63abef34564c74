"""The content of a message as the outbox keeps it: the request's body, and its file beside it."""

from __future__ import annotations

import binascii
import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from typing import Any, Literal, Protocol

from evolution_sdk._base.request import FilePart
from evolution_sdk.errors import ConfigurationError, RequestValidationError

__all__ = ["Cipher", "FileRef", "Payload", "StoredFile", "keep_file", "open_cipher", "put_back"]

_SEALED = b"\x01"


class Cipher(Protocol):
    """Encrypts what is kept."""

    def seal(self, plain: bytes) -> bytes:
        """Encrypt."""
        ...

    def open(self, sealed: bytes) -> bytes:
        """Decrypt.

        Raises:
            ConfigurationError: The key is not the one it was encrypted with.
        """
        ...

    def tag(self, content: bytes) -> str:
        """Name some content, so that nobody without the key can tell what it is."""
        ...


@dataclass(frozen=True, slots=True)
class FileRef:
    """A reference to a file that is kept beside the row.

    Attributes:
        name: Under what it is kept.
        digest: SHA-256 of its bytes.
        size: Its size, in bytes.
        form: How it travels: as a part of its own, or as base64 in a field of the body.
        field: That field; empty for a part.
        filename: The name that the recipient sees; for a part.
        mimetype: Its type; for a part.
    """

    name: str
    digest: str
    size: int
    form: Literal["part", "base64"]
    field: str = ""
    filename: str = dataclass_field(default="", repr=False)
    mimetype: str = ""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file to be kept beside the row.

    Attributes:
        name: Under what it is kept.
        content: Its bytes, encrypted where that is wanted.
        size: Its size, in bytes.
    """

    name: str
    content: bytes = dataclass_field(repr=False)
    size: int


@dataclass(frozen=True, slots=True)
class Payload:
    """The content of one message.

    Attributes:
        operation: Key of the operation.
        instance: The instance.
        body: Its body, with the server's names; without the file.
        hold_ms: How long the server holds its answer on purpose, in milliseconds.
        delay_ms: How long to wait before the call, in milliseconds.
        message_id: The id that the caller chose for it; None where none was chosen.
        file: Its file; None without one.
    """

    operation: str
    instance: str
    body: Mapping[str, Any] = dataclass_field(repr=False)
    hold_ms: float = 0
    delay_ms: float = 0
    message_id: str | None = None
    file: FileRef | None = None

    def dump(self, cipher: Cipher | None) -> bytes:
        """Return it as it is kept.

        Args:
            cipher: Encrypts it; None leaves it readable.
        """
        made: dict[str, Any] = {
            "operation": self.operation,
            "instance": self.instance,
            "body": self.body,
            "hold_ms": self.hold_ms,
            "delay_ms": self.delay_ms,
            "message_id": self.message_id,
        }
        if self.file is not None:
            made["file"] = {name: getattr(self.file, name) for name in FileRef.__slots__}
        # ASCII: a text may hold a lone surrogate, which has no UTF-8.
        plain = json.dumps(made, separators=(",", ":")).encode("ascii")
        return plain if cipher is None else _SEALED + cipher.seal(plain)

    @classmethod
    def load(cls, kept: bytes, cipher: Cipher | None) -> Payload:
        """Read it as it is kept.

        Args:
            kept: The bytes.
            cipher: Decrypts it.

        Raises:
            ConfigurationError: It is encrypted, and the key is missing or another one.
        """
        kept = bytes(kept)
        if kept.startswith(_SEALED):
            if cipher is None:
                raise ConfigurationError(
                    "The outbox holds encrypted messages: set EVOLUTION_OUTBOX_KEY to their key.",
                    variable="EVOLUTION_OUTBOX_KEY",
                )
            kept = cipher.open(kept[len(_SEALED) :])
        told: dict[str, Any] = json.loads(kept)
        ref = told.pop("file", None)
        return cls(**told, file=None if ref is None else FileRef(**ref))

    def differs(self, other: Payload) -> tuple[str, ...]:
        """Name the parts in which it differs from another one; empty for the same content.

        Args:
            other: The other one.
        """
        found = [
            name
            for name in ("operation", "instance")
            if getattr(self, name) != getattr(other, name)
        ]
        if found:
            return tuple(found)
        ours, theirs = _plain(self.body), _plain(other.body)
        names = dict.fromkeys((*ours, *theirs))
        found = [name for name in names if ours.get(name) != theirs.get(name)]
        one, two = self.file, other.file
        if (one is None) is not (two is None):
            found.append("file")
        elif one is not None and two is not None:
            if one.digest != two.digest:
                found.append("file")
            # A file within the body is told by fields of the body.
            told = ("filename", "mimetype") if one.form == two.form else ()
            found += [name for name in told if getattr(one, name) != getattr(two, name)]
        if self.message_id != other.message_id:
            found.append("message_id")
        return tuple(found)


def _plain(body: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(dict(body)))
    return made


def keep_file(
    payload: Payload,
    part: FilePart | None,
    base64_field: str | None,
    cipher: Cipher | None,
    limit_bytes: int,
) -> tuple[Payload, StoredFile | None]:
    """Take the file out of a message, to be kept beside its row.

    Args:
        payload: The message, with base64 still in its body.
        part: The file part of a multipart request, with its bytes; None without one.
        base64_field: The field of the body that holds a file as base64; None without one.
        cipher: Encrypts it.
        limit_bytes: Largest file that is kept.

    Returns:
        The message with a reference, and the file; None without a file.

    Raises:
        RequestValidationError: It is larger than allowed.
    """
    if part is not None:
        data = part.content if isinstance(part.content, bytes) else part.content.read_bytes()
        made = FileRef("", "", len(data), "part", "", part.filename, part.mimetype)
    elif base64_field is not None:
        try:
            data = b64decode(payload.body[base64_field], validate=True)
        except (binascii.Error, ValueError, TypeError):
            return payload, None  # a URL, or whatever else the server is to make sense of
        body = {name: one for name, one in payload.body.items() if name != base64_field}
        payload = replace(payload, body=body)
        made = FileRef("", "", len(data), "base64", base64_field)
    else:
        return payload, None
    if len(data) > limit_bytes:
        raise RequestValidationError(
            "media",
            f"is {len(data)} bytes, more than the outbox keeps beside a message "
            f"({limit_bytes}): give its URL instead, or raise max_file_bytes",
        )
    digest = hashlib.sha256(data).hexdigest()
    name = digest if cipher is None else cipher.tag(data)
    stored = StoredFile(name, data if cipher is None else _SEALED + cipher.seal(data), len(data))
    return replace(payload, file=replace(made, name=name, digest=digest)), stored


def put_back(
    payload: Payload, kept: bytes | None, cipher: Cipher | None
) -> tuple[dict[str, Any], FilePart | None]:
    """Build the body and the file of the request again.

    Args:
        payload: The message.
        kept: The file as it is kept; None without one.
        cipher: Decrypts it.

    Returns:
        The body, and the file part of a multipart request.
    """
    body, ref = dict(payload.body), payload.file
    if ref is None or kept is None:
        return body, None
    data = bytes(kept)
    if data.startswith(_SEALED) and hashlib.sha256(data).hexdigest() != ref.digest:
        if cipher is None:
            raise ConfigurationError(
                "The outbox holds encrypted files: set EVOLUTION_OUTBOX_KEY to their key.",
                variable="EVOLUTION_OUTBOX_KEY",
            )
        data = cipher.open(data[len(_SEALED) :])
    if ref.form == "part":
        return body, FilePart(ref.filename, data, ref.mimetype)
    body[ref.field] = b64encode(data).decode("ascii")
    return body, None


def open_cipher(keys: str) -> Cipher:
    """Return the cipher of one or several keys; the first encrypts, all decrypt.

    Args:
        keys: Keys of Fernet, separated by commas.

    Raises:
        ConfigurationError: A key is none, or cryptography is not installed.
    """
    try:
        from cryptography.fernet import Fernet, InvalidToken, MultiFernet
    except ImportError:
        raise ConfigurationError(
            "Encrypting the outbox needs cryptography: pip install 'evolutionapi-sdk[media]'.",
            variable="evolutionapi-sdk[media]",
        ) from None
    given = [one.strip() for one in keys.split(",") if one.strip()]
    try:
        many = MultiFernet([Fernet(one) for one in given])
    except (ValueError, binascii.Error):
        raise ConfigurationError(
            "EVOLUTION_OUTBOX_KEY: must be a key of Fernet (32 bytes in URL-safe base64), or "
            "several separated by commas. Make one with: python -c 'from cryptography.fernet "
            "import Fernet; print(Fernet.generate_key().decode())'.",
            variable="EVOLUTION_OUTBOX_KEY",
        ) from None
    return _Fernet(many.encrypt, many.decrypt, InvalidToken, given[0].encode())


@dataclass(frozen=True, slots=True)
class _Fernet:
    encrypt: Callable[[bytes], bytes] = dataclass_field(repr=False)
    decrypt: Callable[[bytes], bytes] = dataclass_field(repr=False)
    wrong: type[Exception] = dataclass_field(repr=False)
    key: bytes = dataclass_field(repr=False)

    def seal(self, plain: bytes) -> bytes:
        return self.encrypt(plain)

    def open(self, sealed: bytes) -> bytes:
        try:
            return self.decrypt(sealed)
        except self.wrong:
            raise ConfigurationError(
                "EVOLUTION_OUTBOX_KEY is not the key with which the outbox was encrypted. Name "
                "the old key after the new one, separated by a comma.",
                variable="EVOLUTION_OUTBOX_KEY",
            ) from None

    def tag(self, content: bytes) -> str:
        return hmac.new(self.key, content, hashlib.sha256).hexdigest()
