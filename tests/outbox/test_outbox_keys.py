"""A key names one message: handed over again it is the same, other content is a conflict."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from outbox_kit import ALICE, BOB, Desk

from evolution_sdk import EvolutionClient
from evolution_sdk.errors import OutboxConflictError, RequestValidationError
from evolution_sdk.outbox import Outbox


async def test_the_same_key_again_returns_the_first_row(desk: Desk) -> None:
    first = await desk.text("oi", key="invoice-1", priority=3, metadata={"n": 1})
    again = await desk.text("oi", key="invoice-1")
    assert again == first
    assert (first.state, first.priority, first.metadata) == ("queued", 3, {"n": 1})
    assert desk.count() == 1


async def test_the_same_key_after_the_send_returns_the_row_as_it_is(desk: Desk) -> None:
    sent = await desk.sent("oi", key="invoice-1")
    assert await desk.text("oi", key="invoice-1") == sent
    assert len(desk.stage.sends()) == 1


@pytest.mark.parametrize(
    ("make", "parts"),
    [
        (lambda m, k: m.send_text(ALICE, "secret words", key=k), ("text",)),
        (lambda m, k: m.send_text(BOB, "oi", key=k), ("number",)),
        (lambda m, k: m.send_text(BOB, "oi", key=k, delay_ms=10), ("number", "delay")),
        (lambda m, k: m.send_text(ALICE, "oi", key=k, instance="other"), ("instance",)),
        (lambda m, k: m.send_text(ALICE, "oi", key=k, message_id="3EB0AABBCC"), ("message_id",)),
        (lambda m, k: m.send_poll(ALICE, "q", ["a", "b"], key=k), ("operation",)),
    ],
)
async def test_other_content_under_a_key_is_refused_by_its_parts(
    desk: Desk, make: Any, parts: tuple[str, ...]
) -> None:
    first = await desk.text("oi", key="k")
    with pytest.raises(OutboxConflictError) as caught:
        await desk.run(make(desk.outbox.messages, "k"))
    assert set(caught.value.differs) == set(parts)
    assert caught.value.key == "k"
    told = f"{caught.value} {caught.value!r}"
    assert "secret words" not in told
    assert BOB not in told
    assert desk.count() == 1
    assert await desk.get("k") == first


async def test_without_a_key_one_is_made_each_time(desk: Desk) -> None:
    first, second = await desk.text("oi"), await desk.text("oi")
    assert first.key != second.key
    assert await desk.get(first.key) == first


async def test_odd_keys_are_kept_as_they_are(desk: Desk) -> None:
    for key in (
        "x" * 255,
        "chave ção 👍",
        "'; DROP TABLE evolution_outbox; --",
        " ",
        "%s ? [[big]]",
    ):
        made = await desk.text("oi", key=key)
        assert (await desk.get(key)).id == made.id


@pytest.mark.parametrize("key", ["a\x00b", "\ud800"])
async def test_a_key_that_no_database_takes_is_refused_by_name(desk: Desk, key: str) -> None:
    with pytest.raises(RequestValidationError) as caught:
        await desk.text("oi", key=key)
    assert caught.value.field == "key"
    assert desk.count() == 0


async def test_one_key_from_many_threads_is_one_row(desk: Desk) -> None:
    if desk.kit.colour == "async":
        pytest.skip("threads use the blocking client")
    others = [desk.open() for _ in range(4)]
    found: list[Any] = []
    start = threading.Barrier(8)

    def hand_over(outbox: Any) -> None:
        start.wait()
        found.extend(outbox.messages.send_text(ALICE, "oi", key=f"k{n}").id for n in range(5))

    threads = [threading.Thread(target=hand_over, args=(others[n % 4],)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 40
    assert len(set(found)) == 5
    assert desk.count() == 5


def test_two_outboxes_of_one_store_share_their_keys(place: str) -> None:
    with EvolutionClient("http://127.0.0.1:9", "k", instance="sales") as client:
        first, second = Outbox(place, client=client), Outbox(place, client=client)
        first.migrate()
        made = first.messages.send_text(ALICE, "oi", key="k")
        assert second.messages.send_text(ALICE, "oi", key="k") == made
        first.close()
        second.close()
