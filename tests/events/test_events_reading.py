"""The quick ways of reading an event give the same as the slow ones."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from event_corpus import EVERYTHING, message_body
from hypothesis import given, settings
from hypothesis import strategies as st

from effort import examples
from evolution_sdk.events import Event, MalformedEvent, parse_event
from evolution_sdk.events.message import EventMessage
from evolution_sdk.models.base import Model
from evolution_sdk.models.message import MessageKey

JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(alphabet=st.characters(exclude_categories=())),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=12,
)


@settings(max_examples=examples(200), deadline=None)
@given(st.dictionaries(st.text(max_size=5), JSON, max_size=4), st.booleans(), st.booleans())
def test_a_body_is_decoded_as_json_does(data: Any, ascii_only: bool, as_text: bool) -> None:
    text = json.dumps({"event": "x", "data": data}, ensure_ascii=ascii_only)
    body: str | bytes = text if as_text else text.encode("utf-8", "surrogatepass")
    # By repr, in which 1, 1.0 and True differ, and nan equals itself.
    assert repr(parse_event(body).raw) == repr(json.loads(body))


@pytest.mark.parametrize(
    "body",
    [
        b'{"event":"x","data":-0}',
        b'{"event":"x","data":1e400}',
        b'{"event":"x","data":[NaN,-Infinity]}',
        b'{"event":"x","data":"\\ud800"}',
        b'{"event":"x","data":"\xed\xa0\x80"}',
        b'{"event":"x","data":1,"data":2}',
        b'{"event":"x","data":123456789012345678901234567890}',
        b'\xef\xbb\xbf{"event":"x","data":1}',
        '{"event":"x","data":"ç"}'.encode("utf-16"),
        '{"event":"x","data":"ç"}'.encode("utf-32-le"),
        b' {"event":"x","data":1}\n',
        b'{"event":"x","data":' + b"[" * 300 + b"]" * 300 + b"}",
    ],
)
def test_what_one_parser_refuses_the_other_reads(body: bytes) -> None:
    event = parse_event(body)
    assert not isinstance(event, MalformedEvent)
    assert repr(event.raw) == repr(json.loads(body))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"event":"x","data":1}x', "the body is not JSON"),
        (b'{"event":"x","data":"\x01"}', "the body is not JSON"),
        (b'{"event":"x","data":01}', "the body is not JSON"),
        (b'{"event":"x","data":nan}', "the body is not JSON"),
        (b'{"event":"x","data":"\xff"}', "the body is not UTF-8"),
        (b"", "the body is not JSON"),
        (b'{"data":' + b"[" * 100_000, "the JSON is nested too deeply"),
    ],
)
def test_a_wrong_body_is_refused_in_the_same_words(body: bytes, reason: str) -> None:
    event = parse_event(body)
    assert isinstance(event, MalformedEvent)
    assert event.reason == reason


def validated(kind: type[Model], data: Any) -> Model:
    """The model as pydantic makes it, all options considered."""
    return kind.model_validate(data)._keep(data, ())


ODD = st.sampled_from([None, True, 0, 1.5, -1, "", "x", [], {}, [1], {"low": 1, "high": 0}])


@settings(max_examples=examples(200), deadline=None)
@given(st.data())
def test_a_record_is_read_as_pydantic_reads_it(data: st.DataObject) -> None:
    rows = [row.body["data"] for row in EVERYTHING if isinstance(row.body.get("data"), dict)]
    record = dict(data.draw(st.sampled_from(rows)))
    if record:
        record[data.draw(st.sampled_from(sorted(record)))] = data.draw(ODD)
    kinds: list[type[Model]] = [EventMessage, MessageKey]
    kind = data.draw(st.sampled_from(kinds))
    made = kind.from_wire(record)
    assert made.raw is record
    if not made.drift:
        slow = validated(kind, record)
        assert made == slow
        assert made.model_fields_set == slow.model_fields_set
        assert made.model_extra == slow.model_extra
    again = pickle.loads(pickle.dumps(made))
    assert (again, again.raw, again.drift) == (made, record, made.drift)


def test_an_event_is_read_once() -> None:
    event = parse_event(message_body("IN3"))
    assert event.data is event.data
    assert event.message is event.data  # type: ignore[attr-defined]


@pytest.mark.parametrize("body", ["\ud800", '{"event": "\ud800"}', '"', "\ud800" * 1000])
def test_half_a_surrogate_pair_raises_nothing(body: str) -> None:
    """Python's text may hold what UTF-8 cannot: pydantic's parser takes no such text at all."""
    assert isinstance(parse_event(body), Event)
