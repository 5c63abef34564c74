"""Send a text, and wait until it is delivered and read, or refused.

Run: python examples/cookbook/until_read.py 5511999999999, with EVOLUTION_… in the environment.
"""

from __future__ import annotations

import sys

from evolution_sdk import DeliveryRefusedError, EvolutionClient, WaitTimeoutError


def send_and_wait(client: EvolutionClient, number: str, text: str, timeout_ms: int) -> str:
    """Send a text; return how far it got."""
    sent = client.messages.send_text(number, text)
    try:
        sent.wait_until("DELIVERY_ACK", timeout_ms=timeout_ms)
    except DeliveryRefusedError as error:
        # WhatsApp refused what the server had accepted. Sending it again makes it worse.
        return f"refused: {error.code or 'no code'}"
    except WaitTimeoutError:
        # It was sent all the same; the phone may be off.
        return "sent, not delivered yet"
    try:
        sent.wait_until("READ", timeout_ms=timeout_ms)
    except WaitTimeoutError:
        return "delivered, not read yet"
    return "read"


def main() -> None:
    """Send one text, and print how far it got."""
    with EvolutionClient() as client:
        print(send_and_wait(client, sys.argv[1], "Your order has left.", 60_000))


if __name__ == "__main__":
    main()
