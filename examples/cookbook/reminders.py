"""Reminders: the day before, never at night, never twice.

Run: python examples/cookbook/reminders.py appointments.csv, with EVOLUTION_… in the environment.
"""

from __future__ import annotations

import csv
import sys
import threading
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from evolution_sdk import EvolutionClient, EvolutionConfig
from evolution_sdk.errors import RequestValidationError
from evolution_sdk.outbox import Outbox, OutboxConflictError, RecipientOptedOutError

ZONE = ZoneInfo("America/Sao_Paulo")
REFUSED = (RequestValidationError, OutboxConflictError, RecipientOptedOutError)
# The client's rate limiter keeps the night quiet, and spreads the messages out.
PACE = {
    "enabled": True,
    "per_minute": 20,
    "quiet_hours": "20:00-09:00",
    "quiet_time_zone": "America/Sao_Paulo",
}


@dataclass(frozen=True)
class Appointment:
    """One line of the file."""

    id: str
    number: str
    name: str
    at: datetime


def read(lines: Iterable[str]) -> list[Appointment]:
    """Read lines of id,number,name,at; times are those of São Paulo: 2027-01-15T14:30."""
    return [
        Appointment(id_, number, name, datetime.fromisoformat(at).replace(tzinfo=ZONE))
        for id_, number, name, at in filter(None, csv.reader(lines))
    ]


def remind(outbox: Outbox, appointments: Iterable[Appointment], now: datetime) -> int:
    """Hand over the reminders; running it again adds only what is new."""
    many = 0
    for one in appointments:
        too_late = one.at - timedelta(hours=2)
        if too_late <= now:
            continue
        try:
            outbox.messages.send_text(
                one.number,
                f"Hi {one.name}, see you on {one.at:%d/%m at %H:%M}.",  # it may go out that day
                key=f"reminder-{one.id}-{one.at:%Y%m%d%H%M}",  # a new time is a new reminder
                not_before=one.at - timedelta(days=1),
                expires_at=too_late,
            )
            many += 1
        except REFUSED as error:
            print(f"{one.id}: no reminder. {type(error).__name__}: {error}")
    return many


def main() -> None:
    """Hand over the reminders, and send each at its time, until Ctrl-C."""
    config = EvolutionConfig.from_env().replace(rate_limit=PACE)
    with (
        open(sys.argv[1], encoding="utf-8-sig", newline="") as file,  # noqa: PTH123
        EvolutionClient(config=config) as client,
        Outbox("reminders.db", client=client) as outbox,
    ):
        many = remind(outbox, read(file), datetime.now(ZONE))
        print(many, "reminders are handed over; Ctrl-C ends")
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
