"""The limits of the client count for the outbox: a daily cap is exact over several processes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import outbox_drill as drill
import pytest

from effort import deep


@pytest.mark.parametrize("store", [deep("sqlite"), "postgres"])
def test_a_daily_cap_is_exact_over_processes(store: str, tmp_path: Path) -> None:
    limits: dict[str, Any] = {
        "enabled": True, "per_second": 0, "per_minute": 0, "recipient_gap_ms": 0, "jitter": 0,
        "daily_cap": 50,
    }  # fmt: skip
    with drill.place(store, tmp_path) as place, drill.server() as fake:
        # In the same database, or in a file beside the outbox.
        limits["store"] = place if store == "postgres" else str(tmp_path / "limits.db")
        with drill.observed(place, fake.url) as outbox:
            outbox.put_many(
                [
                    outbox.drafts.send_text(f"551190000{number % 20:04}", f"n {number}")
                    for number in range(200)
                ]
            )
            workers = drill.Workers(place, fake.url, {**drill.SETTINGS, "rate_limit": limits})
            try:
                for _ in range(3):
                    workers.start()
                ends = time.monotonic() + 40
                while outbox.counts() != {"sent": 50, "queued": 150}:
                    assert time.monotonic() < ends, outbox.counts()
                    time.sleep(0.05)
                time.sleep(1.0)  # whether one more follows
            finally:
                workers.end()
            assert len(fake.sent) == 50
            assert outbox.counts() == {"sent": 50, "queued": 150}
            (pause,) = outbox.pauses()
            assert (pause.instance, pause.reason) == ("sales", "limit: daily_cap")
            assert (pause.by_person, pause.troubles) == (False, 0)
            assert pause.left_ms is not None
            assert pause.left_ms > 1_000
            assert {one.attempts for one in outbox.find(state="queued", limit=200)} == {0}
