"""Whatever is killed, wherever: nothing is lost, nothing doubled, and chats stay in order.

``make drill`` runs every version on both stores with 2,000 messages and fifty kills.
"""

from __future__ import annotations

from pathlib import Path

import outbox_drill as drill
import pytest

VERSIONS = ("2.2.3", "2.3.6", "2.3.7", "2.4.0")
PROVABLE = (
    [(store, version) for store in ("sqlite", "postgres") for version in VERSIONS]
    if drill.big()
    else [("sqlite", "2.3.7"), ("postgres", "2.4.0")]
)


@pytest.mark.parametrize(("store", "version"), PROVABLE)
def test_killed_workers_lose_nothing_and_double_nothing(
    store: str, version: str, tmp_path: Path
) -> None:
    load = drill.Load(drill.size(120, 2_000), drill.size(40, 60))
    kills = drill.size(6, 50)
    with drill.place(store, tmp_path) as place, drill.server(version) as fake:
        drill.lossy(fake)
        with drill.observed(place, fake.url) as outbox:
            load.hand_over(outbox)
            workers = drill.Workers(place, fake.url)
            try:
                drill.kill_until_done(workers, outbox, kills)
            finally:
                workers.end()
            rows = drill.every(outbox)
            told = [(one.state.value, one.reason) for one in rows if one.state.value != "sent"]
            assert drill.tally(fake, load, outbox) == drill.Tally(0, 0, 0, 0), told
            assert sum(workers.deaths.values()) >= kills * 0.5, workers.deaths
            assert any(one.found for one in rows)


@pytest.mark.parametrize("store", ["sqlite", "postgres"] if drill.big() else ["sqlite"])
def test_without_a_store_of_messages_nothing_is_doubled_and_doubt_is_told(
    store: str, tmp_path: Path
) -> None:
    load = drill.Load(drill.size(24, 600), drill.size(12, 60))
    with (
        drill.place(store, tmp_path) as place,
        drill.server("2.3.7", store_messages=False) as fake,
    ):
        drill.lossy(fake)
        with drill.observed(place, fake.url) as outbox:
            load.hand_over(outbox)
            workers = drill.Workers(place, fake.url)
            try:
                drill.kill_until_done(workers, outbox, drill.size(2, 20))
            finally:
                workers.end()
            found = drill.tally(fake, load, outbox)
            assert (found.lost, found.doubled, found.disordered) == (0, 0, 0)
            assert found.unknown > 0
            assert all(one.reason for one in outbox.find(state="unknown", limit=1_000))
            assert set(outbox.counts()) == {"sent", "unknown"}


@pytest.mark.parametrize("store", ["sqlite", "postgres"] if drill.big() else ["sqlite"])
def test_who_chose_to_send_again_loses_nothing(store: str, tmp_path: Path) -> None:
    load = drill.Load(drill.size(15, 600), drill.size(15, 60))
    with (
        drill.place(store, tmp_path) as place,
        drill.server("2.3.7", store_messages=False) as fake,
    ):
        drill.lossy(fake)
        with drill.observed(place, fake.url, on_unknown="resend") as outbox:
            load.hand_over(outbox)
            workers = drill.Workers(place, fake.url)
            try:
                drill.kill_until_done(workers, outbox, drill.size(1, 20))
            finally:
                workers.end()
            assert outbox.counts() == {"sent": load.many}
            assert drill.tally(fake, load, outbox).lost == 0
