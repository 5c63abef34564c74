"""Bodies of odd types: what a running 2.3.6 server answered to them."""

from __future__ import annotations

from typing import Any

import pytest

from evolution_sdk.testing import FakeEvolution

INCLUDES = "query?.where?.remoteJid.includes is not a function"
EPHEMERAL = "TypeError: Cannot read properties of undefined (reading 'ephemeralMessage')"
NO_KEY = "TypeError: Cannot read properties of undefined (reading 'key')"


@pytest.mark.parametrize(
    ("route", "body", "status", "message"),
    [
        ("findContacts", {"where": {"remoteJid": 12.5}}, 500, INCLUDES),
        ("findContacts", {"where": {"remoteJid": {"a": 1}}}, 500, INCLUDES),
        ("findChats", {"where": {"remoteJid": {}}, "take": 1, "skip": 0}, 500, INCLUDES),
        ("getBase64FromMediaMessage", {}, 400, [NO_KEY]),
        ("getBase64FromMediaMessage", {"message": "x"}, 400, [EPHEMERAL]),
        ("getBase64FromMediaMessage", {"message": {"key": 12.5}}, 400, ["Message not found"]),
    ],
)
def test_odd_bodies(route: str, body: Any, status: int, message: Any) -> None:
    fake = FakeEvolution(api_key="k", version="2.3.6")
    fake.create_instance("sales", state="close")
    with fake.http_client(headers={"apikey": "k"}) as http:
        answer = http.post(f"/chat/{route}/sales", json=body)
    assert (answer.status_code, answer.json()["response"]["message"]) == (status, message)
