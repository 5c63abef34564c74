"""Reading, searching, writing and migrating an archive of 1,000,000 messages."""

from __future__ import annotations

import json
import random
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rows import Row, cpu_us

from evolution_sdk._sql.sqlite import SqliteDatabase
from evolution_sdk.archive import Archive, _building, _schema, _taking, _words
from evolution_sdk.events import Event, parse_event

NEWEST = 50
T0 = 1_795_000_000
_BATCH = 10_000
_CHATS_PER = 100
"""Messages per chat, but for one chat that has a fifth of all."""
_TOGETHER = 1_000
_WARMING = 5
"""Batches before the measured ones: they pay for merges that filling has left over."""
_BATCHES = 20
_ALONE = 2_500
"""Messages written one by one, so many that moving SQLite's log into the file is among it."""
_FIELDS = (
    "row", "instance", "id", "chat", "from_me", "sender", "push_name", "kind", "message_type",
    "text", "first_text", "timestamp", "recorded_at", "raw",
)  # fmt: skip
_UPDATE_FIELDS = "key, instance, id, kind, status, at, chat, by_me, message"


def message_id(number: int) -> str:
    """Return an id as WhatsApp makes them: in no order."""
    return f"3EB0{random.Random(number).getrandbits(72):018X}"


def chat(number: int) -> str:
    """Return the JID of a chat; 0 is the large one."""
    return f"55119{number:08d}@s.whatsapp.net"


def record(number: int, text: str, chats: int) -> dict[str, Any]:
    """A message as the server tells it (recorded: `facts/websocket.json` "inbound text")."""
    return {
        "key": {"id": message_id(number), "remoteJid": chat(number % chats), "fromMe": False},
        "pushName": "Ana",
        "message": {"conversation": text},
        "messageType": "conversation",
        "messageTimestamp": T0 + number,
        "source": "unknown",
        "instanceId": "7717b639-263d-442a-b2d7-beaafa3fdc2d",
    }


def stored(size: int) -> Iterator[tuple[Any, ...]]:
    """Messages every 30 s in 20 instances; every second has the word "pedido"."""
    chance = random.Random(1)
    words = [f"palavra{number}" for number in range(5_000)]
    chats = max(20, size // _CHATS_PER)
    raw = json.dumps(record(1, "bom dia, o pedido de hoje", chats))
    for number in range(size):
        where = chat(0 if number % 5 == 0 else chance.randrange(1, chats))
        text = ("pedido " if number % 2 else "") + " ".join(chance.choices(words, k=6))
        at = T0 - (size - number) * 30
        yield (
            number + 1, f"i{number % 20}", message_id(number), where, number % 3 == 0, where,
            "Ana", "poll" if number == size // 3 else "text", "conversation", text, text, at, at,
            raw,
        )  # fmt: skip


def fill(path: Path, size: int, *, old: bool = False) -> None:
    """Make an archive with a status for each message; ``old``: of version 2, before the indexes."""
    database = SqliteDatabase(path)
    _schema.migrate(database, _schema.MIGRATIONS[: 2 if old else None])
    if not old:
        _words.prepare_search(database)
        while _building.build(database, searchable=True):  # drops what a new file needs not
            pass
    database.close()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -200000")
    if old:
        connection.execute(
            "CREATE VIRTUAL TABLE messages_text USING fts5"
            "(text, tokenize = 'unicode61 remove_diacritics 2')"
        )
    marks = ", ".join("?" * len(_FIELDS))
    insert = f"INSERT INTO messages ({', '.join(_FIELDS)}) VALUES ({marks})"
    rows = stored(size)
    while batch := [row for row, _ in zip(rows, range(_BATCH), strict=False)]:
        connection.execute("BEGIN")
        connection.executemany(insert, batch)
        if old:
            connection.executemany(
                "INSERT INTO messages_text (rowid, text) VALUES (?, ?)",
                [(row[0], row[9]) for row in batch],
            )
        else:
            connection.executemany(
                "INSERT INTO messages_words (rowid, text, chat) VALUES (?, ?, ?)",
                [
                    (_words.place(row[11], row[0]), row[9], _words.chat_word(row[3]))
                    for row in batch
                ],
            )
        connection.executemany(
            f"INSERT INTO updates ({_UPDATE_FIELDS}) "
            "VALUES (?, ?, ?, 'status', 'READ', ?, ?, 1, ?)",
            [(row[2], row[1], row[2], row[11] + 5, row[3], row[0]) for row in batch],
        )
        connection.execute("COMMIT")
    if not old:
        # As building leaves it. Merging what filling wrote in huge pieces is no cost of writing.
        connection.execute("INSERT INTO messages_words (messages_words) VALUES ('optimize')")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def reading(archive: Archive, size: int) -> Iterator[Row]:
    """What users ask."""
    some = message_id(size // 2)
    asked: list[tuple[str, Callable[[], object], float | None]] = [
        ("archive.get(id)", lambda: archive.get(some), 2_000),
        ("archive.updates(id)", lambda: archive.updates(some), 2_000),
        ("archive.messages(chat=), 50", _chat(archive, 1), 2_000),
        ("archive.messages(chat= with a fifth of all), 50", _chat(archive, 0), 2_000),
        ("archive.messages(instance=), 50",
         lambda: archive.messages(instance="i3", limit=NEWEST), 2_000),
        ("archive.messages(kind= of one message), 50",
         lambda: archive.messages(kind="poll", limit=NEWEST), 2_000),
        ("archive.messages(), 50", lambda: archive.messages(limit=NEWEST), 2_000),
        ("archive.search, word in half of all, 50",
         lambda: archive.search("pedido", limit=NEWEST), 50_000),
        ("archive.search, the same in one chat, 50",
         lambda: archive.search("pedido", chat=chat(1), limit=NEWEST), 50_000),
        ("archive.search, two rare words, 50",
         lambda: archive.search("palavra77 palavra78", limit=NEWEST), 50_000),
    ]  # fmt: skip
    for what, ask, target in asked:
        ask()  # the pages, once
        yield Row(what, size, cpu_us(ask, 3), "µs", target)


def _chat(archive: Archive, number: int) -> Callable[[], object]:
    return lambda: archive.messages(chat=chat(number), limit=NEWEST)


def writing(archive: Archive, size: int) -> Iterator[Row]:
    """What arrives: events of one message each, written together, and one by one."""
    chats = max(20, size // _CHATS_PER)
    costs = []
    for batch in range(_WARMING + _BATCHES):
        first = size + batch * _TOGETHER
        events = [told(number, chats) for number in range(first, first + _TOGETHER)]
        begun = time.process_time()
        archive._keep([row for event in events for row in _taking.rows_of(event, T0)])
        costs.append((time.process_time() - begun) / _TOGETHER * 1e6)
    spent = sum(costs[_WARMING:]) / _BATCHES
    yield Row("archive.record, 1,000 in a batch", size, spent, "µs", 150)
    first = size + len(costs) * _TOGETHER
    events = [told(number, chats) for number in range(first, first + _ALONE)]
    begun = time.process_time()
    for event in events:
        archive.record(event)
    spent = (time.process_time() - begun) / len(events) * 1e6
    yield Row("archive.record, one by one", size, spent, "µs")


def told(number: int, chats: int) -> Event[Any]:
    """An event with a new message."""
    data = record(number, f"pedido palavra{number % 5_000} de hoje {number}", chats)
    return parse_event({"event": "messages.upsert", "instance": f"i{number % 20}", "data": data})


def migrating(path: Path, size: int) -> Iterator[Row]:
    """A file of version 2 is opened: how long it is held, how long a piece holds others up."""
    fill(path, size, old=True)
    before = path.stat().st_size
    begun = time.perf_counter()
    database = SqliteDatabase(path)
    _schema.migrate(database)
    _words.prepare_search(database)
    opening = (time.perf_counter() - begun) * 1e3
    yield Row("archive: opening a file of version 2", size, opening, "ms", 250, stable=False)
    pieces, cpu, left = [], time.process_time(), True
    while left:
        begun = time.perf_counter()
        left = _building.build(database, searchable=True)
        pieces.append((time.perf_counter() - begun) * 1e3)
    cpu = time.process_time() - cpu
    yield Row("archive: longest piece of its indexes", size, max(pieces), "ms", 500, stable=False)
    yield Row("archive: pieces", size, len(pieces), "count")
    yield Row("archive: all pieces, CPU a message", size, cpu / size * 1e6, "µs")
    database.close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    connection.close()
    yield Row("archive: file of version 2", size, before / size, "B/message")
    used = path.stat().st_size - free * 4096
    yield Row("archive: the same, migrated", size, used / size, "B/message")


def measure(quick: bool) -> Iterator[Row]:
    """Measure at three sizes, up to 100,000 messages (``quick``) or 1,000,000."""
    with tempfile.TemporaryDirectory() as folder:
        for size in (1_000, 10_000, 100_000) if quick else (10_000, 100_000, 1_000_000):
            path = Path(folder) / f"{size}.db"
            fill(path, size)
            yield Row("archive: file", size, path.stat().st_size / size, "B/message")
            with Archive(path) as archive:
                yield from reading(archive, size)
                yield from writing(archive, size)
            path.unlink()
        size = size // 10
        yield from migrating(Path(folder) / "old.db", size)
