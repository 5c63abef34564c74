"""A message whose answer could not be read was sent; it is not mistaken for an equal one."""

from __future__ import annotations

from pathlib import Path

import outbox_drill as drill

from evolution_sdk import EvolutionClient, EvolutionConfig
from evolution_sdk.outbox import Outbox


def test_a_message_without_an_id_is_not_found_in_place_of_an_equal_one(tmp_path: Path) -> None:
    with drill.server("2.3.7") as fake:
        config = EvolutionConfig(
            base_url=fake.url,
            api_key="k",
            instance="sales",
            timeout={"send_ms": 300, "read_ms": 2_000, "connect_ms": 500},
        )
        with EvolutionClient(config=config) as client:
            outbox = Outbox(tmp_path / "o.db", client=client, poll_ms=20, workers=1)
            try:
                outbox.messages.send_text("5511987650001", "equal", key="a")
                outbox.messages.send_text("5511987650001", "equal", key="b")
                fake.faults.add(drill.SEND, "truncate", count=1)
                fake.faults.add(drill.SEND, "drop", count=1)
                with outbox:
                    drill.work_until_done(outbox)
                states = [outbox.get(key).state.value for key in "ab"]  # type: ignore[union-attr]
                assert states[0] == "sent"
                # It was not sent; either this is found out, or it waits for a person.
                assert len(fake.sent) == states.count("sent"), states
            finally:
                outbox.close()
