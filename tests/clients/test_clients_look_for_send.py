"""Looking for a send of an earlier run, among equal ones whose messages are not known either."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from evolution_sdk.operations.routes.message import SEND_TEXT
from evolution_sdk.reconcile.server_clock import Moment, zone_of

from .fake_stage import NUMBER, Stage


class Ledger:
    """Who has written down what was sent, and asks after a restart."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.told: list[tuple[float, Moment, Moment]] = []
        self.begun = self.now
        colour = "_async" if stage.kit.colour == "async" else "_sync"
        self.look_for_send = importlib.import_module(
            f"evolution_sdk.{colour}.find_sent"
        ).look_for_send

    @property
    def now(self) -> Moment:
        return Moment(self.stage.kit.time.now - 1_000_000, self.stage.kit.time.now)

    async def sent(self, text: str = "olá", **options: Any) -> str:
        """Send by a process that is gone by now; what it was told is known."""
        asked, client = self.now, self.stage.client(**options)
        message = await self.stage.kit.run(client.messages.send_text(NUMBER, text))
        self.told.append((message.sent_at.timestamp(), asked, self.now))
        self.stage.kit.time.now += 2
        return str(message.id)

    def begin(self) -> None:
        self.stage.kit.time.now += 30
        self.begun = self.now

    async def ask(self, known_ids: Any = (), **options: Any) -> Any:
        client = self.stage.client()
        zone = zone_of(self.told, self.begun, self.now)
        body = {"number": NUMBER, "text": "olá"}
        look = self.look_for_send(
            client._pipeline, client.messages._target, SEND_TEXT, body, zone, known_ids, **options
        )
        return await self.stage.kit.run(look)


@pytest.fixture
def ledger(stage: Stage) -> Ledger:
    stage.open_instance()
    return Ledger(stage)


async def test_by_the_time_written_down_an_equal_text_of_before_is_told_apart(
    ledger: Ledger,
) -> None:
    await ledger.sent()
    ledger.begin()
    assert (await ledger.ask()).status == "absent"
    mine = await ledger.sent()
    answer = await ledger.ask()
    assert (answer.status, [one.id for one in answer.messages]) == ("found", [mine])


async def test_without_an_answered_send_one_of_before_leaves_it_open(ledger: Ledger) -> None:
    await ledger.sent()
    ledger.told.clear()
    ledger.begin()
    answer = await ledger.ask()
    assert answer.status == "unknown"
    assert "clocks" in answer.reason


@pytest.mark.parametrize(
    ("stored", "rivals", "expected"),
    [
        (0, 0, "absent"), (0, 2, "absent"),
        (1, 0, "found"), (1, 1, "unknown"), (1, 5, "unknown"),
        (2, 1, "found"), (2, 2, "unknown"),
        (3, 1, "found"),
    ],
)  # fmt: skip
async def test_what_earlier_equal_sends_may_own_is_not_taken(
    ledger: Ledger, stored: int, rivals: int, expected: str
) -> None:
    await ledger.sent("outra")
    ledger.begin()
    ids = [await ledger.sent() for _ in range(stored)]
    answer = await ledger.ask(rivals=rivals)
    assert answer.status == expected
    # The earlier sends have the earlier messages.
    assert [one.id for one in answer.messages] == (ids[rivals:] if expected == "found" else [])
    if expected == "unknown":
        assert f"{stored} equal message(s), but {rivals} earlier send(s)" in answer.reason


async def test_messages_that_are_known_serve_no_rival(ledger: Ledger) -> None:
    await ledger.sent("outra")
    ledger.begin()
    first, second = await ledger.sent(), await ledger.sent()
    assert (await ledger.ask([first], rivals=1)).status == "unknown"
    assert (await ledger.ask([first, second], rivals=1)).status == "absent"


class TestUnderAnIdOfItsOwn:
    @pytest.fixture
    def ledger(self, stage: Stage) -> Ledger:
        stage.fake = stage.new_fake(version="2.4.0")
        stage.open_instance()
        return Ledger(stage)

    async def test_it_is_found_whatever_the_rivals_and_the_time(self, ledger: Ledger) -> None:
        mine = await ledger.sent(server_version="2.4.0")
        await ledger.sent(server_version="2.4.0")
        assert mine.startswith("3EB0")
        ledger.begin()
        answer = await ledger.ask(message_id=mine, id_chosen=False, rivals=7)
        assert (answer.status, [one.id for one in answer.messages]) == ("found", [mine])

    async def test_an_id_that_nothing_has_leaves_the_rules_of_likeness(
        self, ledger: Ledger
    ) -> None:
        await ledger.sent("outra", server_version="2.4.0")
        ledger.begin()
        ours: dict[str, Any] = {"message_id": "3EB0" + "A" * 18, "id_chosen": False}
        assert (await ledger.ask(**ours)).status == "absent"
        other = await ledger.sent(server_version="2.4.0")
        assert (await ledger.ask(**ours, rivals=1)).status == "unknown"
        assert (await ledger.ask([other], **ours, rivals=1)).status == "absent"
