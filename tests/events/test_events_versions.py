"""Every delivery that 2.2.3, 2.3.7 and 2.4 were recorded to make, by webhook.

`facts/README.md` "Other versions" tells the files; those of Baileys are of the server's own code
over a simulated socket (`facts/versions/baileys.md`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from evolution_sdk import events as ev
from evolution_sdk.models import EVENT_NAMES, MessageStatus, Model
from evolution_sdk.models.event_names import EVENTS_SINCE, LATER_EVENTS
from facts import FACTS, read

VERSIONS = ("2.2.3", "2.3.7", "2.4-pre")
FILES = ("webhooks", "webhooks_nonascii", "baileys_webhooks")


class Delivery(NamedTuple):
    """One recorded webhook."""

    version: str
    name: str
    body: dict[str, Any]


def _deliveries() -> Iterator[Delivery]:
    for version in VERSIONS:
        for file in FILES:
            if (FACTS / f"versions/{version}/{file}.json").exists():
                for row in read(f"versions/{version}/{file}.json"):
                    yield Delivery(version, str(row.get("name") or file), row["json"])


DELIVERIES = list(_deliveries())


def _models(view: object) -> list[Model]:
    items = view if isinstance(view, tuple) else (view,)
    return [item for item in items if isinstance(item, Model)]


def test_enough_was_recorded() -> None:
    assert len(DELIVERIES) > 1000
    assert {delivery.version for delivery in DELIVERIES} == set(VERSIONS)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_delivery_is_a_known_event_without_drift(version: str) -> None:
    unknown, drift = [], set()
    for delivery in DELIVERIES:
        if delivery.version != version:
            continue
        event = ev.parse_event(delivery.body)
        if ev.EVENT_CLASSES.get(delivery.body.get("event", "")) is not type(event):
            unknown.append((delivery.name, delivery.body))
            continue
        assert event.instance
        for model in _models(event.data):
            drift |= {(version, event.event, field) for field in model.drift}
    assert unknown == []
    assert drift == set()


def _told(version: str, name: str, event: str) -> Any:
    return next(
        ev.parse_event(each.body)
        for each in DELIVERIES
        if (each.version, each.name, each.body["event"]) == (version, name, event)
    )


def test_a_batch_of_history_tells_how_far_it_is() -> None:
    """Beside the data since 2.3.7; recorded with null where WhatsApp does not say."""
    name = "messaging-history.set without progress"
    for version in ("2.2.3", "2.3.7"):
        batch = _told(version, name, "messages.set")
        assert isinstance(batch, ev.MessagesSet)
        assert (batch.progress, batch.is_latest) == (None, None)
    later = _told("2.3.7", name, "messages.set")
    assert {"progress", "isLatest"} <= set(later.raw)
    batch = ev.parse_event({**later.raw, "progress": 40, "isLatest": False})
    assert isinstance(batch, ev.MessagesSet)
    assert (batch.progress, batch.is_latest) == (40, False)
    # An empty batch that says 100 % is no copy of an empty one that said 50.
    empty = {**later.raw, "data": [], "isLatest": False}
    half, whole = (ev.parse_event({**empty, "progress": each}) for each in (50, 100))
    assert half.delivery_key != whole.delivery_key
    assert half.delivery_key == ev.parse_event({**empty, "progress": 50}).delivery_key


def test_a_deletion_says_so_since_2_3_7() -> None:
    name = "revoke in group by an admin"
    old, new = (_told(version, name, "messages.delete") for version in ("2.2.3", "2.3.7"))
    assert isinstance(old, ev.MessagesDelete)
    assert isinstance(new, ev.MessagesDelete)
    assert old.message.status is None
    assert new.message.status is MessageStatus.DELETED
    for event in (old, new):
        assert event.kind is ev.MessageKind.REVOKED
        assert event.message.drift == ()


def test_the_summary_of_a_history() -> None:
    """Its fields by `facts/versions/baileys.md` "history"; only 2.4 sends it."""
    data = {"messageCount": 3, "chatCount": 2, "contactCount": 1, "progress": 100}
    event = ev.parse_event({"event": "messaging-history.set", "instance": "a", "data": data})
    assert isinstance(event, ev.MessagingHistorySet)
    summary = event.data
    assert summary.drift == ()
    counts = summary.message_count, summary.chat_count, summary.contact_count, summary.progress
    assert counts == (3, 2, 1, 100)
    assert repr(event) == "MessagingHistorySet(instance='a', messages=3)"


def _refused(version: str) -> tuple[list[str], list[str]]:
    """The names that were asked for, and those that the server knows, as it says when refusing."""
    entry = next(
        each
        for each in read(f"versions/{version}/baileys_exchanges.json")
        if each["name"] == "webhook.set every event name"
    )
    words = entry["response"]["json"]["response"]["message"][0]
    places = [int(re.findall(r"events\[(\d+)\]", word)[0]) for word in words]
    asked = entry["request"]["json"]["webhook"]["events"]
    return [asked[place] for place in places], words[0].partition("values: ")[2].split(",")


@pytest.mark.parametrize(("version", "number"), [("2.2.3", 2.2), ("2.3.7", 2.3), ("2.4-pre", 2.4)])
def test_each_version_knows_the_names_that_the_table_says(version: str, number: float) -> None:
    refused, known = _refused(version)
    ours = {name for name in EVENT_NAMES if float(EVENTS_SINCE.get(name, "2.2")) <= number}
    assert set(known) == ours
    assert not set(refused) & ours
    assert {"MESSAGING_HISTORY_SET"} == LATER_EVENTS


def test_a_handler_for_everything_asks_for_what_every_server_knows() -> None:
    router = ev.EventRouter()

    @router.on(ev.Event)
    def everything(event: ev.Event) -> None: ...

    assert set(router.used_events()) == set(EVENT_NAMES) - LATER_EVENTS - {"GROUP_UPDATE"}

    @router.on(ev.MessagingHistorySet)
    def summary(event: ev.MessagingHistorySet) -> None: ...

    assert "MESSAGING_HISTORY_SET" in router.used_events()
