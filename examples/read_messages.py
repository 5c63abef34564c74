"""A support desk in small: read what came in, answer it, look at the statuses.

Run: python examples/read_messages.py [number]
"""

from __future__ import annotations

from collections import defaultdict

from _server import server

from evolution_sdk import EvolutionClient, StoredMessage
from evolution_sdk.testing import FakeEvolution


def customers_write(fake: FakeEvolution) -> None:
    """On a fake server somebody has to write first."""
    fake.receive_text("sales", from_="5511999999999", text="Bom dia!", push_name="Ana")
    fake.clock.advance(60_000)
    fake.receive_text("sales", from_="5511999999999", text="Where is my order?", push_name="Ana")
    fake.receive_text("sales", from_="5521988887777", text="Oi", push_name="Bruno")


def main() -> None:
    """Read, answer, show."""
    with server() as place, EvolutionClient(config=place.config) as client:
        if place.fake:
            customers_write(place.fake)
            chat = None
        else:
            chat = client.chats.resolve_number(place.number)
            if chat is None:
                raise SystemExit("This number is not on WhatsApp.")

        waiting: dict[str, list[StoredMessage]] = defaultdict(list)
        for message in client.chats.iter_messages(remote_jid=chat, from_me=False):
            waiting[message.remote_jid].append(message)
        for jid, messages in waiting.items():
            newest = messages[0]  # newest first
            print(f"{newest.push_name}: {len(messages)} message(s), last: {newest.text}")
            client.chats.mark_message_as_read(messages)
            sent = client.messages.send_text(jid, "We are on it.", quoted=newest)
            if place.fake:
                place.fake.deliver(sent.id, "READ")
            updates = client.chats.find_status_message(message_id=sent.id)
            status = max(
                (u.status for u in updates if u.status), key=lambda s: s.rank, default=None
            )
            print(f"   answered; status {status or 'not known yet'}")


if __name__ == "__main__":
    main()
