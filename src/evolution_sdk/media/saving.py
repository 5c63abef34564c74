"""Stores for the bytes of a file that is being fetched: memory, or a file.

A file appears under its name only when it is complete; until then it has another name in the same
folder, and nobody else may read it.
"""

from __future__ import annotations

import os
import re
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Final, Literal, Protocol, TypeAlias

from evolution_sdk._base.forking import free_in_child
from evolution_sdk.errors import RequestValidationError

from ._types import MediaKind, with_extension
from ._urls import printable

__all__ = [
    "FileStore",
    "MediaSource",
    "MemoryStore",
    "SavedMedia",
    "Store",
    "check_folder",
    "check_max_bytes",
    "safe_name",
]

MediaSource: TypeAlias = Literal["event", "url", "server", "whatsapp"]
"""The source of a file: the event itself, its public address (S3), the server's base64 route, or
WhatsApp's encrypted copy."""

_MOST_NAME_BYTES: Final = 150
_MOST_NUMBERS: Final = 1_000
# What some file system or shell does not take in a name.
_UNSAFE = re.compile(r'[<>:"|?*\\/\x00-\x1f\x7f]')
_DEVICES = re.compile(
    r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class SavedMedia:
    """A file that was saved; ``repr`` shows no name that a sender chose.

    Attributes:
        path: Where it is. Only the user of this program may read it (mode ``0600``).
        size_bytes: Its size, in bytes.
        mimetype: Its type, as the sender told it, else as its source did; None if nobody did.
        file_name: The name that the sender gave it, unchanged: never use it as a path. Documents
            only.
        source: ``event``, ``url``, ``server`` or ``whatsapp``.
    """

    path: Path = field(repr=False)
    size_bytes: int
    mimetype: str | None
    file_name: str | None = field(repr=False)
    source: MediaSource


class Store(Protocol):
    """Takes the bytes of a file, from one source after the other."""

    @property
    def size(self) -> int:
        """Number of bytes since the last restart."""
        ...

    def write(self, data: bytes) -> None:
        """Take a piece."""
        ...

    def restart(self) -> None:
        """Forget all pieces."""
        ...

    def set_aside(self) -> None:
        """Keep what came as the second choice, unless there is one, and begin anew."""
        ...

    def take_back(self) -> bool:
        """Make the second choice the file; False without one."""
        ...


class MemoryStore:
    """Keeps a file in memory.

    Args:
        max_bytes: Most bytes accepted.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max = max_bytes
        self._parts: list[bytes] = []
        self._spare: list[bytes] | None = None
        self._size = 0

    @property
    def size(self) -> int:
        """Number of bytes since the last restart."""
        return self._size

    @property
    def content(self) -> bytes:
        """The bytes."""
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)

    def write(self, data: bytes) -> None:
        """Take a piece.

        Raises:
            RequestValidationError: The file is larger than allowed.
        """
        _check_room(self._size + len(data), self._max)
        if data:
            self._parts.append(data)
            self._size += len(data)

    def restart(self) -> None:
        """Forget all pieces."""
        self._parts, self._size = [], 0

    def set_aside(self) -> None:
        """Keep what came as the second choice, unless there is one, and begin anew."""
        if self._spare is None and self._size:
            self._spare = self._parts
        self.restart()

    def take_back(self) -> bool:
        """Make the second choice the file; False without one."""
        if self._spare is None:
            return False
        self._parts, self._spare = self._spare, None
        self._size = sum(map(len, self._parts))
        return True


class _Part:
    """A file that is not complete yet."""

    def __init__(self, folder: Path) -> None:
        # mkstemp lets nobody but this user read it.
        handle, name = tempfile.mkstemp(prefix=".evolution-", suffix=".part", dir=folder)
        self.path = Path(name)
        self.file: IO[bytes] = os.fdopen(handle, "wb")
        self.size = 0

    def remove(self) -> None:
        with suppress(OSError):
            self.file.close()
        with suppress(OSError):
            self.path.unlink()


class FileStore:
    """Keeps a file in a folder; give it up with :meth:`discard`, whatever happened.

    All methods block. One that still runs in a thread while another discards the store leaves no
    file behind.

    Args:
        folder: The folder, which exists.
        max_bytes: Most bytes accepted.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max = max_bytes
        self._lock = free_in_child(threading.Lock())
        self._part: _Part | None = None
        self._spare: _Part | None = None
        self._discarded = False

    @property
    def size(self) -> int:
        """Number of bytes since the last restart."""
        return self._part.size if self._part is not None else 0

    def write(self, data: bytes) -> None:
        """Take a piece.

        Raises:
            RequestValidationError: The file is larger than allowed.
            OSError: It cannot be written.
        """
        with self._lock:
            part = self._current()
            _check_room(part.size + len(data), self._max)
            part.file.write(data)
            part.size += len(data)

    def restart(self) -> None:
        """Forget all pieces.

        Raises:
            OSError: The file cannot be written.
        """
        with self._lock:
            if self._part is not None:
                self._part.file.seek(0)
                self._part.file.truncate()
                self._part.size = 0

    def set_aside(self) -> None:
        """Keep what came as the second choice, unless there is one, and begin anew."""
        with self._lock:
            part, self._part = self._part, None
            if part is not None and part.size and self._spare is None and not self._discarded:
                self._spare = part
            elif part is not None:
                part.remove()

    def take_back(self) -> bool:
        """Make the second choice the file; False without one."""
        with self._lock:
            if self._spare is None:
                return False
            if self._part is not None:
                self._part.remove()
            self._part, self._spare = self._spare, None
            return True

    def keep(self, path: Path | None, name: str) -> Path:
        """Give the complete file its name.

        Args:
            path: The very path, whose present file is replaced; None to give it a name of its own
                in the folder, where nothing is replaced: ``a.pdf`` becomes ``a (1).pdf`` if there
                is one.
            name: That name, safe.

        Returns:
            The path.

        Raises:
            OSError: The file cannot be written.
        """
        with self._lock:
            part = self._current()
            part.file.flush()
            os.fsync(part.file.fileno())
            part.file.close()
            target = _reserved(self._folder, name) if path is None else path
            try:
                part.path.replace(target)
            except BaseException:
                if path is None:
                    target.unlink(missing_ok=True)
                raise
            self._part = None
        return target

    def discard(self) -> None:
        """Remove whatever did not get its name."""
        with self._lock:
            self._discarded = True
            for part in (self._part, self._spare):
                if part is not None:
                    part.remove()
            self._part = self._spare = None

    def _current(self) -> _Part:
        if self._discarded:
            raise OSError("the download was given up")
        if self._part is None:
            self._part = _Part(self._folder)
        return self._part


def _check_room(size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise RequestValidationError(
            "max_bytes", f"the file is too large: at most {max_bytes} bytes are allowed"
        )


def _reserved(folder: Path, name: str) -> Path:
    """Make an empty file of a name that nobody has yet."""
    stem, suffix = PurePosixPath(name).stem, PurePosixPath(name).suffix
    for number in range(_MOST_NUMBERS):
        path = folder / (f"{stem} ({number}){suffix}" if number else name)
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            continue
        return path
    raise FileExistsError(f"{_MOST_NUMBERS} files of that name are there already")


def check_max_bytes(max_bytes: object) -> None:
    """Check a bound.

    Raises:
        RequestValidationError: It is no whole number above 0.
    """
    if not isinstance(max_bytes, int) or isinstance(max_bytes, bool) or max_bytes < 1:
        raise RequestValidationError("max_bytes", "must be a whole number of bytes, at least 1")


def check_folder(path: str | os.PathLike[str]) -> tuple[Path, Path | None]:
    """Tell where a file shall go.

    Args:
        path: A folder that exists, or the path of a file, whose folder exists.

    Returns:
        The folder, and the very path; None in its place if the file gets a name of its own.

    Raises:
        RequestValidationError: There is no such folder.
    """
    try:
        target = Path(path)
        is_folder = target.is_dir()
    except (TypeError, ValueError, OSError):
        raise RequestValidationError("path", "must be the path of a file or folder") from None
    if is_folder:
        return target, None
    folder = target.parent
    if "\0" in target.name or str(path).endswith(("/", os.sep)) or not folder.is_dir():
        raise RequestValidationError("path", "must lie in a folder that exists: make it first")
    return folder, target


def safe_name(wished: str | None, fallback: str, mimetype: str | None) -> str:
    """Make a file name that leads nowhere else and that every system takes.

    Args:
        wished: The name that the sender gave; any text.
        fallback: The name without extension that it gets if nothing is left of the sender's.
        mimetype: Its type, which gives the extension where the name has none.

    Returns:
        The name, of at most 150 bytes.
    """
    last = (wished or "").replace("\\", "/").rpartition("/")[2]
    name = _tidy(last) or _tidy(fallback) or "file"
    if _DEVICES.fullmatch(name.partition(".")[0].strip()):
        name = f"_{name}"
    if mimetype is not None:
        name = with_extension(name, _plain_type(mimetype), MediaKind.DOCUMENT)
    return _shortened(name)


def _tidy(name: str) -> str:
    # Dots in front hide a file, and blanks and dots at the end are dropped by Windows.
    return _UNSAFE.sub("_", printable(name)).lstrip(". ").rstrip(". ")


def _plain_type(mimetype: str) -> str:
    return mimetype.partition(";")[0].strip().lower()


def _shortened(name: str) -> str:
    if len(name.encode()) <= _MOST_NAME_BYTES:
        return name
    suffix = PurePosixPath(name).suffix
    if len(suffix.encode()) > _MOST_NAME_BYTES // 4:
        suffix = ""
    room = _MOST_NAME_BYTES - len(suffix.encode())
    stem = name.removesuffix(suffix).encode()[:room].decode(errors="ignore")
    return f"{stem.rstrip('. ')}{suffix}"
