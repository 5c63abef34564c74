"""Ask by a poll, wait for the vote, count: a menu that every phone shows.

Run: python examples/ask_by_poll.py [number]
"""

from __future__ import annotations

from _server import server

from evolution_sdk import EvolutionClient, PollTally, SentMessage
from evolution_sdk.testing import FakeEvolution

SIZES = ["small", "large"]


def customer_votes(fake: FakeEvolution, number: str, poll: SentMessage, option: str) -> None:
    """On a fake server somebody has to vote."""
    fake.receive(
        "sales",
        from_=number,
        kind="pollUpdateMessage",
        message={
            "pollUpdateMessage": {
                "pollCreationMessageKey": poll.key.raw,
                "vote": {"selectedOptions": [option]},
            }
        },
    )


def main() -> None:
    """Ask, wait, count."""
    with server() as place, EvolutionClient(config=place.config) as client:
        poll = client.messages.send_poll(place.number, "Which size?", SIZES)
        tally = PollTally(poll)
        if place.fake:
            customer_votes(place.fake, place.number, poll, "large")
        # Without events it asks the server's store; a receiver or stream makes it faster.
        event = poll.wait_for_vote(timeout_ms=60_000)
        tally.take(event)
        vote = event.poll_vote
        print("vote  ", ", ".join((vote and vote.options) or ("could not be read",)))
        print("tally ", dict(tally.counts))


if __name__ == "__main__":
    main()
