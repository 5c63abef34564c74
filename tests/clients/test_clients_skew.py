"""A lost send is found although our clock and the server's are hours apart."""

from __future__ import annotations

from dataclasses import replace
from email.utils import formatdate
from typing import Any

import pytest

from evolution_sdk import EvolutionConfig, RetryPolicy

from .conftest import KEY, URL, world_of
from .fake_stage import NUMBER, Stage

ONCE = RetryPolicy(max_attempts=2, delay_ms=1, jitter="none")


@pytest.mark.parametrize("hours", [0, 3, -3])
@pytest.mark.parametrize("wait_ms", [0, 3_000])
async def test_the_first_look_corrects_the_clock(stage: Stage, hours: int, wait_ms: int) -> None:
    """Even a single look: its own answer is the first to tell the server's time."""
    stage.open_instance()
    handle = stage.fake.kernel.handle

    def dated(*request: Any) -> Any:
        reply = handle(*request)
        date = formatdate(stage.kit.time.now, usegmt=True)
        return replace(reply, headers=(*reply.headers, ("date", date)))

    stage.fake.kernel.handle = dated  # type: ignore[method-assign]  # the real server tells it
    config = EvolutionConfig(URL, KEY, retry={"reconcile_wait_ms": wait_ms})
    client = stage.client(config=config)
    world_of(client).wall = lambda: stage.kit.time.now + hours * 3_600
    stage.fake.faults.add("message.send_text", "answer_then_drop", count=1)
    sending = client.messages.send_text(NUMBER, "olá", on_unknown="resend", retry=ONCE)
    assert (await stage.kit.run(sending)).reconciled
    assert sum("sendText" in seen.path for seen in stage.arrived) == 1
