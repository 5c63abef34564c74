"""Versions of the server: how they compare, and what a profile says of each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolution_sdk import OPERATIONS
from evolution_sdk.operations.methods import method_of, operation_of
from evolution_sdk.operations.server_version import (
    BEHAVIOURS,
    SUPPORTED,
    ServerProfile,
    ServerVersion,
    profile_of,
)

NUMBERS = st.tuples(*[st.integers(0, 30)] * 3)


def profile(version: str, *, develop: bool = False) -> ServerProfile:
    parsed = ServerVersion.parse(version)
    assert parsed is not None
    return ServerProfile(parsed, develop)


@pytest.mark.parametrize(
    ("text", "release"),
    [
        ("2.3.7", (2, 3, 7)),
        (" v2.4.0-rc2 ", (2, 4, 0)),
        ("2.4", (2, 4, 0)),
        ("2", (2, 0, 0)),
        ("9.9.9-x", (9, 9, 9)),
        ("1.8.6+build.5", (1, 8, 6)),
    ],
)
def test_a_version_is_read(text: str, release: tuple[int, int, int]) -> None:
    version = ServerVersion.parse(text)
    assert version is not None
    assert version.release == release
    assert str(version) == text.strip().removeprefix("v")


@pytest.mark.parametrize(
    "text", ["", "latest", "x2.3", "2.3.4.5", "2.3." + "9" * 70, "\u0662.\u0663.\u0667"]
)
def test_what_is_no_version(text: str) -> None:
    assert profile_of(text) is None


@given(NUMBERS, NUMBERS)
def test_versions_compare_as_their_numbers(one: tuple[int, ...], other: tuple[int, ...]) -> None:
    version, since = (".".join(map(str, numbers)) for numbers in (one, other))
    assert profile(version).at_least(since) is (one >= other)
    # A release candidate has what its release has.
    assert profile(f"{version}-rc1").at_least(version)


@pytest.mark.parametrize("version", SUPPORTED)
def test_what_came_with_a_version_stays(version: str) -> None:
    """Each supported version has all behaviours and routes of the ones before it."""
    older = [one for one in SUPPORTED if one < version]
    for before in older:
        for name in BEHAVIOURS:
            assert profile(version).has(name) >= profile(before).has(name), name
        for operation in OPERATIONS.values():
            if profile(before).lacks(operation) is None:
                assert profile(version).lacks(operation) is None, operation.name


@pytest.mark.parametrize(("version", "count"), [("2.2.3", 39), ("2.3.6", 11), ("2.3.7", 9)])
def test_how_many_routes_are_missing(version: str, count: int) -> None:
    missing = [one.name for one in OPERATIONS.values() if profile(version).lacks(one) is not None]
    assert len(missing) == count, missing


def test_an_early_build_of_2_4() -> None:
    """It calls itself 2.3.7, has the routes of 2.4, and no licence."""
    early = profile("2.3.7", develop=True)
    assert not early.ambiguous
    assert profile("2.3.7").ambiguous
    assert not profile("2.3.6").ambiguous
    assert early.has("message_ids")
    assert not early.has("license_gate")
    lacking = {one.name for one in OPERATIONS.values() if early.lacks(one) is not None}
    assert lacking == {"license.status", "license.register", "license.activate"}


def test_every_operation_is_found_by_its_method() -> None:
    for operation in OPERATIONS.values():
        assert operation_of(method_of(operation)) is operation
        assert operation_of(operation.name) is operation


def test_events_of_a_body_that_a_version_refuses() -> None:
    body = {"websocket": {"enabled": True, "events": ["CALL", "STATUS_INSTANCE"]}}
    assert profile("2.2.3").refused(body) == ("STATUS_INSTANCE", "2.3")
    assert profile("2.3.6").refused(body) is None
    assert profile("2.2.3").refused({"websocket": {"events": None}, "name": "x"}) is None


def test_fields_that_a_version_ignores() -> None:
    find = OPERATIONS["chat.find_contacts"]
    body = {"where": {"id": "x", "pushName": None, "remoteJid": "y"}}
    assert list(profile("2.3.6").ignored(find, body)) == [("where.id", "2.3.7")]
    assert list(profile("2.3.7").ignored(find, body)) == []
    assert list(profile("2.3.6").ignored(find, {"where": "odd"})) == []
