"""What the tests of the reported cases share: a server that answers by path, and readers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from evolution_sdk import EvolutionClient, Jid
from evolution_sdk.events import Event, EventRouter, MessageEvent, filters
from evolution_sdk.identity import LidMap
from evolution_sdk.webhooks import WebhookReceiver

TOKEN = "key"


def handles(asked: filters.Filter[Any], event: Event[Any]) -> bool:
    """Tell if a handler with this filter gets the event."""
    router, seen = EventRouter(), list[Any]()
    router.add(seen.append, MessageEvent, asked)
    router.dispatch_sync(event)
    return bool(seen)


@contextmanager
def posted(bodies: Iterable[Any]) -> Iterator[list[Any]]:
    """Post bodies to a receiver with a client; the events that its handler saw."""
    seen: list[Any] = []
    router = EventRouter(runs="all")
    router.add(seen.append, Event)
    with Server({}).client() as client:
        receiver = WebhookReceiver(router, client=client)
        for body in bodies:
            receiver.handle("POST", "/", {"content-type": "application/json"}, encoded(body))
            assert receiver.drain()
        yield seen
        receiver.close()


def encoded(body: Any) -> bytes:
    return json.dumps(body).encode()


def learned(*told: Any) -> LidMap:
    lids = LidMap()
    for each in told:
        lids.learn(each)
    return lids


def digits_of(lids: LidMap, who: str) -> str | None:
    phone = lids.phone_of(who)
    return None if phone is None else phone.digits


def phone(jid: Jid | None) -> str | None:
    return None if jid is None or jid.phone is None else jid.phone.digits


class Server:
    """Answers by path, and remembers what it was asked."""

    def __init__(self, answers: dict[str, tuple[int, Any]], *, version: str = "2.3.7") -> None:
        self._answers = answers
        self._version = version
        self._seen: list[tuple[str, Any]] = []
        self.keys: set[str | None] = set()

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self._seen.append((path, json.loads(request.content) if request.content else None))
        self.keys.add(request.headers.get("apikey"))
        if path == "/":
            return httpx.Response(200, json={"status": 200, "version": self._version})
        missing = {"status": 404, "error": "Not Found", "response": {"message": [path]}}
        status, body = self._answers.get(path, (404, missing))
        return httpx.Response(status, json=body)

    def asked(self, path: str) -> list[Any]:
        return [body for seen, body in self._seen if seen == path]

    def client(self) -> EvolutionClient:
        http = httpx.Client(transport=httpx.MockTransport(self._answer))
        return EvolutionClient("http://evolution.test", TOKEN, http_client=http, instance="loja")
