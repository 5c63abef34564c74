"""A campaign that avoids a ban: numbers are checked, sends are slow, and it can be run again.

Run: python examples/cookbook/campaign.py customers.csv, with EVOLUTION_… in the environment.
"""

from __future__ import annotations

import csv
import sys
import threading
from collections.abc import Iterable
from contextlib import suppress

from evolution_sdk import EvolutionClient, EvolutionConfig
from evolution_sdk.errors import RecipientOptedOutError
from evolution_sdk.outbox import Outbox

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


def hand_over(outbox: Outbox, rows: Iterable[tuple[str, str]], name: str) -> dict[str, int]:
    """Hand over one text per number; running it again adds nothing."""
    counts = {"handed over": 0, "opted out": 0}
    for number, text in rows:
        try:
            outbox.messages.send_text(number, text, key=f"{name}-{number}", priority=-1)
            counts["handed over"] += 1
        except RecipientOptedOutError:
            counts["opted out"] += 1
    return counts


def main() -> None:
    """Check, hand over, and send until Ctrl-C; run it again to go on."""
    config = EvolutionConfig.from_env().replace(rate_limit=PACE)
    with (
        open(sys.argv[1], encoding="utf-8-sig", newline="") as file,  # noqa: PTH123
        EvolutionClient(config=config) as client,
        Outbox("outbox.db", client=client) as outbox,
    ):
        rows = [(number, text) for number, text in csv.reader(file)]
        exists = on_whatsapp(client, (number for number, _ in rows))
        print(hand_over(outbox, (row for row in rows if row[0] in exists), "january"))
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
