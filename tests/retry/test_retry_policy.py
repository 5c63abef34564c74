from __future__ import annotations

import dataclasses
import math
import pickle
from typing import Any

import pytest

from evolution_sdk.errors import ConfigurationError
from evolution_sdk.retry import EvolutionRetryService, RetryPolicy

BAD = [
    ("max_attempts", 0),
    ("max_attempts", -1),
    ("max_attempts", 1.5),
    ("max_attempts", True),
    ("max_attempts", "3"),
    ("delay_ms", -1),
    ("delay_ms", math.nan),
    ("delay_ms", math.inf),
    ("delay_ms", None),
    ("backoff_factor", 0.9),
    ("backoff_factor", math.inf),
    ("max_delay_ms", -0.1),
    ("max_delay_ms", "x"),
    ("max_elapsed_ms", -1),
    ("max_elapsed_ms", math.nan),
    ("attempt_timeout_ms", 0),
    ("attempt_timeout_ms", math.inf),
    ("jitter", "half"),
    ("jitter", None),
]


def test_the_defaults_are_those_of_the_documented_settings() -> None:
    assert dataclasses.asdict(RetryPolicy()) == {
        "max_attempts": 3,
        "delay_ms": 1_000,
        "backoff_factor": 2.0,
        "max_delay_ms": 30_000,
        "jitter": "equal",
        "max_elapsed_ms": None,
        "attempt_timeout_ms": None,
    }
    assert EvolutionRetryService().policy == RetryPolicy()


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_bad_value_is_refused_by_name_everywhere(name: str, value: object) -> None:
    makers: list[Any] = [RetryPolicy, RetryPolicy().with_]
    if value is not None:  # to the service, None means the setting
        makers.append(EvolutionRetryService)
    for make in makers:
        with pytest.raises(ConfigurationError, match=name) as caught:
            make(**{name: value})  # type: ignore[operator]
        assert caught.value.variable == name


def test_edges_are_accepted() -> None:
    RetryPolicy(1, 0, 1, 0, "none", 0, 1)


def test_with_changes_a_copy() -> None:
    policy = RetryPolicy()
    changed = policy.with_(max_attempts=7, jitter="none", max_elapsed_ms=5)
    assert (changed.max_attempts, changed.jitter, changed.max_elapsed_ms) == (7, "none", 5)
    assert changed.delay_ms == policy.delay_ms
    assert policy == RetryPolicy()


def test_with_refuses_an_unknown_name() -> None:
    with pytest.raises(ConfigurationError, match="max_tries") as caught:
        RetryPolicy().with_(max_tries=2)  # type: ignore[call-arg]
    assert caught.value.variable == "max_tries"


def test_a_policy_is_frozen_and_pickles() -> None:
    policy = RetryPolicy(5, jitter="equal")
    with pytest.raises(dataclasses.FrozenInstanceError):
        policy.max_attempts = 2  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(policy)) == policy


def test_a_service_from_a_policy_has_that_policy() -> None:
    policy = RetryPolicy(9, 1.5, 3, 77, "equal", 1_234)
    assert EvolutionRetryService.from_policy(policy).policy == policy
