"""Every method makes exactly the request that the server knows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .conftest import Kit
from .request_cases import ACCOUNT_CASES, BEGIN, MESSAGE_CASES
from .request_cases_chat import CHAT_CASES

CASES = {**ACCOUNT_CASES, **MESSAGE_CASES, **CHAT_CASES}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_request(kit: Kit, case: tuple[Any, str, str, Any]) -> None:
    call, method, path, body = case
    await kit.run(call(kit.client()))
    (request,) = kit.stub.requests
    assert request.method == method
    assert request.url == f"http://evolution.test:8080{path}"
    assert (None if request.content is None else json.loads(request.content)) == body
    assert request.headers.get("apikey") == (None if path == "/" else "global-key")
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
