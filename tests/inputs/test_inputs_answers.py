"""Whatever a server answers: a result, or one of our errors; never anything else."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from effort import examples
from evolution_sdk import OPERATIONS, Effect
from evolution_sdk.errors import EvolutionError, RequestValidationError

_WORDS = ["key", "id", "message", "messageTimestamp", "status", "error", "response", "records"]
_WORDS += ["instance", "base64", "jid", "number", "exists", "data", "type", "code", "messages"]
_LEAVES: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.sampled_from(["\ud800", 10**30, -1, 1e308, "5511987654321@s.whatsapp.net", True, {}])
)
_JSON = st.recursive(
    _LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(_WORDS) | st.text(max_size=8), inner, max_size=5)
    ),
    max_leaves=20,
)
_BODIES = st.binary(max_size=60) | _JSON.map(lambda value: json.dumps(value).encode())
_USUAL = [200, 201, 204, 302, 400, 401, 404, 429, 500, 502]
_STATUSES = st.sampled_from(_USUAL) | st.integers(0, 999)
_DEEP = [b"[" * 2_000 + b"]" * 2_000, b'{"key":' * 900 + b"1" + b"}" * 900, b"[" * 100_000]


@settings(max_examples=examples(200), database=None)
@given(st.sampled_from(sorted(OPERATIONS)), _STATUSES, _BODIES)
def test_any_answer_is_read_or_ours(name: str, status: int, body: bytes) -> None:
    _parsed(name, status, body)


@pytest.mark.parametrize("body", _DEEP, ids=len)
@pytest.mark.parametrize("status", [201, 400, 500])
def test_deep_answers_are_read_or_ours(status: int, body: bytes) -> None:
    for name in sorted(OPERATIONS)[::10]:
        _parsed(name, status, body)


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"0", b'"x"', b"{}", b"\xff", *_DEEP], ids=len
)
def test_a_completed_send_returns_whatever_it_answers(body: bytes) -> None:
    for name, operation in OPERATIONS.items():
        if operation.effect is Effect.SEND and operation.group == "message":
            if not body and operation.empty_means not in ("unexpected", "nothing"):
                continue  # an empty answer has a meaning of its own there: nothing was sent
            assert operation.parse(201, body) is not None, name


def _parsed(name: str, status: int, body: bytes) -> None:
    with suppress(EvolutionError):
        OPERATIONS[name].parse(status, body)


@pytest.mark.parametrize(
    "status", [None, "200", True, -1, 10**6, 10**5_000, 2.5], ids=lambda s: type(s).__name__
)
def test_an_odd_status_is_refused(status: Any) -> None:
    with pytest.raises(RequestValidationError, match="status"):
        OPERATIONS["message.send_text"].parse(status, b"{}")


@pytest.mark.parametrize("body", [None, "{}", {}, 1])
def test_an_odd_body_is_refused(body: Any) -> None:
    with pytest.raises(RequestValidationError, match="body"):
        OPERATIONS["message.send_text"].parse(201, body)
