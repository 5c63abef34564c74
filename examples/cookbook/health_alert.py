"""Get a WhatsApp message when one of your numbers is in trouble, from another number.

Run: python examples/cookbook/health_alert.py 5511999999999, with EVOLUTION_… in the environment.
"""

from __future__ import annotations

import sys
import threading
from contextlib import suppress

from evolution_sdk import EvolutionClient, EvolutionMonitorService
from evolution_sdk.monitor import DEFAULT_RULES, AlertRule, WhatsAppSink

# The rules of the monitor tell of each number that is down; one more of our own.
RULES = [
    *DEFAULT_RULES,
    AlertRule(name="server slow", metric="p95_response_time_ms", above=2_000, for_ms=60_000),
]


def make_monitor(client: EvolutionClient, by: str, to: str) -> EvolutionMonitorService:
    """Watch all instances except the one that sends the alerts; restart those that hang.

    Args:
        client: A client with the server's global key.
        by: The instance that sends the alerts; use it for nothing else.
        to: Your phone number.
    """
    watched = [one.name for one in client.instances.fetch() if one.name and one.name != by]
    if not watched:
        raise LookupError(f"the server has no instance besides {by!r}")
    return EvolutionMonitorService(
        client,
        instances=watched,
        rules=RULES,
        sinks=[WhatsAppSink(client, by, to)],
        recovery=True,
    )


def main() -> None:
    """Watch until Ctrl-C."""
    with EvolutionClient() as client, make_monitor(client, "alerts", sys.argv[1]) as monitor:
        # An alert that cannot go out is found out now, not when it is needed.
        client.instance("alerts").messages.send_text(sys.argv[1], "Watching.")
        monitor.start_monitoring(30_000)
        print("watching; Ctrl-C ends it")
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
