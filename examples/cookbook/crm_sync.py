"""Copy conversations from the archive into a CRM; run it as often as you like.

Run: python examples/cookbook/crm_sync.py whatsapp.db, with CRM_URL in the environment.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from evolution_sdk import Jid
from evolution_sdk.archive import Archive, ArchivedMessage
from evolution_sdk.events import EventMessage

# Edits, deletions and the history of a phone that was off arrive late, with an older time.
OVERLAP = timedelta(days=2)
FIRST_RUN = timedelta(days=30)

Upsert = Callable[[str, dict[str, object]], None]


def note(message: ArchivedMessage) -> tuple[str, dict[str, object]]:
    """Return the key and the fields of a note; the same message always has the same key."""
    record = EventMessage.from_wire(message.raw)  # with the chat's other id, if the server told it
    chats = (Jid.parse(message.chat), record.chat_alt)
    phone = next((one.phone for one in chats if one is not None and one.phone), None)
    author = "us" if message.from_me else message.sender or message.chat
    key = f"{message.instance}/{message.chat}/{author}/{message.id}"
    return key, {
        "phone": phone.digits if phone else None,  # None: WhatsApp hides the number
        "contact": message.chat,
        "from_me": message.from_me,
        "kind": message.kind,
        "text": message.text,
        "at": message.timestamp.isoformat(),
        "deleted": message.deleted_at is not None,
    }


def sync(archive: Archive, upsert: Upsert, since: datetime) -> datetime:
    """Write what is new or may have changed; return where the next run starts."""
    newest = since
    for message in archive.messages(since=since - OVERLAP, oldest_first=True):
        chat = Jid.parse(message.chat)
        if chat.is_phone or chat.is_lid:  # no groups, stories, channels
            upsert(*note(message))
        newest = max(newest, message.timestamp)
    return min(newest, datetime.now(UTC))  # the clock of a phone may be wrong


def to_crm(http: httpx.Client, url: str) -> Upsert:
    """Return the upsert of a CRM in which PUT creates or replaces the note of a key."""

    def upsert(key: str, fields: dict[str, object]) -> None:
        http.put(url, params={"key": key}, json=fields).raise_for_status()

    return upsert


def main() -> None:
    """Start where the last run ended; after a failed run, start at the same place again."""
    mark = Path("crm-sync.txt")
    since = datetime.now(UTC) - FIRST_RUN
    if mark.exists():
        since = datetime.fromisoformat(mark.read_text("utf-8"))
    with Archive(sys.argv[1]) as archive, httpx.Client(timeout=10) as http:
        newest = sync(archive, to_crm(http, os.environ["CRM_URL"]), since)
    new = mark.with_suffix(".new")
    new.write_text(newest.isoformat(), "utf-8")
    new.replace(mark)  # whole, or not at all


if __name__ == "__main__":
    main()
