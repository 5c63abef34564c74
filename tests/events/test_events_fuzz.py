"""Whatever arrives, no exception gets out, nothing is lost, and nothing takes for ever."""

from __future__ import annotations

import copy
import json
import os
from typing import Any

import event_corpus as corpus
import pytest
from event_walk import Mutations, walk
from hypothesis import given, settings
from hypothesis import strategies as st

from effort import examples
from evolution_sdk import events as ev
from evolution_sdk.events import filters
from evolution_sdk.events.filters import Filter
from evolution_sdk.identity import LidMap
from facts import ROOT, read

LIDS = LidMap()


def look_at_everything(event: ev.Event[Any], where: str = "event") -> None:
    """Every public attribute of the event and of all that is in it, each of which must answer."""
    for _ in walk(event, where):
        pass
    repr(event), str(event), hash(event)
    LIDS.learn(event)
    assert event.dedupe_key == ev.parse_event(event._raw).dedupe_key


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["\ud800", "1" * 5_000, "1@lid", "1@g.us", "0", 2**70, -1, 1e308, "1700"])
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    steps = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for step, inner in steps:
        found += places(inner, (*path, step))
    return found


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """A recorded body with up to three of its parts exchanged, removed or doubled."""
    body = json.loads(json.dumps(draw(st.sampled_from(corpus.WEBHOOKS)).body))
    for _ in range(draw(st.integers(1, 3))):
        where = places(body)
        if not where:
            break
        *path, last = draw(st.sampled_from(where))
        holder = body
        for step in path:
            holder = holder[step]
        action = draw(st.sampled_from(["exchange", "remove", "list", "object"]))
        if action == "exchange":
            holder[last] = draw(values)
        elif action == "list":
            holder[last] = [holder[last], holder[last]]
        elif action == "object":
            holder[last] = {draw(st.text(max_size=4)): holder[last]}
        else:
            del holder[last]
    return body


VERSIONS = ("2.2.3", "2.3.7", "2.4-pre")
# `make drill` asks for 20,000 in all.
MUTATIONS = int(os.environ.get("EVOLUTION_DRILL_MUTATIONS", "400"))
SEEDS = range(4)
# A sixth of the recordings in everyday runs, all of them in the drill.
EACH = 1 if MUTATIONS > 1_000 else 6
FILTERS = [
    getattr(filters, name) for name in filters.__all__ if isinstance(getattr(filters, name), Filter)
]


def every_body() -> list[Any]:
    """All recordings of every version, on every transport, and all reported cases."""
    bodies = [row.body for row in (*corpus.WEBHOOKS, *corpus.QUEUE)]
    for version in VERSIONS:
        bodies += [row["json"] for row in read(f"versions/{version}/baileys_webhooks.json")]
    folder = ROOT / "tests/data/cases"
    for case in json.loads((folder / "cases.json").read_text("utf-8")):
        bodies += [*case.get("before", ()), *([case["payload"]] if "payload" in case else ())]
    for case in json.loads((folder / "further.json").read_text("utf-8")):
        bodies += case.get("events", ())
    return [body for body in bodies if isinstance(body, dict)]


def test_every_attribute_of_every_recording_answers() -> None:
    read_paths = set[str]()
    for body in every_body()[::EACH]:
        event = ev.parse_event(body)
        read_paths.update(walk(event))
        assert event.raw == body
    # The walk is no empty promise: it gets to the parts of messages.
    for path in ("message.media.mimetype", "message.quoted.kind", "message.poll.options"):
        assert f"event.{path}" in read_paths


@pytest.mark.parametrize("seed", SEEDS)
def test_seeded_mutations_of_all_versions_and_cases(seed: int) -> None:
    """Drill with EVOLUTION_DRILL_MUTATIONS=20000."""
    mutations = Mutations(every_body(), seed)
    for number in range(MUTATIONS // len(SEEDS)):
        body = mutations.make()
        before = copy.deepcopy(body)
        event = ev.parse_event(body)
        look_at_everything(event, f"seed {seed}, number {number}: event")
        assert all(isinstance(asked.check(event), bool) for asked in FILTERS)
        if not isinstance(event, ev.MalformedEvent):
            assert event.raw == before


@given(mutated())
@settings(max_examples=examples(400))
def test_mutations_of_recorded_bodies(body: Any) -> None:
    event = ev.parse_event(body)
    look_at_everything(event)
    assert event.raw is body or isinstance(event, ev.MalformedEvent)
    look_at_everything(ev.parse_event(json.dumps(body)))


@given(
    st.sampled_from([*ev.EVENT_CLASSES, "group.join-request", "error", "made.up", ""]),
    values,
    values,
)
@settings(max_examples=examples(300))
def test_any_data_under_any_name(name: str, data: Any, instance: Any) -> None:
    look_at_everything(ev.parse_event({"event": name, "instance": instance, "data": data}))


@given(st.binary(max_size=200) | st.text(max_size=200))
@settings(max_examples=examples(300))
def test_any_bytes_and_any_text(body: bytes | str) -> None:
    event = ev.parse_event(body)
    look_at_everything(event)
    if isinstance(event, ev.MalformedEvent) and event.reason != "the body names no event":
        assert event.body == body or event.reason == "the body is not a JSON object"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe{", "not"),
        (b'"\xff"', "not UTF-8"),
        (b"[1]", "not a JSON object"),
        (b"null", "not a JSON object"),
        (b"{}", "names no event"),
        (b'{"event": 1, "data": {}}', "names no event"),
        ("[" * 100_000, "too deeply"),
        (b'{"event":"call","data":' + b'{"a":' * 100_000, "too deeply"),
        (None, "not bytes, text or a mapping"),
        (1.5, "not bytes, text or a mapping"),
    ],
)
def test_what_is_wrong_is_said(body: Any, reason: str) -> None:
    event = ev.parse_event(body)
    assert isinstance(event, ev.MalformedEvent)
    assert reason in event.reason
    look_at_everything(event)


def test_a_mapping_that_cannot_be_read() -> None:
    class Broken(dict[str, Any]):
        def keys(self) -> Any:
            raise RuntimeError("no")

    event = ev.parse_event(Broken(event="call", data=1))
    assert event.event in ("call", "")


def test_numbers_of_any_size_and_nan() -> None:
    digits = "9" * 10_000
    body = (
        f'{{"event":"messages.update","data":{{"keyId":"A","status":{digits},"x":NaN,"y":-1e999}}}}'
    )
    event = ev.parse_event(body)
    assert isinstance(event, ev.MessagesUpdate)
    assert event.raw["data"]["status"] == digits
    look_at_everything(event)


def deep(levels: int) -> Any:
    inner: Any = {"conversation": "x"}
    for _ in range(levels):
        inner = {"ephemeralMessage": {"message": inner}}
    return inner


def test_nesting_deeper_than_python_can_call() -> None:
    """Decoded bodies may be deeper than the JSON decoder allows, such as from a socket."""
    record = {"key": {"id": "A", "remoteJid": "1@lid"}, "messageType": "ephemeralMessage"}
    body = {"event": "messages.upsert", "data": {**record, "message": deep(50_000)}}
    event = ev.parse_event(body)
    assert isinstance(event, ev.MessagesUpsert)
    assert event.text == "x"
    for name in ("made.up", "chats.set", "groups.update"):
        other = ev.parse_event({"event": name, "data": [deep(50_000)]})
        assert (
            other.dedupe_key == ev.parse_event({"event": name, "data": [deep(50_000)]}).dedupe_key
        )


def test_duplicate_keys_do_no_harm() -> None:
    event = ev.parse_event('{"event":"call","event":"logout.instance","data":null,"instance":"a"}')
    assert type(event) is ev.LogoutInstance


def work(size: int, body: Any) -> int:
    """How many calls Python makes to parse a body and to make its keys: not a time, but as good."""
    import sys

    calls = 0

    def count(*_: Any) -> None:
        nonlocal calls
        calls += 1

    sys.setprofile(count)
    try:
        event = ev.parse_event(body(size))
        event.dedupe_key, event.data, repr(event)
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize(
    "body",
    [
        lambda n: json.dumps({"event": "x" * n, "data": None}),
        lambda n: json.dumps({"event": "made.up", "data": list(range(n))}),
        lambda n: json.dumps({"event": "contacts.update", "data": [{"remoteJid": "1@lid"}] * n}),
        lambda n: {"event": "messages.upsert", "data": {"message": deep(n)}},
        lambda n: {"event": "labels.edit", "data": {str(i): i % 256 for i in range(n)}},
    ],
)
def test_twice_the_size_is_about_twice_the_work(body: Any) -> None:
    work(10, body)
    small, large = work(2_000, body), work(8_000, body)
    assert large < 6 * small + 1_000
