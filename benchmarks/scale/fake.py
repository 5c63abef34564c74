"""Cost of questions to a fake server that has sent and stored many messages."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from rows import Row, cpu_us

from evolution_sdk.testing import FakeEvolution

# Growth from the smallest size to the largest; a scan grows with the messages, a hundredfold.
_MOST_GROWTH = 3.0
_HEADERS = {"apikey": "test-api-key", "content-type": "application/json"}


def _ask(fake: FakeEvolution, route: str, body: object) -> None:
    reply = fake.kernel.handle("POST", route, _HEADERS, json.dumps(body).encode())
    assert reply.status in {200, 201}, reply


def _send(fake: FakeEvolution, number: str) -> None:
    _ask(fake, "/message/sendText/sales", {"number": number, "text": "hello"})


def _filled(size: int) -> FakeEvolution:
    """A fake with that many messages to a hundred chats, all of them read."""
    fake = FakeEvolution()
    fake.create_instance("sales", state="open")
    for number in range(size):
        _send(fake, f"55319000000{number % 100:02}")
    for _ in range(3):
        fake.advance()
    return fake


def _questions(fake: FakeEvolution) -> dict[str, Callable[[], object]]:
    newest = fake.sent[-1]

    def one_more() -> None:
        _send(fake, "5531987654321")
        fake.advance()

    def find(where: object, size: int = 10) -> Callable[[], object]:
        return lambda: _ask(fake, "/chat/findMessages/sales", {"where": where, "offset": size})

    return {
        "fake: sent_to of a chat with one send": lambda: fake.sent_to("5531911111111"),
        "fake: a send, and advance": one_more,
        "fake: advance, nothing left to move": fake.advance,
        "fake: findMessages by id": find({"key": {"id": newest.key_id}}),
        "fake: findMessages, the newest 10": find({}),
        "fake: findStatusMessage by id": lambda: _ask(
            fake, "/chat/findStatusMessage/sales", {"where": {"id": newest.key_id}}
        ),
        "fake: findChats": lambda: _ask(fake, "/chat/findChats/sales", {}),
    }


def measure(quick: bool) -> Iterable[Row]:
    """Measure the questions at three numbers of messages."""
    sizes = (300, 3_000, 15_000) if quick else (1_000, 10_000, 100_000)
    found: dict[str, list[tuple[int, float]]] = {}
    for size in sizes:
        fake = _filled(size)
        _send(fake, "5531911111111")
        for _ in range(3):
            fake.advance()
        for name, ask in _questions(fake).items():
            ask()  # what is indexed lazily
            found.setdefault(name, []).append((size, cpu_us(ask, 20)))
    for name, figures in found.items():
        least = figures[0][1]
        for size, value in figures:
            # Below 20 µs the noise outweighs the work.
            yield Row(name, size, value, "µs", max(least, 20.0) * _MOST_GROWTH)
