"""Open files and uploads of any library as media."""

from __future__ import annotations

import inspect
import io
import threading
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import PurePosixPath
from typing import Any, Protocol, TypeAlias

from evolution_sdk._base.forking import free_in_child, in_child
from evolution_sdk.errors import RequestValidationError

from ._urls import printable

__all__ = ["MAX_OPEN_FILE_BYTES", "BinaryFile", "FileLike", "UploadedFile", "UploadedStream"]

_FIELD = "media"
_CHUNK = 1024 * 1024

MAX_OPEN_FILE_BYTES = 128 * 1024 * 1024
"""Limit of an open file, and of one fetched by this client, in bytes: both are held in memory."""


class BinaryFile(Protocol):
    """An object open for reading bytes: ``open(…, "rb")``, ``io.BytesIO``, Django's uploads."""

    def read(self, size: int = ..., /) -> bytes:
        """Read at most ``size`` bytes, or all that are left without an argument."""
        ...


class UploadedFile(Protocol):
    """Upload that keeps its bytes in ``file``, such as Starlette's and FastAPI's."""

    @property
    def filename(self) -> str | None:
        """The name given by the uploader."""
        ...

    @property
    def file(self) -> BinaryFile:
        """The file that holds its bytes."""
        ...


class UploadedStream(Protocol):
    """Upload that keeps its bytes in ``stream``, such as Flask's and Werkzeug's."""

    @property
    def filename(self) -> str | None:
        """The name given by the uploader."""
        ...

    @property
    def stream(self) -> BinaryFile:
        """The file that holds its bytes."""
        ...


FileLike: TypeAlias = BinaryFile | UploadedFile | UploadedStream
"""An open file, or an upload of a web framework."""


def is_file(value: object) -> bool:
    """Tell whether a value is an open file or an upload."""
    return any(
        callable(getattr(getattr(value, name, None) if name else value, "read", None))
        for name in ("", "file", "stream")
    )


def content_of(file: object, limit_bytes: int) -> bytes:
    """Read a whole file, from its beginning if it can be rewound, and restore its position.

    An earlier reader (a check of the type, for example) may have left it in the middle, and a
    caller that sends one file to several numbers passes it several times.

    Args:
        file: An open file or an upload.
        limit_bytes: Limit of bytes to read.

    Raises:
        RequestValidationError: It is not open, not binary, not readable, or larger.
    """
    source = _source(file)
    # Whatever a foreign object raises becomes an error about the argument, before anything is sent.
    try:
        with _TURNS.of(source):
            before = _rewind(source)
            try:
                return _read(source, limit_bytes)
            finally:
                if before is not None:
                    with suppress(Exception):
                        source.seek(before)
    except RequestValidationError:
        raise
    # Python's own files raise ValueError if they are closed or write-only.
    except ValueError:
        raise RequestValidationError(
            _FIELD, "must be an open file; this one is closed, or not open for reading"
        ) from None
    except Exception as error:  # noqa: BLE001 - whatever a foreign object raises
        raise RequestValidationError(
            _FIELD, f"must be a readable file; its read() raised {type(error).__name__}"
        ) from None


def name_of(file: object) -> str | None:
    """Return the file's own name without directories, or None.

    ``filename`` goes first, because an upload's ``name`` may be that of the form field.
    """
    for attribute in ("filename", "name"):
        found = getattr(file, attribute, None)
        if isinstance(found, str):
            name = printable(PurePosixPath(found.replace("\\", "/")).name)
            if name not in ("", ".", ".."):
                return name
        # An upload without a file name has none; its ``name`` is the field's.
        if attribute == "filename" and hasattr(file, "filename"):
            return None
    return None


def type_of_upload(file: object) -> str | None:
    """Return the type that an upload's sender declared, or None."""
    found = getattr(file, "content_type", None)
    return found if isinstance(found, str) and found.isprintable() else None


class _Turns:
    """Locks that let one thread at a time read a file, whose position all threads share.

    Without them, a file sent to many numbers at once would arrive in pieces.
    """

    def __init__(self) -> None:
        self.forget()
        in_child(self.forget)

    @contextmanager
    def of(self, source: object) -> Generator[None]:
        """Hold the lock of a file."""
        # An entry is removed with its last user, so an id in the table is never reused.
        key = id(source)
        with self._guard:
            lock = self._locks.setdefault(key, threading.Lock())
            self._users[key] += 1
        try:
            with lock:
                yield
        finally:
            with self._guard:
                self._users[key] -= 1
                if not self._users[key]:
                    del self._users[key], self._locks[key]

    def forget(self) -> None:
        """Drop all locks, for a forked process, in which no thread is left to release them."""
        self._guard = free_in_child(threading.Lock())
        self._locks: dict[int, threading.Lock] = {}
        self._users: Counter[int] = Counter()


_TURNS = _Turns()


def _source(file: Any) -> Any:
    """Find the object with a blocking ``read``; Starlette's own has to be awaited."""
    for name in ("", "file", "stream"):
        found = getattr(file, name, None) if name else file
        read = getattr(found, "read", None)
        if callable(read) and not inspect.iscoroutinefunction(read):
            if isinstance(found, io.TextIOBase):
                raise _text_mode()
            return found
    raise RequestValidationError(_FIELD, "must be a file, not an async one: pass await file.read()")


def _rewind(source: Any) -> int | None:
    """Go to the beginning, and return the former position; None if it cannot be rewound."""
    try:
        if not source.seekable():
            return None
        before: int = source.tell()
        source.seek(0)
    except (AttributeError, OSError):
        return None
    return before


def _read(source: Any, limit_bytes: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        # One byte above the limit is enough to recognise a file that is too large.
        part: Any = source.read(min(_CHUNK, limit_bytes + 1 - size))
        if isinstance(part, str):
            raise _text_mode()
        if inspect.isawaitable(part):
            if inspect.iscoroutine(part):
                part.close()  # or Python warns that it was never awaited
            raise RequestValidationError(
                _FIELD, "must be a file, not an async one: pass await file.read()"
            )
        if part is None:
            raise RequestValidationError(_FIELD, "must be a file in blocking mode")
        if not isinstance(part, bytes):
            raise RequestValidationError(_FIELD, "must be a file whose read() returns bytes")
        if not part:
            return b"".join(parts)
        parts.append(part)
        size += len(part)
        if size > limit_bytes:
            raise RequestValidationError(
                _FIELD, f"must have at most {limit_bytes} bytes as an open file: pass a Path"
            )


def _text_mode() -> RequestValidationError:
    return RequestValidationError(
        _FIELD, 'must be open in binary mode, not as text: open(…, "rb"), or io.BytesIO'
    )
