"""Rows of events, as the inboxes of SQLite and PostgreSQL keep them. Pure."""

from __future__ import annotations

import json
from typing import Any

from .inbox import InboxEntry

COLUMNS = (
    "id, key, body, source, hint, received_at, finished, attempts, failed_at, error, error_text"
)
"""The columns of :func:`to_entry`, in this order."""


def to_blob(text: str | None) -> bytes | None:
    """Turn a text into the bytes that a column keeps."""
    # Bytes, because SQLite refuses text with lone surrogates, which JSON may hold.
    return None if text is None else text.encode("utf-8", "surrogatepass")


def _text(blob: bytes | str) -> str:
    return blob.decode("utf-8", "surrogatepass") if isinstance(blob, bytes) else blob


def to_entry(row: tuple[Any, ...]) -> InboxEntry:
    """Turn a row into an entry."""
    number, key, body, source, hint, received_at, finished, attempts, failed_at, *error = row
    return InboxEntry(
        _text(key),
        body,
        source,
        None if hint is None else _text(hint),
        received_at,
        number,
        finished=json.loads(finished),
        attempts=attempts,
        failed_at=failed_at,
        error=_text(error[0]),
        error_text=_text(error[1]),
    )
