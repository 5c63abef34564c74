"""Keep a backup of what is sent and received, search it, export it: sync, then async.

``client.start()`` opens the archive because the settings ask for it, as
EVOLUTION_STORE_MESSAGES=true in .env would.

Run: python examples/archive_backup.py [number]
"""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path

from _server import Place, server

from evolution_sdk import AsyncEvolutionClient, EvolutionClient
from evolution_sdk.archive import Archive
from evolution_sdk.events import parse_event


def with_backup(place: Place, path: Path) -> Place:
    """The same settings with the local backup switched on."""
    store = {"messages": True, "message_up": True, "contacts": True, "path": str(path)}
    return replace(place, config=place.config.replace(store=store))


def incoming(archive: Archive, place: Place) -> None:
    """What a webhook or a stream would bring; on the fake server somebody writes."""
    if place.fake is None:
        return
    place.fake.receive_text("sales", from_=place.number, text="Thank you, it was paid!")
    for event in place.fake.events:
        archive.record(parse_event(event))


def blocking(place: Place) -> None:
    """Own sends are kept by themselves; events are given to it."""
    with EvolutionClient(config=place.config) as client:
        archive = client.start().archive
        if archive is None:
            raise SystemExit("EVOLUTION_STORE_MESSAGES is off.")
        client.messages.send_text(place.number, "Invoice 4711 is due on Friday.")
        incoming(archive, place)
        for found in archive.search("invoice"):
            print(f"sync   found: {found.text}")
    # Closing the client has closed the archive; the file stays.


async def awaiting(place: Place) -> None:
    """The archive blocks: a loop reads it in a thread. Recording never holds a loop up."""
    async with AsyncEvolutionClient(config=place.config) as client:
        archive = (await client.start()).archive
        if archive is None:
            raise SystemExit("EVOLUTION_STORE_MESSAGES is off.")
        await client.messages.send_text(place.number, "Invoice 4712 is due on Monday.")
        await asyncio.to_thread(archive.flush)
        found = await asyncio.to_thread(lambda: list(archive.search("invoice")))
        print(f"async  found: {len(found)} invoices")


def export(path: Path) -> None:
    """The backup is one SQLite file; exports are JSON lines or CSV."""
    with Archive(path) as archive:
        lines = path.with_suffix(".jsonl")
        print(f"export {archive.export_jsonl(lines)} messages to {lines.name}")


def main() -> None:
    """Both colours, one after the other, into one file."""
    with tempfile.TemporaryDirectory() as folder, server() as place:
        path = Path(folder) / "whatsapp.db"
        place = with_backup(place, path)
        blocking(place)
        asyncio.run(awaiting(place))
        export(path)


if __name__ == "__main__":
    main()
