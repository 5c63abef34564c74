"""The progress of a history sync, as far as each version tells it."""

from __future__ import annotations

from typing import Any

import pytest
from version_deliveries import VERSIONS, bodies, rows

from evolution_sdk import events as ev
from evolution_sdk.errors import RequestValidationError
from evolution_sdk.events import HistoryProgress, HistoryState

NAME = "messaging-history.set without progress"


def recorded(version: str) -> list[dict[str, Any]]:
    return [row["json"] for row in rows(version) if row["name"] == NAME]


def history(event: str, data: Any, second: int = 0, **beside: Any) -> ev.Event:
    stamp = f"2026-09-01T10:00:{second:02d}.000Z"
    return ev.parse_event(
        {"event": event, "instance": "loja", "data": data, "date_time": stamp, **beside}
    )


def batch(count: int, progress: Any, second: int = 0, start: int = 0) -> ev.Event:
    """A batch as the server's source writes it: progress and isLatest beside the data."""
    data = [{"key": {"id": f"H{start + n}"}} for n in range(count)]
    return history("messages.set", data, second, progress=progress, isLatest=False)


def summary(second: int = 50) -> ev.Event:
    """Its fields by `facts/versions/baileys.md` "history"; only 2.4 sends it."""
    data = {"messageCount": 90, "chatCount": 8, "contactCount": 7, "progress": 100}
    return history("messaging-history.set", data, second)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_history_without_progress_never_ends_as_far_as_anybody_knows(version: str) -> None:
    tracker = HistoryProgress()
    events = [ev.parse_event(body) for body in recorded(version)]
    for _twice in range(2):
        for event in events:
            tracker.update(event)
    instance = events[0].instance
    # Copies are counted once; on 2.4 the contacts overtook the messages.
    assert tracker.state(instance) == HistoryState(instance, None, None, 2, 2, 2)


def test_everything_else_is_no_history() -> None:
    tracker = HistoryProgress()
    history_events = ("chats.set", "messages.set")
    for version in VERSIONS:
        for body in bodies(version):
            if body["event"] not in history_events:
                assert tracker.update(ev.parse_event(body)) is None
    assert tracker.state("loja") == HistoryState("loja")


def test_case_63_the_progress_of_a_batch() -> None:
    data = [
        {
            "key": {
                "remoteJid": "5511900000002@s.whatsapp.net",
                "fromMe": False,
                "id": "3A00000000000001",
            },
            "pushName": "Ana",
            "message": {"conversation": "antiga"},
            "messageType": "conversation",
            "messageTimestamp": 1795000000,
        }
    ]
    event = history("messages.set", data, isLatest=False, progress=35)
    assert isinstance(event, ev.MessagesSet)
    assert (event.progress, event.messages[0].text) == (35, "antiga")
    assert HistoryProgress().update(event) == HistoryState("loja", 35, False, 1)


def test_the_end_by_the_last_batch() -> None:
    tracker = HistoryProgress()
    tracker.update(history("chats.set", [{}, {}]))
    assert tracker.state("loja").is_complete is None
    tracker.update(batch(3, 40, 1))
    assert tracker.state("loja") == HistoryState("loja", 40, False, 3, 2)
    # A batch may overtake another: the progress never falls.
    tracker.update(batch(2, 100, 9, start=10))
    tracker.update(batch(4, 70, 5, start=20))
    tracker.update(history("contacts.upsert", [{}, {}, {}], 10))
    assert tracker.state("loja") == HistoryState("loja", 100, True, 9, 2, 3)


def test_the_end_by_the_summary_which_knows_the_numbers() -> None:
    tracker = HistoryProgress()
    tracker.update(batch(3, None, 1))
    assert tracker.state("loja").is_complete is None
    state = tracker.update(summary())
    assert state == HistoryState("loja", 100, True, 90, 8, 7)
    # The last contacts come after it, and are in it.
    assert tracker.update(history("contacts.upsert", [{}], 55)) == state


def test_another_sync_begins_anew() -> None:
    """WhatsApp sends the recent part first, then all of it, each up to 100."""
    tracker = HistoryProgress()
    tracker.update(batch(3, 100, 5))
    tracker.update(history("chats.set", [{}], 9))
    assert tracker.update(batch(2, 10, 10, start=10)) == HistoryState("loja", 10, False, 2, 1)
    assert tracker.update(batch(1, 100, 11, start=20)) == HistoryState("loja", 100, True, 3, 1)
    tracker.reset("loja")
    assert tracker.state("loja") == HistoryState("loja")


def test_copies_are_counted_once_and_empty_batches_tell_their_progress() -> None:
    tracker = HistoryProgress()
    for _copy in range(3):
        tracker.update(batch(3, 40, 1))
    assert tracker.state("loja").messages == 3
    for progress in (50, 100):
        tracker.update(batch(0, progress, 2))
    assert tracker.state("loja") == HistoryState("loja", 100, True, 3)


@pytest.mark.parametrize("odd", [-5, 101, 10**30, "x", {"a": 1}, [], True, 1.5])
def test_a_progress_that_is_none(odd: Any) -> None:
    assert HistoryProgress().update(batch(1, odd)) == HistoryState("loja", None, None, 1)


def test_instances_are_apart_and_bounded() -> None:
    tracker = HistoryProgress(max_instances=2)
    for name in ("a", "b", "c"):
        tracker.update(
            ev.parse_event({"event": "messages.set", "instance": name, "data": [], "progress": 7})
        )
    assert [tracker.state(name).progress for name in "abc"] == [None, 7, 7]
    assert repr(tracker) == "HistoryProgress(2 instances)"
    with pytest.raises(RequestValidationError, match="max_instances"):
        HistoryProgress(max_instances=0)
