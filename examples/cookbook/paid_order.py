"""Book a payment and queue its thank-you in one transaction: both happen, or neither.

Run: python examples/cookbook/paid_order.py shop.db 4711 5511999999999, with EVOLUTION_… in the
environment. The outbox lives in the shop's own database.
"""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing

from evolution_sdk import EvolutionClient
from evolution_sdk.errors import RequestValidationError, WaitTimeoutError
from evolution_sdk.outbox import Outbox, OutboxEndedError

TABLE = "CREATE TABLE IF NOT EXISTS payment (invoice TEXT PRIMARY KEY, phone TEXT NOT NULL)"


def book(outbox: Outbox, db: sqlite3.Connection, invoice: str, phone: str) -> bool:
    """Book a payment once, however often your bank reports it; return whether it was new."""
    with db:  # one transaction: an error rolls back both
        db.execute("BEGIN IMMEDIATE")
        row = (invoice, phone)
        if not db.execute("INSERT OR IGNORE INTO payment VALUES (?, ?)", row).rowcount:
            return False
        outbox.using(db).messages.send_text(
            phone, f"Thank you! Invoice {invoice} is paid.", key=f"paid-{invoice}"
        )
    return True


def main() -> None:
    """Book the payment, and wait until its message is sent."""
    path, invoice, phone = sys.argv[1:]
    with EvolutionClient() as client, Outbox(path, client=client) as outbox:
        with closing(sqlite3.connect(path)) as db:
            db.execute(TABLE)
            print("booked" if book(outbox, db, invoice, phone) else "was booked before")
        try:
            print(outbox.wait(f"paid-{invoice}").state.value)
        except (OutboxEndedError, WaitTimeoutError, RequestValidationError) as error:
            print(f"The payment is booked; its message is not sent: {error}")


if __name__ == "__main__":
    main()
