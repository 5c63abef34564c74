"""Fixtures shared by the tests of the fake."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from evolution_sdk.testing import FakeClock, FakeEvolution
from evolution_sdk.testing.fake.reply import Reply

Ask = Callable[..., Reply]


@pytest.fixture
def fake() -> FakeEvolution:
    """A fake in frozen time with one open Baileys instance, ``sales``."""
    made = FakeEvolution(api_key="secret", clock=FakeClock())
    made.create_instance("sales", token="sales-token")
    return made


@pytest.fixture
def ask(fake: FakeEvolution) -> Ask:
    """One request to the kernel: ``ask("POST", path, body, key=...)``."""

    def call(method: str, target: str, body: Any = None, *, key: str | None = "secret") -> Reply:
        headers = {} if key is None else {"apikey": key}
        if body is not None:
            headers["content-type"] = "application/json"
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return fake.kernel.handle(method, target, headers, b"" if body is None else data)

    return call


@pytest.fixture
def made(ask: Ask) -> dict[str, Any]:
    """A group made through the API of ``sales``, with one other member."""
    body = {"subject": "Team", "participants": ["5511987654321"], "description": "About us"}
    reply = ask("POST", "/group/create/sales", body)
    assert reply.status == 201
    group: dict[str, Any] = json.loads(reply.body)
    return group
