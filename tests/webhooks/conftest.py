"""A receiver with a clock that stands still, and posts like the server's."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from evolution_sdk.events import Event, EventRouter
from evolution_sdk.webhooks import WebhookReceiver

NOW = 1_795_447_889.0
JSON = {"Content-Type": "application/json"}


class Clock:
    """Seconds since 1970; moves when told."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def posted(number: int = 1, *, chat: str = "5511@s.whatsapp.net", **more: Any) -> bytes:
    """The body of one message's webhook."""
    data = {
        "key": {"remoteJid": chat, "fromMe": False, "id": f"ID{number}"},
        "message": {"conversation": f"text {number}"},
        "messageType": "conversation",
        "messageTimestamp": int(NOW),
    }
    envelope = {"event": "messages.upsert", "instance": "sales", "data": data, **more}
    return json.dumps(envelope).encode()


class Kit:
    """Receivers that are closed at the end, and what their handlers saw."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.router = EventRouter(runs="all")
        self.seen: list[Event[Any]] = []
        self.made: list[WebhookReceiver] = []
        self.router.add(self.seen.append, Event, name="seen")

    def receiver(self, **options: Any) -> WebhookReceiver:
        options.setdefault("clock", self.clock)
        made = WebhookReceiver(options.pop("router", self.router), **options)
        self.made.append(made)
        return made

    @staticmethod
    def post(receiver: WebhookReceiver, body: bytes | None = None, **headers: str) -> int:
        named = {**JSON, **{name.replace("_", "-"): value for name, value in headers.items()}}
        status, _, answer = receiver.handle(
            "POST", "/evolution", named, posted() if body is None else body
        )
        assert json.loads(answer)["status"]
        return status


@pytest.fixture
def kit() -> Iterator[Kit]:
    made = Kit()
    yield made
    for receiver in made.made:
        receiver.close()


@pytest.fixture
def numbers() -> Callable[[], int]:
    return itertools.count(1).__next__
