"""Sends through faults: none lost, none doubled, each unknown one reported; counted in the store.

2,000, 1,000 or 600 sends each in the everyday suite; ``make drill`` runs all with 10,000.
"""

from __future__ import annotations

import drill
import pytest

from effort import combined
from evolution_sdk.retry import OnUnknown
from evolution_sdk.testing import FakeClock, FakeEvolution

FAULTS = {"lossy": drill.lossy, "late": drill.late}
EVERYDAY = {("lossy", "sync"), ("late", "async")}
crossed = pytest.mark.parametrize(
    ("fault", "colour"), combined(EVERYDAY, FAULTS, ("sync", "async"))
)


async def exercise(
    colour: str, fault: str, count: int, on_unknown: OnUnknown
) -> tuple[FakeEvolution, list[drill.Done], drill.Tally]:
    clock = FakeClock()
    fake = drill.server(clock)
    FAULTS[fault](fake)
    done = await drill.run(colour, fake, clock, drill.orders(count), on_unknown)
    assert len(done) == count
    return fake, done, drill.tally(fake, done)


@crossed
async def test_with_resend_none_is_lost_and_none_doubled(colour: str, fault: str) -> None:
    count = drill.size(2_000 if fault == "lossy" else 1_000)
    fake, done, found = await exercise(colour, fault, count, "resend")
    assert found == drill.Tally(0, 0, 0, 0, 0, 0, found.reconciled)
    assert len(fake.sent) == count
    assert found.reconciled > count * 0.15
    # what was asked for equally is there as often
    assert len({each.id for each in done}) == count


@crossed
@pytest.mark.parametrize("on_unknown", ["raise", "reconcile"])
async def test_each_unknown_one_is_reported(colour: str, fault: str, on_unknown: OnUnknown) -> None:
    count = drill.size(600)
    _, done, found = await exercise(colour, fault, count, on_unknown)
    assert (found.lost, found.doubled, found.mixed_up, found.hidden) == (0, 0, 0, 0)
    assert found.failed == 0
    assert drill.explained(done)
    if on_unknown == "raise":
        assert found.reconciled == 0
        assert found.unknown > count * 0.2
    else:
        assert found.reconciled > count * 0.15
        assert count * 0.04 < found.unknown < count * 0.2


@pytest.mark.parametrize("fault", FAULTS)
def test_the_drill_injects_what_it_says(fault: str) -> None:
    """20 + 10 + 5 % of the tries."""
    fake = drill.server(FakeClock())
    FAULTS[fault](fake)
    struck = [fake.faults.draw(drill.SEND, "sales") for _ in range(20_000)]
    kinds = [fault.kind.value if fault else "none" for fault in struck]
    assert kinds.count("status") / 20_000 == pytest.approx(0.05, abs=0.01)
    after = kinds.count("answer_then_drop") + kinds.count("delay")
    assert after / 20_000 == pytest.approx(0.20, abs=0.01)
    before = kinds.count("refuse") + kinds.count("drop")
    assert before / 20_000 == pytest.approx(0.10, abs=0.01)


async def test_the_tally_sees_every_kind_of_harm() -> None:
    """A drill that cannot fail proves nothing."""
    clock = FakeClock()
    fake = drill.server(clock)
    todo = drill.orders(20)
    done = await drill.run("sync", fake, clock, todo, "raise")
    assert drill.tally(fake, done) == drill.Tally(0, 0, 0, 0, 0, 0, 0)
    again = await drill.run("sync", fake, clock, todo[5:6], "raise")
    assert drill.tally(fake, done).doubled == 1
    unsent = drill.Done(drill.Order("5511900000000", "nunca"), "no-such-id")
    swapped = [drill.Done(todo[5], done[6].id), drill.Done(todo[6], done[5].id)]
    assert (drill.tally(fake, [*done, *again, unsent]).lost) == 1
    assert drill.tally(fake, [*done[:5], *swapped, *done[7:], *again]).mixed_up == 2
    twins = [drill.Done(todo[0], done[0].id), drill.Done(todo[1], done[0].id)]
    assert drill.tally(fake, [*twins, *done[2:], *again]).mixed_up == 2
    wrong = drill.Done(todo[7], None, error=drill.EvolutionError("clean failure"))
    found = drill.tally(fake, [*done[:7], wrong, *done[8:], *again])
    assert (found.hidden, found.failed) == (1, 1)
    assert not drill.explained([wrong])
