"""How to test a program of yours: copy the shape of this file.

Run: pytest examples/test_with_fake.py
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from evolution_sdk import EvolutionClient, EvolutionError, RetryPolicy, SendOutcomeUnknownError
from evolution_sdk.testing import FakeEvolution


# --- the program -------------------------------------------------------------------------------
def remind(client: EvolutionClient, debts: dict[str, str]) -> dict[str, str]:
    """Remind debtors; tells for each number how it ended."""
    outcome: dict[str, str] = {}
    for number, invoice in debts.items():
        try:
            client.messages.send_text(number, f"Invoice {invoice} is due", on_unknown="raise")
            outcome[number] = "sent"
        except SendOutcomeUnknownError:
            outcome[number] = "check"
        except EvolutionError:
            outcome[number] = "not sent"
    return outcome


# --- its tests ---------------------------------------------------------------------------------
ANA, BRUNO = "5511999999999", "5521988887777"


@pytest.fixture
def client(fake_evolution: FakeEvolution) -> Iterator[EvolutionClient]:
    """A client of a fresh fake server; nothing listens, nothing waits."""
    fake_evolution.create_instance("billing")
    with EvolutionClient(
        fake_evolution.url,
        fake_evolution.api_key,
        instance="billing",
        http_client=fake_evolution.http_client(),
        retry=RetryPolicy(delay_ms=0),
    ) as client:
        yield client


def test_everybody_is_reminded(client: EvolutionClient, fake_evolution: FakeEvolution) -> None:
    assert remind(client, {ANA: "4711", BRUNO: "4712"}) == {ANA: "sent", BRUNO: "sent"}
    fake_evolution.assert_sent(ANA, text="Invoice 4711 is due")
    fake_evolution.assert_sent(BRUNO, text="Invoice 4712 is due")


def test_a_wrong_number_stops_nobody(
    client: EvolutionClient, fake_evolution: FakeEvolution
) -> None:
    fake_evolution.not_on_whatsapp(ANA)
    assert remind(client, {ANA: "4711", BRUNO: "4712"}) == {ANA: "not sent", BRUNO: "sent"}
    fake_evolution.assert_sent_times(1)


def test_a_refused_connection_is_retried(
    client: EvolutionClient, fake_evolution: FakeEvolution
) -> None:
    fault = fake_evolution.faults.add("message.send_text", "refuse", count=2)
    assert remind(client, {ANA: "4711"}) == {ANA: "sent"}
    assert fault.hits == 2
    fake_evolution.assert_sent_times(1, ANA)


@pytest.mark.parametrize("fault", ["drop", "answer_then_drop"])
def test_a_lost_answer_is_never_sent_twice(
    client: EvolutionClient, fake_evolution: FakeEvolution, fault: str
) -> None:
    fake_evolution.faults.add("message.send_text", fault, count=1)
    assert remind(client, {ANA: "4711"}) == {ANA: "check"}
    fake_evolution.assert_sent_times(1 if fault == "answer_then_drop" else 0, ANA)
