"""Send an invoice to each line of a CSV file; kill it anywhere and start it again: nothing doubles.

Run: python examples/outbox_billing.py invoices.csv [outbox.db]

The file has the columns number, phone, name and amount. The invoice's number is the key of its
message: whoever hands it over a second time gets the message that is there. Without a file it shows
itself: it makes one, bills with a fake server, kills itself half-way with -9, and goes on.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from pathlib import Path

from evolution_sdk import EvolutionClient, RequestValidationError, WaitTimeoutError
from evolution_sdk.outbox import (
    Outbox,
    OutboxConflictError,
    OutboxEndedError,
    RecipientOptedOutError,
)
from evolution_sdk.testing import FakeEvolution

REFUSED = (RequestValidationError, OutboxConflictError, RecipientOptedOutError)


def bill(file: Path, store: Path) -> None:
    """Hand all invoices over, wait for each, and tell what became of it."""
    keys: list[str] = []
    with EvolutionClient() as client, Outbox(store, client=client) as outbox:
        with file.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                key = f"invoice-{row['number']}"
                text = f"{row['name']}, your invoice {row['number']} for {row['amount']} is due."
                try:
                    outbox.messages.send_text(row["phone"], text, key=key)
                except REFUSED as error:
                    print(f"{key:<14} refused   {error}")
                else:
                    keys.append(key)
        for key in keys:
            try:
                message = outbox.wait(key, "sent", timeout_ms=600_000)
            except (OutboxEndedError, WaitTimeoutError) as error:
                # "unknown": a person looks into the chat, then outbox.resolve(key, sent=True/False)
                print(f"{key:<14} not sent  {error}")
            else:
                found = " (its answer was lost; found on the server)" if message.found else ""
                print(f"{key:<14} {message.state:<9} {message.message_id}{found}")


def show() -> None:
    """Bill 60 customers of a fake server, with a kill in between."""
    with tempfile.TemporaryDirectory() as folder, FakeEvolution(api_key="demo").serve() as fake:
        file, store = Path(folder) / "invoices.csv", Path(folder) / "outbox.db"
        lines = [f"{n},55119{n:08},Customer {n},R$ {n},00" for n in range(4711, 4771)]
        lines.append("4771,no phone,Customer,R$ 1")
        file.write_text("number,phone,name,amount\n" + "\n".join(lines), encoding="utf-8")
        fake.create_instance("sales")
        settings = {
            "EVOLUTION_API_URL": fake.url,
            "EVOLUTION_API_KEY": "demo",
            "EVOLUTION_INSTANCE": "sales",
            # After that long the server does not work on a lost call any more.
            "EVOLUTION_TIMEOUT_SEND_MS": "2000",
        }
        command = [sys.executable, __file__, str(file), str(store)]
        pipe = subprocess.PIPE
        first = subprocess.Popen(command, env={**os.environ, **settings}, stdout=pipe)
        wait, sent = threading.Event(), len(fake.sent)
        while sent < 20 and first.poll() is None:
            wait.wait(0.001)
            sent = len(fake.sent)
        first.kill()
        first.communicate()
        print(f"killed         after {sent} messages")
        done = subprocess.run(
            command, env={**os.environ, **settings}, stdout=pipe, text=True, check=True
        )
        print(done.stdout, end="")
        times = Counter(message.number for message in fake.sent)
        doubled = sum(many > 1 for many in times.values())
        print(f"on the server  {len(times)} of 60 customers, {doubled} got it twice")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        bill(Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) > 2 else "outbox.db"))
    else:
        show()
