"""Laws that hold for every answer a server, a proxy or the network may give."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from evolution_sdk import OPERATIONS, Effect
from evolution_sdk._base.effect import Phase
from evolution_sdk.errors import (
    EvolutionAPIError,
    EvolutionError,
    MetaAPIError,
    UnexpectedResponseError,
)
from evolution_sdk.models._emoji import is_single_emoji
from evolution_sdk.operations.classify import classify
from evolution_sdk.operations.envelopes import read_error

NAMES = ("message", "error", "code", "type", "key", "response", "details", "data", "output")
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=8), inner, max_size=5)
    ),
    max_leaves=15,
)
OPERATION = st.sampled_from(list(OPERATIONS.values()))
PLAIN = ("baileys.baileys_send_node", "baileys.baileys_signal_decrypt")
"""Sends that answer no object: nothing, and bytes."""
SENDS = st.sampled_from([op for op in OPERATIONS.values() if op.effect is Effect.SEND])


@given(OPERATION, st.integers(100, 599), st.binary() | JSON.map(lambda j: json.dumps(j).encode()))
def test_parse_raises_nothing_but_its_own_errors(operation: Any, status: int, body: bytes) -> None:
    outcome: Any
    try:
        outcome = operation.decode(status, body)
    except EvolutionError as error:
        outcome = error
    if isinstance(outcome, EvolutionError):
        known: Any = outcome
        assert (known.effect, known.operation) == (operation.effect, operation.name)
        assert known.status == status
        assert str(known)
        assert repr(known)
    else:
        assert 200 <= status < 300
        assert isinstance(outcome.drift, tuple)


@given(SENDS, JSON)
@example(OPERATIONS["instance.create_instance"], {"error": True})
@example(OPERATIONS["message.send_text"], {"error": True, "key": {}})
def test_an_accepted_send_is_never_reported_as_failed(operation: Any, data: Any) -> None:
    try:
        outcome: Any = operation.parse(201, json.dumps(data).encode())
    except EvolutionError as error:
        outcome = error
    if isinstance(outcome, MetaAPIError):
        assert "key" not in data
    elif isinstance(outcome, UnexpectedResponseError):
        # Somebody else's words: they leave open whether it was sent.
        assert data["error"] is True
        assert not isinstance(data.get("key"), dict)
        assert outcome.phase is Phase.UNKNOWN
        assert not outcome.retryable
    else:
        assert not isinstance(outcome, EvolutionError)
        assert operation.name in PLAIN or outcome.raw == data


@given(st.integers(300, 599), JSON, st.sampled_from(Effect))
def test_every_failure_has_a_class_and_a_judgement(status: int, data: Any, effect: Effect) -> None:
    error = classify(status, data, "x.y", effect)
    assert type(error) is not EvolutionAPIError
    assert error.raw == data
    assert error.effect is effect
    assert error.phase in Phase
    if effect is Effect.SEND and error.phase is not Phase.NOT_SENT:
        assert not error.retryable


@given(JSON)
def test_reading_an_error_keeps_every_text_of_a_list(data: Any) -> None:
    assert all(isinstance(text, str) for text in read_error(data).messages)
    nested = read_error({"response": {"message": [["a", data], "b"]}}).messages
    assert nested[0] == "a"
    assert nested[-1] == "b"


@pytest.mark.parametrize(
    "emoji",
    ["👍", "❤️", "❤", "👍🏽", "👨‍👩‍👧‍👦", "🏳️‍🌈", "🇧🇷", "1️⃣", "#️⃣", "©️", "🙏🏿", "❤️‍🔥", "🧑🏽‍💻", "☺️",
     "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "↔️", "▶️", "\u2795", "⭐", "🫨", "🤷‍♂️", "㊙️"],
)  # fmt: skip
def test_one_emoji(emoji: str) -> None:
    assert is_single_emoji(emoji)


@pytest.mark.parametrize(
    "text",
    ["", "a", "1", "#", "ok", "👍👍", "👍 ", " 👍", "👍a", "🇧", "🇧🇷🇵", "+", "<", "=", "~", "^", "`",
     "|", "°", "→", "∞", "\u200d", "\ufe0f", "👍\u200d", "🇧🇷🇵🇹", "€", "§"],
)  # fmt: skip
def test_not_one_emoji(text: str) -> None:
    assert not is_single_emoji(text)


@given(st.text(max_size=12))
def test_asking_whether_it_is_an_emoji_never_fails(text: str) -> None:
    if is_single_emoji(text):
        assert not text.isspace()
        assert not text.isalnum() or any(ord(c) > 127 for c in text)
