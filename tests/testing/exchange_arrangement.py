"""Arrangements: a pattern for exchanges, and the steps before replaying them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from exchange_data import Exchange

from evolution_sdk.testing import FakeEvolution
from evolution_sdk.testing.fake.reply import Reply

GLOBAL_KEY = "test-global-key"


@dataclass
class Stage:
    """The fake being arranged for one exchange."""

    fake: FakeEvolution
    exchange: Exchange
    name: str

    def ask(self, method: str, target: str, body: Any = None) -> None:
        headers = {"apikey": GLOBAL_KEY, "content-type": "application/json"}
        data = b"" if body is None else json.dumps(body).encode()
        reply = self.fake.kernel.handle(method, target, headers, data)
        assert reply.status < 300, (target, reply)

    def replay(self, earlier: Exchange) -> Reply:
        """Send another recorded request with the global key."""
        headers, body = earlier.encoded()
        method, target = earlier.request["method"], earlier.request["path"]
        return self.fake.kernel.handle(method, target, {**headers, "apikey": GLOBAL_KEY}, body)


@dataclass(frozen=True)
class Arrangement:
    name: str
    act: Callable[[Stage], None]
    channel: str | None = None
    unless: str = "^$"
    versions: str = ""

    def applies(self, exchange: Exchange) -> bool:
        return (
            (self.channel is None or exchange.channel == self.channel)
            and re.search(self.name, exchange.name) is not None
            and re.search(self.unless, exchange.name) is None
            and re.search(self.versions, exchange.version) is not None
        )
