"""What the tests of delivery share: an instance with a webhook, and receivers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import httpx

from evolution_sdk.testing import FakeClock, FakeEvolution, WebhookOptions

HOOK = "http://127.0.0.1:9/hook"
PEER = "5511987654321"


def hooked(
    *,
    version: str = "2.3.7",
    integration: str = "WHATSAPP-BAILEYS",
    webhook: WebhookOptions | None = None,
    server_url: str | None = None,
    **row: Any,
) -> FakeEvolution:
    """A fake in frozen time whose instance ``sales`` has the webhook."""
    fake = FakeEvolution(clock=FakeClock(), version=version, webhook=webhook, server_url=server_url)
    fake.create_instance("sales", token="sales-token", integration=integration)
    set_webhook(fake, **row)
    return fake


def set_webhook(fake: FakeEvolution, **row: Any) -> None:
    body = {"webhook": {"enabled": True, "url": HOOK, "events": [], **row}}
    assert ask(fake, "POST", "/webhook/set/sales", body).status_code == 201


def ask(fake: FakeEvolution, method: str, path: str, body: Any = None) -> httpx.Response:
    with fake.http_client(headers={"apikey": fake.api_key}) as client:
        return client.request(method, path, json=body)


class Receiver:
    """Keeps the requests, and answers with the statuses given, the last one for ever after."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses or (200,))
        self.seen: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return httpx.Response(status)

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(request.content) for request in self.seen]

    @property
    def events(self) -> list[str]:
        return [body["event"] for body in self.bodies]


def raising(error: Callable[[], Exception]) -> Callable[[httpx.Request], httpx.Response]:
    """A receiver that nobody reaches."""

    def answer(_: httpx.Request) -> httpx.Response:
        raise error()

    return answer


def seconds(fake: FakeEvolution, times_ms: Iterable[float]) -> list[float]:
    """Times as seconds since the first."""
    listed = list(times_ms)
    return [round((at - listed[0]) / 1_000, 3) for at in listed]
