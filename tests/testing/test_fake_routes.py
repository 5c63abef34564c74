"""The routes of the fake against the operations of the SDK."""

from __future__ import annotations

from typing import Any

import pytest

from evolution_sdk import OPERATIONS
from evolution_sdk.testing import FakeEvolution, fake_routes
from evolution_sdk.testing.fake.router import Route
from evolution_sdk.testing.fake.routes import ROUTER

PAGES = {("GET", "/manager"), ("GET", "/manager/{path*}"), ("GET", "/assets/{path*}")}
"""Pages of the web manager, which no client calls."""


@pytest.mark.parametrize("key", OPERATIONS)
def test_every_operation_has_its_route(key: str) -> None:
    operation = OPERATIONS[key]
    assert (operation.method, operation.path) in fake_routes()
    found = ROUTER.find(operation.method, operation.path)
    assert found is not None
    assert found[0].operation == key, "another route comes first"


def test_beside_the_operations_there_are_only_pages() -> None:
    declared = {(operation.method, operation.path) for operation in OPERATIONS.values()}
    assert set(fake_routes()) - declared == PAGES


def test_no_route_is_there_twice() -> None:
    assert len(set(fake_routes())) == len(fake_routes())


def test_a_route_without_operation_needs_a_path() -> None:
    with pytest.raises(KeyError, match="no_such"):
        Route("message.no_such", lambda _: None)
    page = Route("root.page", lambda _: None, path="/page")
    assert (page.method, page.path) == ("GET", "/page")


def test_a_route_that_is_not_there_answers_404(ask: Any) -> None:
    reply = ask("POST", "/message/sendNothing/sales", {})
    assert reply.status == 404
    assert b"Cannot POST /message/sendNothing/sales" in reply.body


def test_groups_are_a_mapping(fake: FakeEvolution) -> None:
    assert len(fake.groups) == 0
    fake.groups.add("120363000000000001@g.us", "Team")
    assert list(fake.groups) == ["120363000000000001@g.us"]
    assert fake.groups["120363000000000001@g.us"].subject == "Team"
    assert "120363000000000002@g.us" not in fake.groups
    assert repr(fake.groups) == "FakeGroups(['120363000000000001@g.us'])"
    fake.reset()
    assert not fake.groups
