"""Mixed sends through the hostile server: none doubled, none told wrong, counted at the server.

A modest number in the everyday suite; ``make drill`` sends 2,000 in each mode and colour.
"""

from __future__ import annotations

from collections import Counter

import pytest

from evolution_sdk.errors import EvolutionError, SendOutcomeUnknownError
from evolution_sdk.retry import OnUnknown
from evolution_sdk.testing import FakeClock
from hostile import hostile_drill as drill
from hostile.hostile_server import AFTER, BEFORE, HARMLESS, NAMELESS, SLOW, hostile

EVERYDAY = 120
SEED = 3


@pytest.mark.parametrize("colour", ["sync", "async", "httpx2", "aiohttp"])
@pytest.mark.parametrize("on_unknown", ["raise", "reconcile", "resend"])
async def test_no_send_is_doubled_or_told_wrong(colour: str, on_unknown: OnUnknown) -> None:
    count = drill.size(EVERYDAY)
    clock = FakeClock()
    fake = drill.fake_server(clock, SEED)
    with hostile(fake, drill.Plan(SEED)) as server:
        done = await drill.run(colour, server, clock, drill.orders(count), on_unknown)
    assert len(done) == count
    found = drill.Tally.of(fake, done)
    assert found == drill.NO_HARM, "\n".join([repr(found), *drill.culprits(fake, done)])
    assert server.followed == 0
    told = Counter(type(each.error).__name__ for each in done)
    if on_unknown == "raise":
        assert told["SendOutcomeUnknownError"] > count * 0.05
    assert sum(server.struck.values()) > count * 0.2
    if count >= 2_000:  # each trick was played
        every = (*BEFORE, *AFTER, *SLOW, *NAMELESS, *HARMLESS)
        assert set(server.struck) == {trick.name for trick in every}


def test_the_tally_sees_every_kind_of_harm() -> None:
    """A drill that cannot fail proves nothing."""
    fake = drill.fake_server(FakeClock(), SEED)
    one, two, three = drill.orders(13)[10:]
    body = f'{{"number":"{one.number}","text":"{one.text}"}}'.encode()
    headers = {"apikey": drill.KEY, "content-type": "application/json"}
    fake.kernel.handle("POST", "/message/sendText/sales", headers, body)
    (stored,) = fake.sent
    plain, unknown = EvolutionError("no"), SendOutcomeUnknownError("message.send_text", None, "x")

    def tally(*done: drill.Done) -> tuple[int, int, int, int]:
        found = drill.Tally.of(fake, list(done))
        return found.doubled, found.absent, found.hidden, found.mixed_up

    assert one == two == three  # of ten sends, three are equal
    other = drill.Order("5511900000000", "nunca")
    assert tally(drill.Done(one, stored.key_id)) == (0, 0, 0, 0)
    assert tally(drill.Done(one)) == (0, 0, 0, 0)  # without an id it counts by its text
    assert tally(drill.Done(one, error=unknown)) == (0, 0, 0, 0)
    assert tally(drill.Done(one, error=plain)) == (0, 0, 1, 0)
    assert tally(drill.Done(one, stored.key_id), drill.Done(other)) == (0, 1, 0, 0)
    assert tally(drill.Done(one), drill.Done(one, stored.key_id)) == (0, 1, 0, 0)
    assert tally(drill.Done(other, stored.key_id)) == (1, 1, 0, 1)
    twins = [drill.Done(one, stored.key_id), drill.Done(one, stored.key_id)]
    assert tally(*twins) == (0, 1, 0, 2)
    fake.kernel.handle("POST", "/message/sendText/sales", headers, body)
    assert tally(drill.Done(one, stored.key_id)) == (1, 0, 0, 0)
