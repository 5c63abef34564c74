"""``OPERATIONS`` against the tables of every route of the server, and of its versions."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
from contract_recordings import FAMILIES

from evolution_sdk import OPERATIONS, Effect
from evolution_sdk.operations.server_version import ServerProfile, ServerVersion
from facts import read, routes

ROUTES = routes()
NOT_FOR_CLIENTS = {
    "root.manager_ui": "a web page",
    "root.manager_asset": "a part of a web page",
    "root.store_file": "a file, by the URL that the server gave",
    "channel_webhook.meta_webhook_verify": "Meta calls it",
    "channel_webhook.meta_webhook": "Meta calls it",
    "channel_webhook.evolution_webhook": "another system calls it",
    "chatwoot.chatwoot_webhook": "Chatwoot calls it",
}
EFFECTS = {
    "safe": {Effect.READ},
    True: {Effect.IDEMPOTENT, Effect.DESTRUCTIVE},
    False: {Effect.SEND},
}


VERSIONS = {
    "2.2.3": (2, 2, 3), "2.3.6": (2, 3, 6), "2.3.7": (2, 3, 7), "2.4-pre": (2, 4, 0),
    "2.4.0-rc2": (2, 4, 0),
}  # fmt: skip
"""Folder of recordings → its number; 2.4-pre calls itself 2.3.7 and has the routes of 2.4."""
BY_PLACE = {
    # `:difyId` there is `{difyId}` here; most paths end with the instance, which is not written.
    (route["method"], re.sub(r":(\w+)", r"{\1}", route["path"]).rstrip("/") or "/"): route
    for route in read("versions/versions.json")["routes"]
}


def _place(key: str) -> tuple[str, str]:
    operation = OPERATIONS[key]
    return operation.method, operation.path.removesuffix("/{instance}") or "/"


@pytest.mark.parametrize("key", OPERATIONS)
def test_it_came_with_the_version_that_has_it_first(key: str) -> None:
    """`facts/versions/versions.json` "routes", from the sources of each version."""
    operation, route = OPERATIONS[key], BY_PLACE[_place(key)]
    for version, number in VERSIONS.items():
        profile = ServerProfile(ServerVersion(number, version), develop=version == "2.4-pre")
        assert (profile.lacks(operation) is None) == (version in route["versions"]), version


def test_every_later_route_has_an_operation() -> None:
    places = {_place(key) for key in OPERATIONS} | {
        (ROUTES[key]["method"], ROUTES[key]["path"].removesuffix("/{instance}") or "/")
        for key in NOT_FOR_CLIENTS
    }
    # A star stands for any file of a web page.
    assert {place for place in BY_PLACE if place not in places and "*" not in place[1]} == set()
    later = [key for key in OPERATIONS if "2.3.6" not in BY_PLACE[_place(key)]["versions"]]
    assert len(later) == 11


@pytest.mark.parametrize("key", OPERATIONS)
def test_the_declaration_is_the_servers(key: str) -> None:
    operation, route = OPERATIONS[key], ROUTES[key]
    assert operation.name == key
    assert operation.group == route["group"]
    assert operation.method == route["method"]
    assert operation.path == route["path"]
    assert operation.auth == route["auth"]
    assert sorted(operation.query) == sorted(_name(query) for query in route["query"])
    assert list(operation.channels) == route["channels"]
    assert operation.effect in EFFECTS[route["idempotent"]]


def _name(query: Any) -> str:
    return str(query["name"] if isinstance(query, dict) else query)


@pytest.mark.parametrize("family", sorted({route["group"] for route in ROUTES.values()}))
def test_the_family_is_whole(family: str) -> None:
    """Families that come later are listed by the skips (``pytest -ra``)."""
    wanted = [key for key in ROUTES if key.startswith(f"{family}.") and key not in NOT_FOR_CLIENTS]
    missing = [key for key in wanted if key not in OPERATIONS]
    if missing and family not in FAMILIES:
        names = ", ".join(key.partition(".")[2] for key in missing)
        pytest.skip(f"{family}: {len(missing)} of {len(wanted)} not declared yet: {names}")
    assert not missing


def test_every_removal_is_marked_as_destructive() -> None:
    removing = {key for key, operation in OPERATIONS.items() if operation.method == "DELETE"}
    assert {key for key in removing if OPERATIONS[key].effect is not Effect.DESTRUCTIVE} == set()


def test_no_two_operations_share_a_route() -> None:
    routes = Counter((operation.method, operation.path) for operation in OPERATIONS.values())
    assert [route for route, count in routes.items() if count > 1] == []


def test_the_mapping_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        OPERATIONS["message.send_text"] = OPERATIONS["message.send_text"]  # type: ignore[index]


def test_what_is_left_out_is_a_route_but_no_operation() -> None:
    assert NOT_FOR_CLIENTS.keys() <= ROUTES.keys()
    assert not NOT_FOR_CLIENTS.keys() & OPERATIONS.keys()
