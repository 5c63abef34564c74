"""``OPERATIONS`` against the table of every route of the server."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from contract_recordings import FAMILIES

from evolution_sdk import OPERATIONS, Effect
from facts import routes

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
