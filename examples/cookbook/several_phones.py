"""Several phones, one business: each customer keeps one phone, and dead phones are skipped.

Run: python examples/cookbook/several_phones.py 5511999999999, with EVOLUTION_… in the environment.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from zlib import crc32

from evolution_sdk import EvolutionClient, EvolutionMonitorService, SentMessage
from evolution_sdk.monitor import InstanceHealth


def usable(health: Mapping[str, InstanceHealth]) -> list[str]:
    """Return the phones that can send now: open is not enough, the socket must be alive."""
    return sorted(
        name
        for name, one in health.items()
        if one.state == "open" and not one.socket_dead and one.status != "unhealthy"
    )


def choose(number: str, phones: Sequence[str], known: Mapping[str, str]) -> str:
    """Choose the phone for a customer: the one they know, else one picked by their number.

    A customer who knows one phone should not hear from another: they would not know who writes,
    and WhatsApp treats first messages to strangers as spam.
    """
    if known.get(number) in phones:
        return known[number]
    if not phones:
        raise LookupError("no phone can send now")
    return phones[crc32(number.encode()) % len(phones)]


def send(
    client: EvolutionClient,
    monitor: EvolutionMonitorService,
    known: dict[str, str],
    number: str,
    text: str,
) -> SentMessage:
    """Send from the customer's phone, and remember which one it was."""
    phones = usable(monitor.get_health_status().instances)
    known[number] = choose(number, phones, known)
    return client.instance(known[number]).messages.send_text(number, text)


def main() -> None:
    """Send one text from a phone that works."""
    with EvolutionClient() as client:
        monitor = EvolutionMonitorService(client, instances="*")
        monitor.check_health_sync()
        known: dict[str, str] = {}  # keep it in your database
        print(send(client, monitor, known, sys.argv[1], "Your order has left.").id, known)
        monitor.close()


if __name__ == "__main__":
    main()
