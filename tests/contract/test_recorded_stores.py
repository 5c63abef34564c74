"""Every kind of send is recognised in the store of every recorded version, by its request.

`tests/data/stored_sends.json`: each recorded send of the versions 2.2.3 to 2.4 with its answer, the
row that findMessages showed of it later, and the `send.message` event. A single contact of BUSINESS
was recorded as a row only; its request is the one that was sent on Baileys.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from evolution_sdk import OPERATIONS
from evolution_sdk.identity import LidMap
from evolution_sdk.operations.operation import sent_kind
from evolution_sdk.reconcile.fingerprint import fingerprint
from evolution_sdk.reconcile.recorded_kinds import RECORDED, channel_of, form_of, unrecorded
from facts import FACTS, ROOT

ENTRIES: list[dict[str, Any]] = json.loads(
    (ROOT / "tests" / "data" / "stored_sends.json").read_text("utf-8")
)
VERSIONS = {"2.2.3", "2.3.6", "2.3.7", "2.4-pre"}
# Read back after its text had been edited.
EDITED = {("2.3.7", "sendText"), ("2.4-pre", "sendText")}


class Seen(NamedTuple):
    """One record of a recorded send, and where it was seen."""

    entry: dict[str, Any]
    where: str
    record: dict[str, Any]

    @property
    def id(self) -> str:
        entry = self.entry
        return f"{entry['version']}-{entry['channel']}-{entry['name']}-{self.where}"


def _seen() -> Iterator[Seen]:
    for entry in ENTRIES:
        for where in ("answer", "stored", "event"):
            edited = where == "stored" and (entry["version"], entry["name"]) in EDITED
            if entry.get(where) and not edited:
                yield Seen(entry, where, entry[where])


SEEN = list(_seen())


def test_enough_was_recorded() -> None:
    assert {entry["version"] for entry in ENTRIES} == VERSIONS
    assert sum(seen.where == "stored" for seen in SEEN) >= 120
    assert sum(seen.where == "event" for seen in SEEN) >= 25
    single = [e for e in ENTRIES if e["name"] == "row of a single contact"]
    assert {e["version"] for e in single} == VERSIONS


@pytest.mark.parametrize("seen", SEEN, ids=lambda seen: seen.id)
def test_a_send_is_recognised_on_every_version(seen: Seen) -> None:
    book = LidMap()
    book.learn_number(seen.entry["body"].get("number"), seen.record["key"]["remoteJid"])
    mark = fingerprint(sent_kind(OPERATIONS[seen.entry["operation"]]), seen.entry["body"])
    assert mark.resolved(book).matches(seen.record)


@pytest.mark.parametrize("seen", SEEN, ids=lambda seen: seen.id)
def test_its_id_tells_the_channel(seen: Seen) -> None:
    told = channel_of(seen.record["key"]["id"])
    chosen = "messageId" in seen.entry["body"]  # obeyed by 2.4
    assert told == seen.entry["channel"] or (chosen and told is None)


def test_the_table_of_what_is_recognised_is_what_was_recorded() -> None:
    """Neither more, which would send again what may be there, nor less."""
    recorded: dict[str, set[str]] = {}
    for seen in SEEN:
        kind = form_of(sent_kind(OPERATIONS[seen.entry["operation"]]), seen.entry["body"])
        recorded.setdefault(kind, set()).add(seen.entry["channel"])
    assert {kind: set(channels) for kind, channels in RECORDED.items()} == recorded


def test_what_was_never_recorded_is_named() -> None:
    gaps = {
        (kind, channel)
        for kind, operation in {
            "media audio": "send_media", "media gif": "send_media", "status video": "send_status",
            "status audio": "send_status", "buttons other": "send_buttons", "text": "send_text",
            "poll": "send_poll", "location": "send_location", "list": "send_list",
        }.items()
        for channel in unrecorded(kind, OPERATIONS[f"message.{operation}"].channels)
    }  # fmt: skip
    assert gaps == {
        ("media audio", "baileys"), ("media audio", "business"), ("media gif", "baileys"),
        ("media gif", "business"), ("media gif", "evolution"), ("status video", "baileys"),
        ("status audio", "baileys"), ("buttons other", "business"), ("buttons other", "evolution"),
    }  # fmt: skip


def _body(entry: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**entry["body"], **changes}


def test_another_contact_place_or_file_is_not_taken_for_it() -> None:
    """What the mended rules compare: names, numbers, coordinates, and URLs."""
    other_person = [{"fullName": "Bia", "phoneNumber": "+55 11 98765-4321"}]
    other_number = [{"fullName": "Ada Lovelace", "phoneNumber": "+55 11 90000-0000"}]
    for entry in ENTRIES:
        record, operation = entry.get("stored") or entry["answer"], entry["operation"]
        changed: list[dict[str, Any]] = []
        if operation == "message.send_contact" and len(entry["body"]["contact"]) == 1:
            changed = [_body(entry, contact=people) for people in (other_person, other_number)]
        elif operation == "message.send_location":
            changed = [_body(entry, name="MASP"), _body(entry, latitude=1.5)]
        elif entry["channel"] == "evolution" and operation == "message.send_media":
            changed = [
                _body(entry, media="https://example.com/another.png"),
                _body(entry, mediatype="video" if "ideo" not in str(record) else "image"),
            ]
        for body in changed:
            assert not fingerprint(sent_kind(OPERATIONS[operation]), body).matches(record), (
                entry["name"],
                body,
            )


def test_the_copied_sends_are_the_recorded_ones() -> None:
    folders = {version: FACTS / "versions" / version for version in VERSIONS}
    folders["2.3.6"] = FACTS / "exchanges"
    texts = {
        version: "".join(
            json.dumps(json.loads(path.read_text("utf-8")), sort_keys=True)
            for path in sorted(folder.glob("*.json"))
        )
        + (FACTS / "webhooks.json").read_text("utf-8") * (version == "2.3.6")
        for version, folder in folders.items()
    }
    for entry in ENTRIES:
        for where in ("answer", "stored"):
            if entry.get(where):
                assert json.dumps(entry[where], sort_keys=True) in texts[entry["version"]]
