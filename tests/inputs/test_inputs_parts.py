"""Nothing public beside the families raises anything but our errors, whatever it is fed."""

from __future__ import annotations

import asyncio
import inspect
import logging
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from inputs_parts import Call, calls
from nasty_values import each, nasty

from effort import DRILL, examples
from evolution_sdk.errors import ConfigurationError, EvolutionError, RequestValidationError

CALLS = calls()
NAMES = sorted(each())
SPOILED = st.sampled_from(CALLS).flatmap(
    lambda call: st.tuples(st.just(call), st.sampled_from(call.names), st.sampled_from(NAMES))
)
# What a function that is handed in does is its own; the fake's assertions fail on purpose.
_ITS_OWN = frozenset({"fn", "attempt"})
# Written to the disk of whoever asks: what that says is an OSError, as documented.
_FILES = frozenset({"LidMap.save"})
# Where an argument has another name in errors: that of its variable, or of what it becomes.
_CALLED: Mapping[str, tuple[str, ...]] = {
    "base_url": ("EVOLUTION_API_URL",),
    "text": ("jid", "number"),
    "digits": ("number",),
    "value": ("number",),
    "a": ("jid",),
    "b": ("jid",),
    "requested": ("number",),
    "function": ("handler",),
    "owner": ("admins", "instance"),
    "profile_name": ("instance",),
    "priority": ("router",),  # the same one is included once only
    "name": ("instance",),
    # Two thresholds are held against each other.
    "unhealthy_response_ms": ("EVOLUTION_MONITORING_DEGRADED_RESPONSE_MS",),
    "unhealthy_error_rate": ("EVOLUTION_MONITORING_DEGRADED_ERROR_RATE",),
    "degraded_retry_success_rate": ("EVOLUTION_MONITORING_UNHEALTHY_RETRY_SUCCESS_RATE",),
    "path": ("is not a saved LidMap",),
    "encryption_key": ("EVOLUTION_OUTBOX_KEY",),
    "env_file": ("EVOLUTION_API_URL",),  # None is no file, and the environment here is empty
    "above": ("metric",),  # what it watches, and how
    "quote": ("message_id",),
    "poll": ("from_", "message_id"),  # a poll that is not stored does not say in which chat it is
    "from_": ("participant",),  # in a group, which also a chat may be
}


@pytest.fixture(autouse=True)
def _quiet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    logging.disable()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    logging.disable(logging.NOTSET)


async def _raised(call: Call, name: str, value: object) -> BaseException | None:
    try:
        answer = call.make()(**{**call.good, name: value})
        if inspect.isawaitable(answer):
            async with asyncio.timeout(5):
                await answer
        elif inspect.isgenerator(answer):
            next(answer, None)
    except Exception as error:
        return error
    return None


async def complaint(call: Call, name: str, value_name: str) -> str | None:
    """What is wrong with what one spoiled argument led to, or None."""
    value = nasty(value_name)
    error = await _raised(call, name, value)
    allowed = isinstance(error, AssertionError) and "assert_" in call.name
    if error is None or allowed or name in _ITS_OWN:
        return None
    where = f"{call.name}({name}=<{value_name}>)"
    if not isinstance(error, EvolutionError):
        if isinstance(error, OSError | ValueError) and call.name in _FILES:
            return None
        return f"{where}: {type(error).__name__} is not ours: {str(error)[:100]!r}"
    if not isinstance(error, ConfigurationError | RequestValidationError):
        return None
    told = error.field if isinstance(error, RequestValidationError) else error.variable or ""
    names = (name, *_CALLED.get(name, ()))
    text = str(error)
    if any(each in told or each in text or each.upper() in told for each in names):
        return None
    if issubclass(type(value), Mapping):
        return None  # what is in it is named
    return f"{where}: blames {told!r}: {text[:100]}"


def test_the_walk_finds_the_parts() -> None:
    found = {call.name for call in CALLS}
    assert {"EvolutionClient.instance", "Archive.search", "Operation.parse"} <= found
    assert {"EvolutionMonitorService.start_monitoring", "AnomalyDetector.update"} <= found
    assert len(found) > 90


@settings(
    max_examples=examples(600),
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(spoiled=SPOILED)
async def test_a_spoiled_argument_is_named_by_our_error(spoiled: tuple[Call, str, str]) -> None:
    found = await complaint(*spoiled)
    assert found is None, found


@pytest.mark.parametrize("call", CALLS if DRILL else [], ids=str)
async def test_every_spoiled_argument_is_named(call: Call) -> None:
    wrong = [await complaint(call, name, value) for name in call.names for value in NAMES]
    assert [each for each in wrong if each is not None] == []
