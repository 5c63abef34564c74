"""Every method makes exactly the request that the server knows."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatch
from typing import Any

import pytest

from evolution_sdk import OPERATIONS
from evolution_sdk.operations.operation import TimeoutKind

from .conftest import Kit
from .request_cases import ACCOUNT_CASES, BEGIN, MESSAGE_CASES
from .request_cases_bots import BOT_CASES
from .request_cases_chat import CHAT_CASES
from .request_cases_groups import GROUP_CASES, OTHER_CASES
from .request_cases_transports import TRANSPORT_CASES

TABLES = (
    ACCOUNT_CASES,
    MESSAGE_CASES,
    CHAT_CASES,
    GROUP_CASES,
    OTHER_CASES,
    TRANSPORT_CASES,
    BOT_CASES,
)
CASES = {name: case for table in TABLES for name, case in table.items()}
KEYLESS = ("/", "/metrics")


def is_new(method: str, path: str) -> bool:
    """Tell if only the newest servers have the route of a request."""
    return any(
        operation.method == method
        and fnmatch(path.partition("?")[0], re.sub(r"\{\w+\}", "*", operation.path))
        for operation in OPERATIONS.values()
        if operation.since == "2.4"
    )


def test_no_case_hides_another() -> None:
    assert len(CASES) == sum(map(len, TABLES))


def test_every_operation_has_a_case() -> None:
    """Those that take a file have theirs with the media."""
    routes = {
        (operation.method, re.sub(r"\{\w+\}", "*", operation.path)): name
        for name, operation in OPERATIONS.items()
        if operation.timeout is not TimeoutKind.MEDIA or operation.group != "message"
    }
    called = {(method, path.partition("?")[0]) for _, method, path, _ in CASES.values()}
    missing = [
        name
        for (method, route), name in routes.items()
        if not any(method == verb and fnmatch(path, route) for verb, path in called)
    ]
    assert missing == []


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_request(kit: Kit, case: tuple[Any, str, str, Any]) -> None:
    call, method, path, body = case
    new = is_new(method, path)
    await kit.run(call(kit.client(server_version="2.4.0") if new else kit.client()))
    (request,) = kit.stub.requests
    assert request.method == method
    assert request.url == f"http://evolution.test:8080{path}"
    assert (None if request.content is None else json.loads(request.content)) == body
    keyless = path in KEYLESS or path.startswith("/license/")
    assert request.headers.get("apikey") == (None if keyless else "global-key")
    assert ("content-type" in request.headers) is (body is not None)


async def test_a_range_without_end_reaches_beyond_any_clock_difference(kit: Kit) -> None:
    await kit.run(kit.client().chats.find_messages(since=BEGIN))
    found = kit.stub.last_json["where"]["messageTimestamp"]
    assert found == {"gte": "2026-01-02T00:00:00.000Z", "lte": "2026-11-24T15:31:29.000Z"}


async def test_bulk_number_checks_are_split(kit: Kit) -> None:
    kit.stub.default = (200, [])
    numbers = [f"55119876{i:05}" for i in range(120)]
    await kit.run(kit.client().chats.check_whatsapp_numbers(numbers))
    sizes = [len(json.loads(request.content or b"")["numbers"]) for request in kit.stub.requests]
    assert sizes == [50, 50, 20]


async def test_a_number_is_resolved_by_asking_for_each_variant(kit: Kit) -> None:
    known = {"jid": "553199998888@s.whatsapp.net", "exists": True}
    kit.stub.default = (
        200,
        [
            {"jid": "x", "exists": False, "number": "5531999998888@s.whatsapp.net"},
            {**known, "number": "553199998888@s.whatsapp.net"},
        ],
    )
    jid = await kit.run(kit.client().chats.resolve_number("5531999998888"))
    assert str(jid) == "553199998888@s.whatsapp.net"
    asked = kit.stub.last_json["numbers"]
    assert asked == ["5531999998888@s.whatsapp.net", "553199998888@s.whatsapp.net"]
    kit.stub.default = (200, [{"jid": "x", "exists": False, "number": asked[0]}])
    assert await kit.run(kit.client().chats.resolve_number("5531999998888")) is None
