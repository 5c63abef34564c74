"""Keep one message of an order up to date: it is edited, not followed by five others.

Run: python examples/cookbook/order_status.py 5511999999999, with EVOLUTION_… in the environment.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime, timedelta

from evolution_sdk import EvolutionClient, SentMessage
from evolution_sdk.errors import BadRequestError

# WhatsApp lets a message be edited for about 15 minutes; keep a distance to it.
EDITABLE = timedelta(minutes=14)
STEPS = ("received", "in the kitchen", "on its way", "delivered")


def card(order: str, step: str) -> str:
    """The text of an order: what is done has a tick."""
    done = STEPS.index(step)
    lines = [f"{'✅' if i <= done else '▫️'} {name}" for i, name in enumerate(STEPS)]
    return "\n".join([f"*Order {order}*", *lines])


class OrderCard:
    """The message of one order; keep ``sent`` with your order."""

    def __init__(
        self, client: EvolutionClient, number: str, order: str, now: Callable[[], datetime]
    ) -> None:
        self._client, self._number, self._order, self._now = client, number, order, now
        self.sent: SentMessage = client.messages.send_text(number, card(order, STEPS[0]))
        self._sent_at = now()

    def show(self, step: str) -> None:
        """Edit the message; where WhatsApp refuses that by now, send a new one."""
        text = card(self._order, step)
        if self._now() - self._sent_at < EDITABLE:
            try:
                self._client.chats.update_message(self.sent, text)
            except BadRequestError:
                pass  # the server does not have the message any more: say it anew
            else:
                return
        self.sent = self._client.messages.send_text(self._number, text)
        self._sent_at = self._now()

    def finish(self) -> None:
        """Show the last step, and mark the message."""
        self.show(STEPS[-1])
        self._client.messages.send_reaction(self.sent, "🎉")

    def cancel(self) -> None:
        """Take the message back from both phones."""
        self._client.chats.delete_message_for_everyone(self.sent)


def main() -> None:
    """Lead an order through its steps, one for each line that you enter."""
    with EvolutionClient() as client:
        order = OrderCard(client, sys.argv[1], "4711", datetime.now)
        for step in STEPS[1:-1]:
            input(f"Enter, when the order is {step} ")
            order.show(step)
        input("Enter, when it is delivered ")
        order.finish()


if __name__ == "__main__":
    main()
