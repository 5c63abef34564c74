"""Requests and simulated time of looking for a lost send, by what fails meanwhile."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from rows import Row

from evolution_sdk import EvolutionClient, EvolutionConfig, SendOutcomeUnknownError
from evolution_sdk.retry import EvolutionRetryService
from evolution_sdk.testing import FakeClock, FakeEvolution

NUMBER = "5511987654321"
# The patience in milliseconds, and the most requests: a look finds the chat's two or three names,
# the phone beside hidden ids and the whole; later looks need one.
_SIZES = ((1_000, 16), (3_000, 20), (30_000, 32))
_FAILING = {
    "nothing fails": None,
    "the number check fails": "chat.check_whatsapp_numbers",
    "the store fails": "chat.find_messages",
}


def _looked_for(failing: str | None, patience_ms: int) -> tuple[int, float]:
    """Lose a send that never happened; return the requests and the seconds until that is told."""
    clock = FakeClock()
    fake = FakeEvolution(clock=clock)
    fake.create_instance("sales", state="open")
    config = EvolutionConfig(
        "http://127.0.0.1:8080", fake.api_key, retry={"reconcile_wait_ms": patience_ms}
    )
    retry = EvolutionRetryService(clock=clock, sleep=clock.sleep, async_sleep=clock.async_sleep)
    with EvolutionClient(
        config=config,
        instance="sales",
        http_client=fake.http_client(),
        clock=clock,
        sleep=clock.sleep,
        retry=retry,
        server_version="2.3.7",
    ) as client:
        client.messages.send_text(NUMBER, "first")
        if failing is not None:
            fake.faults.add(failing, "status", status=500, body={})
        fake.faults.add("message.send_text", "drop", count=1)
        before, begun = len(fake.requests), clock.monotonic()
        with suppress(SendOutcomeUnknownError):
            client.messages.send_text(NUMBER, "lost")
        return len(fake.requests) - before - 1, clock.monotonic() - begun


def measure(quick: bool) -> Iterable[Row]:
    """Count with three kinds of patience; by a simulated clock, so that quick changes nothing."""
    del quick
    for name, failing in _FAILING.items():
        counted = [(size, most, *_looked_for(failing, size)) for size, most in _SIZES]
        for size, most, requests, _ in counted:
            yield Row(f"lost send, {name}: requests", size, requests, "requests", most)
        for size, _, _, seconds in counted:
            most_s = size / 1_000 + 0.001
            yield Row(f"lost send, {name}: time", size, seconds, "s", most_s)
