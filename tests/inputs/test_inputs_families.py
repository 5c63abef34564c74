"""No method of a client raises anything but our errors, whatever it is fed; found by looking."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from inputs_stage import World, judge
from inputs_surface import Method, methods
from nasty_values import each

from effort import DRILL, examples

# What takes no argument can be given none that is spoiled.
METHODS = [method for method in methods() if method.names]
NAMES = sorted(each())
# Which method, which of its arguments, which value.
SPOILED = st.sampled_from(METHODS).flatmap(
    lambda method: st.tuples(st.just(method), st.sampled_from(method.names), st.sampled_from(NAMES))
)
COLOURS = pytest.mark.parametrize("colour", ["sync", "async"])


def test_the_walk_finds_every_family() -> None:
    found = {method.name for method in METHODS}
    assert {"messages.send_text", "chats.find", "instances.create", "dify.create"} <= found
    assert len(found) > 180


@COLOURS
async def test_good_arguments_raise_nothing_foreign(colour: str) -> None:
    world = World(colour)
    for method in METHODS:
        error = await world.outcome(method, {})
        assert error is None or type(error).__module__.startswith("evolution_sdk"), method.name


@COLOURS
@settings(
    max_examples=examples(600),
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(spoiled=SPOILED)
async def test_a_spoiled_argument_is_named_by_our_error(
    colour: str, spoiled: tuple[Method, str, str]
) -> None:
    complaint = await judge(WORLDS(colour), *spoiled)
    assert complaint is None, complaint


@COLOURS
@pytest.mark.parametrize(
    "method", [m for m in METHODS if m.name.startswith("messages.send")], ids=str
)
async def test_every_spoiled_send_is_refused_or_sent(colour: str, method: Method) -> None:
    """Sends are what does harm: all of their arguments with all values, every time."""
    world = World(colour)
    found = [
        complaint
        for name in method.names
        for value in NAMES
        if (complaint := await judge(world, method, name, value)) is not None
    ]
    assert found == []


@COLOURS
@pytest.mark.parametrize("method", METHODS if DRILL else [], ids=str)
async def test_every_spoiled_call_is_named(colour: str, method: Method) -> None:
    world = World(colour)
    found = [
        complaint
        for name in method.names
        for value in NAMES
        if (complaint := await judge(world, method, name, value)) is not None
    ]
    assert found == []


class _Worlds:
    """One world per colour, made when it is first needed and renewed now and then."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[World, int]] = {}

    def __call__(self, colour: str) -> Any:
        world, used = self._kept.get(colour, (None, 0))
        if world is None or used > 100:
            world, used = World(colour), 0
        self._kept[colour] = (world, used + 1)
        return world


WORLDS = _Worlds()
