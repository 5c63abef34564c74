"""A campaign that avoids a ban: numbers are checked, sends are slow, and it can be run again.

Run: python examples/cookbook/campaign.py customers.csv, with EVOLUTION_… in the environment.
"""

from __future__ import annotations

import csv
import sys
import threading
from collections.abc import Iterable
from contextlib import suppress

from evolution_sdk import EvolutionClient, EvolutionConfig, PhoneNumber
from evolution_sdk.errors import RecipientOptedOutError, RequestValidationError
from evolution_sdk.outbox import Outbox, OutboxConflictError

# WhatsApp bans numbers that write to many strangers: send slowly, with a cap that grows daily.
PACE = {
    "enabled": True,
    "per_minute": 4,
    "recipient_gap_ms": 5_000,
    "daily_cap": 200,
    "warmup_start": 20,
}


def on_whatsapp(client: EvolutionClient, numbers: Iterable[str]) -> set[str]:
    """Return the numbers that are on WhatsApp; the client checks fifty at a time."""
    checks = client.chats.check_whatsapp_numbers(list(dict.fromkeys(numbers)))
    # Matched by number, because the server answers in its own order.
    return {check.number for check in checks if check.exists}


def read(lines: Iterable[str]) -> list[tuple[str, str]]:
    """Read lines of number,text; say which are left out."""
    rows: list[tuple[str, str]] = []
    for row in filter(None, csv.reader(lines)):
        try:
            number, text = row
            rows.append((PhoneNumber.parse(number).digits, text))
        except (RequestValidationError, ValueError) as error:  # a heading, a comma too many
            print(f"left out: {row}. {error}")
    return rows


def hand_over(outbox: Outbox, rows: Iterable[tuple[str, str]], name: str) -> dict[str, int]:
    """Hand over one text per number; running it again adds nothing."""
    counts = {"handed over": 0, "opted out": 0, "refused": 0}
    for number, text in rows:
        try:
            outbox.messages.send_text(number, text, key=f"{name}-{number}", priority=-1)
            counts["handed over"] += 1
        except RecipientOptedOutError:
            counts["opted out"] += 1
        except (RequestValidationError, OutboxConflictError) as error:
            counts["refused"] += 1
            print(f"{number}: {error}")
    return counts


def main() -> None:
    """Check, hand over, and send until Ctrl-C; run it again to go on."""
    config = EvolutionConfig.from_env().replace(rate_limit=PACE)
    with (
        open(sys.argv[1], encoding="utf-8-sig", newline="") as file,  # noqa: PTH123
        EvolutionClient(config=config) as client,
        Outbox("marketing.db", client=client) as outbox,
    ):
        rows = read(file)
        exists = on_whatsapp(client, (number for number, _ in rows))
        print("not on WhatsApp:", [number for number, _ in rows if number not in exists])
        print(hand_over(outbox, (row for row in rows if row[0] in exists), "january"))
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
