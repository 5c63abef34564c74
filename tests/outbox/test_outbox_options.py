"""Options of a hand-over: the outbox's own and the message's, parted, and refused by name."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from evolution_sdk import RequestValidationError
from evolution_sdk._client.compose import ComposeOptions
from evolution_sdk._client.options import SendOptions
from evolution_sdk.outbox.options import (
    OutboxComposeOptions,
    OutboxSendOptions,
    OwnOptions,
    split,
)

SOON = datetime(2026, 8, 1, 9, tzinfo=UTC)
LATER = datetime(2026, 8, 1, 18, tzinfo=UTC)
NAIVE = datetime(2026, 8, 1, 9)
WITHHELD = {"retry", "timeout_ms"}


def test_nothing_given_is_the_default() -> None:
    own, rest = split({})
    assert own == OwnOptions()
    assert (own.key, own.priority, own.on_unknown) == (None, 0, None)
    assert rest == {}


def test_they_are_parted() -> None:
    given: Any = {
        "key": "invoice-4711", "not_before": SOON, "expires_at": LATER, "priority": -3,
        "instance": "sales", "metadata": {"order": 4711}, "on_unknown": "resend",
        "delay_ms": 700, "quoted": "3EB0", "mentioned": ["5511"], "mentions_every_one": True,
        "message_id": "pedido-4711",
    }  # fmt: skip
    own, rest = split(given)
    assert own == OwnOptions(
        key="invoice-4711", not_before=SOON, expires_at=LATER, priority=-3, instance="sales",
        metadata={"order": 4711}, on_unknown="resend",
    )  # fmt: skip
    assert set(rest) == {"delay_ms", "quoted", "mentioned", "mentions_every_one", "message_id"}
    assert all(rest[name] is given[name] for name in rest)  # type: ignore[literal-required]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(OutboxComposeOptions, ComposeOptions), (OutboxSendOptions, SendOptions)],
)
def test_every_option_of_a_message_is_there(ours: type, theirs: type) -> None:
    """An option that the client learns must not be missing here, nor be left out by mistake."""
    own = set(OwnOptions.__dataclass_fields__)
    assert set(ours.__annotations__) == own | set(theirs.__annotations__) - WITHHELD
    for name in set(theirs.__annotations__) - WITHHELD - own:
        # From Python 3.14 on a reference to a type knows its class, too.
        assert ours.__annotations__[name].__forward_arg__ == (
            theirs.__annotations__[name].__forward_arg__
        )


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"retry": False}, "'retry': the outbox decides"),
        ({"timeout_ms": 5}, "'timeout_ms': the outbox goes by"),
        ({"delay": 5}, "Did you mean 'delay_ms'"),
        ({"not_befor": SOON}, "Did you mean 'not_before'"),
        ({"prioritty": 1}, "Did you mean 'priority'"),
        ({"retries": 1}, "takes no option 'retries'"),
    ],
)
def test_what_is_no_option_is_refused_with_a_hint(given: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        split(given)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"key": ""}, "key"),
        ({"key": "x" * 256}, "key"),
        ({"key": "a\0b"}, "key"),
        ({"key": "\ud800"}, "key"),
        ({"instance": " "}, "instance"),
        ({"instance": "\0"}, "instance"),
        ({"priority": 32_768}, "priority"),
        ({"priority": -32_769}, "priority"),
        ({"not_before": NAIVE}, "not_before"),
        ({"expires_at": NAIVE}, "expires_at"),
        ({"not_before": SOON, "expires_at": SOON}, "expires_at"),
        ({"metadata": {"at": SOON}}, "metadata"),
        ({"metadata": {"n": float("nan")}}, "metadata"),
        ({"metadata": {(1, 2): 3}}, "metadata"),
    ],
)
def test_a_value_that_breaks_a_rule_is_refused_by_its_name(given: Any, field: str) -> None:
    with pytest.raises(RequestValidationError) as caught:
        split(given)
    assert caught.value.field == field


@pytest.mark.parametrize(
    "given",
    [
        {"key": "x" * 255, "priority": 32_767},
        {"priority": -32_768, "not_before": SOON, "expires_at": LATER},
        {"key": None, "not_before": None, "expires_at": None, "instance": None, "metadata": None},
    ],
)
def test_what_is_within_the_rules_is_taken(given: Any) -> None:
    assert split(given)[0] == OwnOptions(**given)


def test_data_of_the_callers_stays_out_of_the_repr() -> None:
    own, _ = split({"key": "invoice-4711", "metadata": {"name": "Maria"}})
    assert "invoice-4711" in repr(own)
    assert "Maria" not in repr(own)
