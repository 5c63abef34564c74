"""Send a month's invoices from a CSV file. Kill it, run it again: nobody is billed twice.

Run: python examples/cookbook/billing.py 2027-01 invoices.csv, with EVOLUTION_… in the environment.
The file has the columns number, phone, name, amount and pdf.
"""

from __future__ import annotations

import csv
import io
import sys
from collections import Counter
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from evolution_sdk import EvolutionClient, Media
from evolution_sdk.errors import RequestValidationError, WaitTimeoutError
from evolution_sdk.outbox import (
    Outbox,
    OutboxConflictError,
    OutboxEndedError,
    RecipientOptedOutError,
)

REFUSED = (RequestValidationError, OutboxConflictError, RecipientOptedOutError)


def read(file: Path) -> list[dict[str, str]]:
    """Read a CSV file in UTF-8, with commas or semicolons, as spreadsheets write it."""
    text = file.read_text("utf-8-sig")
    first = text.partition("\n")[0]
    return list(
        csv.DictReader(io.StringIO(text, newline=""), delimiter=";" if ";" in first else ",")
    )


def hand_over(outbox: Outbox, month: str, rows: Iterable[dict[str, str]]) -> dict[str, str]:
    """Hand over each new invoice; return why others were refused, by invoice number."""
    refused: dict[str, str] = {}
    for row in rows:
        words = f"{row['name']}, your invoice {row['number']} for {row['amount']} is attached."
        try:
            outbox.messages.send_media(
                row["phone"],
                Media.from_path(row["pdf"]),
                caption=words,
                key=f"invoice-{month}-{row['number']}",
            )
        except REFUSED as error:
            refused[row["number"]] = f"{type(error).__name__}: {error}"
    return refused


def send(outbox: Outbox, month: str, numbers: Iterable[str]) -> Counter[str]:
    """Wait for the invoices of a month, and count them by state."""
    states: Counter[str] = Counter()
    patience_ms = 600_000
    for number in numbers:
        key = f"invoice-{month}-{number}"
        try:
            outbox.wait(key, timeout_ms=patience_ms)
        except OutboxEndedError as error:
            print(f"{number}: {error}")
        except WaitTimeoutError:
            patience_ms = 1_000  # nothing moves: do not wait as long for each of the others
        message = outbox.get(key)
        states[message.state.value if message else "gone"] += 1
    return states


def main() -> None:
    """Hand over the invoices, wait until they are sent, and print how it went."""
    month, file = sys.argv[1], Path(sys.argv[2])
    date.fromisoformat(f"{month}-01")  # 2027-1 would make other keys than 2027-01
    rows = read(file)
    with EvolutionClient() as client, Outbox("billing.db", client=client) as outbox:
        refused = hand_over(outbox, month, rows)
        for number, why in refused.items():
            print(f"{number}: not handed over. {why}")
        due = [row["number"] for row in rows if row["number"] not in refused]
        print(dict(send(outbox, month, due)))
    # "unknown": look into the chat, then run
    # evolution outbox resolve KEY --sent --store billing.db (or --not-sent, to send it again).


if __name__ == "__main__":
    main()
