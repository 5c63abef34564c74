"""Export of an archive to files that other programs read."""

from __future__ import annotations

import contextlib
import csv
import json
import unicodedata
from collections.abc import Generator, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from evolution_sdk.errors import ConfigurationError
from evolution_sdk.models.base import to_iso

from .records import ArchivedMessage

COLUMNS: tuple[str, ...] = (
    "timestamp", "instance", "chat", "from_me", "sender", "push_name", "kind", "text", "status",
    "id", "quoted_id", "media_url", "media_mimetype", "media_size_bytes", "media_file_name",
    "edited_at", "deleted_at",
)  # fmt: skip
# A text written by a stranger must not become a formula in a spreadsheet. Spreadsheets may skip
# invisible characters before the sign, and take a full-width or small sign for the plain one.
_SIGNS = frozenset("=+-@")
_UNSEEN_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
_SPLITTING = frozenset("\t\r\n")


def write_jsonl(messages: Iterable[ArchivedMessage], file: TextIO) -> int:
    """Write one JSON object per line, with the whole record under ``raw``; return their number."""
    count = 0
    for message in messages:
        line = {**_fields(message), "raw": message.raw}
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
        count += 1
    return count


def write_csv(messages: Iterable[ArchivedMessage], file: TextIO) -> int:
    """Write a header and one row per message; return the number of messages.

    A text that may become a formula gets a ``'`` in front.
    """
    writer = csv.DictWriter(file, COLUMNS)
    writer.writeheader()
    count = 0
    for message in messages:
        writer.writerow({name: _cell(value) for name, value in _fields(message).items()})
        count += 1
    return count


@contextlib.contextmanager
def opened(target: str | Path | TextIO) -> Generator[TextIO]:
    """Open a file for writing text; a file passed in is used and left open."""
    if isinstance(target, str | Path):
        try:
            file = Path(target).open("w", encoding="utf-8", errors="replace", newline="")  # noqa: SIM115 - the next lines close it
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"target: cannot be written ({type(error).__name__}). Give the path of a file.",
                variable="target",
            ) from error
        with file:
            yield file
    else:
        yield target


def _fields(message: ArchivedMessage) -> dict[str, Any]:
    media = message.media
    values = (
        message.timestamp, message.instance, message.chat, message.from_me, message.sender,
        message.push_name, message.kind, message.text, message.status, message.id,
        message.quoted_id,
        *((None,) * 4 if media is None else
          (media.url, media.mimetype, media.size_bytes, media.file_name)),
        message.edited_at, message.deleted_at,
    )  # fmt: skip
    return {
        name: to_iso(value) if isinstance(value, datetime) else value
        for name, value in zip(COLUMNS, values, strict=True)
    }


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and _may_calculate(value) else value


def _may_calculate(text: str) -> bool:
    """Return True if a spreadsheet may read a text as a formula or a number.

    ``-5`` and ``+5511…`` are no formulas, but a spreadsheet would rewrite them.
    """
    # On OWASP's list of characters that may start a formula ("CSV Injection").
    if text[:1] and text[0] in _SPLITTING:
        return True
    for sign in text:
        for plain in unicodedata.normalize("NFKC", sign):
            if plain in _SIGNS:
                return True
            # Skipped: blanks, control and format characters, and combining marks.
            if unicodedata.category(plain)[0] not in "ZCM" and plain not in _UNSEEN_LETTERS:
                return False
    return False
