"""One message per order: each step edits it, instead of sending another one.

Run: python examples/cookbook/order_status.py 5511999999999, with EVOLUTION_… in the environment.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from evolution_sdk import EvolutionClient, SentMessage
from evolution_sdk.errors import BadRequestError, NotFoundError

# WhatsApp allows edits for about 15 minutes; stop a little earlier.
EDITABLE = timedelta(minutes=14)
STEPS = ("received", "in the kitchen", "on its way", "delivered")


def card(order: str, step: str) -> str:
    """Return the text of an order; what is done has a tick."""
    done = STEPS.index(step)
    lines = [f"{'✅' if i <= done else '▫️'} {name}" for i, name in enumerate(STEPS)]
    return "\n".join([f"*Order {order}*", *lines])


class OrderCard:
    """The message of one order; store ``sent`` with your order."""

    def __init__(
        self, client: EvolutionClient, number: str, order: str, now: Callable[[], datetime]
    ) -> None:
        self._client, self._number, self._order, self._now = client, number, order, now
        self.sent: SentMessage = client.messages.send_text(number, card(order, STEPS[0]))
        self._sent_at = now()

    def show(self, step: str) -> None:
        """Edit the message; send a new one if it is too old for that."""
        text = card(self._order, step)
        if self._now() - self._sent_at < EDITABLE:
            try:
                self._client.chats.update_message(self.sent, text)
            except (BadRequestError, NotFoundError):
                pass  # the server no longer has the message: send a new one
            else:
                return
        self.sent = self._client.messages.send_text(self._number, text)
        self._sent_at = self._now()

    def finish(self) -> None:
        """Show the last step, and add a reaction."""
        self.show(STEPS[-1])
        self._client.messages.send_reaction(self.sent, "🎉")

    def cancel(self) -> None:
        """Delete the message on both phones."""
        self._client.chats.delete_message_for_everyone(self.sent)


def main() -> None:
    """Take an order through its steps, one each time you press Enter."""
    with EvolutionClient() as client:
        order = OrderCard(client, sys.argv[1], "4711", lambda: datetime.now(UTC))
        for step in STEPS[1:-1]:
            input(f"Enter, when the order is {step} ")
            order.show(step)
        input("Enter, when it is delivered ")
        order.finish()


if __name__ == "__main__":
    main()
