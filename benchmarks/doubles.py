"""Messages doubled and lost through a faulty line: this SDK beside two peers, in one run.

Every client sends the same texts, 8 at a time, over real HTTP through FaultProxy to FakeEvolution:
20 % of the answers are lost after acting, 10 % of the requests before, 5 % are answered with 500.
Then each text is counted in the server's store. No client waits between its attempts.

Usage: ``python benchmarks/doubles.py [--sends 300] [--seed 1]``. Exits with 1 when this SDK has
lost or doubled a message.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass

from peers import OURS, SUBJECTS, Send, Subject

from evolution_sdk.testing import FakeEvolution, FaultProxy, no_retry_delays

KEY, INSTANCE, SEND = "benchmark-key", "bench", "message.send_text"
CONCURRENT = 8


@dataclass(frozen=True)
class Row:
    """What became of one client's messages.

    Attributes:
        client: Whose.
        asked: Messages asked for.
        once: In the store exactly once.
        doubled: In the store beyond the first.
        lost: Not in the store, and the caller was told of no error.
        told: Not in the store, and the caller was told of an error.
        alarms: In the store, and the caller was told of an error.
    """

    client: str
    asked: int
    once: int
    doubled: int
    lost: int
    told: int
    alarms: int

    @property
    def errors(self) -> int:
        """Errors that callers were told of."""
        return self.told + self.alarms


@contextmanager
def faulty(seed: int) -> Iterator[tuple[FakeEvolution, FaultProxy]]:
    """A served fake with the proxy in front; the same faults for the same seed."""
    with FakeEvolution(api_key=KEY, seed=seed).serve() as fake:
        fake.create_instance(INSTANCE)
        with FaultProxy(fake.url, seed=seed) as proxy:
            proxy.faults.add(SEND, "answer_then_drop", probability=0.20)
            # Of those left: 0.125 of 80 % are 10 %, and 0.0714 of 70 % are 5 %.
            proxy.faults.add(SEND, "drop", probability=0.125)
            body = {"status": 500, "error": "Internal Server Error"}
            proxy.faults.add(SEND, "status", probability=0.0714, status=500, body=body)
            yield fake, proxy


def measure(client: str, subject: Subject, sends: int, seed: int) -> Row:
    """Let one client send, and count."""
    texts = [f"Mensagem {i}" for i in range(sends)]
    with faulty(seed) as (fake, proxy), subject(proxy.url, KEY, INSTANCE) as send:
        failed = {text for text in send_all(send, texts) if text is not None}
        kept = Counter(sent.text for sent in fake.sent)
    return Row(
        client,
        asked=sends,
        once=sum(kept[text] == 1 for text in texts),
        doubled=sum(max(0, kept[text] - 1) for text in texts),
        lost=sum(not kept[text] and text not in failed for text in texts),
        told=sum(not kept[text] and text in failed for text in texts),
        alarms=sum(kept[text] > 0 and text in failed for text in texts),
    )


def send_all(send: Send, texts: list[str]) -> list[str | None]:
    """Send all; gives the texts whose caller was told of an error."""

    def one(number: int) -> str | None:
        try:
            send(f"55119876{number % 50:05}", texts[number])
        except Exception:
            return texts[number]
        return None

    with no_retry_delays():
        contexts = [copy_context() for _ in texts]
    with ThreadPoolExecutor(CONCURRENT) as pool:
        return list(pool.map(lambda context, i: context.run(one, i), contexts, range(len(texts))))


def show(row: Row) -> None:
    print(
        f"{row.client:<33}{row.asked:>6}{row.once:>8}{row.doubled:>9}{row.lost:>6}"
        f"{row.errors:>8}{row.alarms:>20}",
        flush=True,
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sends", type=int, default=300, help="messages of each client")
    parser.add_argument("--seed", type=int, default=1, help="of the faults")
    given = parser.parse_args(arguments)
    print(
        f"{'client':<33}{'asked':>6}{'once':>8}{'doubled':>9}{'lost':>6}{'errors':>8}"
        f"{'errors though sent':>20}"
    )
    rows: list[Row] = []
    for client, subject in SUBJECTS.items():
        rows.append(measure(client, subject, given.sends, given.seed))
        show(rows[-1])
    harmed = sum(row.lost + row.doubled for row in rows if row.client in OURS)
    print(f"evolution-sdk: {harmed} lost or doubled")
    return 1 if harmed else 0


if __name__ == "__main__":
    sys.exit(main())
