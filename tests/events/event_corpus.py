"""The recorded deliveries of a real server, as its transports hand them over."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from facts import read


@dataclass(frozen=True)
class Recorded:
    """One delivery; ``where`` is the path, the namespace or the routing key."""

    transport: str
    where: str
    body: Any

    @property
    def text(self) -> str:
        return json.dumps(self.body, ensure_ascii=False)


def as_received(value: Any) -> Any:
    """Binary attachments as the bytes that a socket.io client hands over."""
    if isinstance(value, dict):
        if value.keys() == {"$binary_attachment_base64"}:
            return base64.b64decode(value["$binary_attachment_base64"])
        return {name: as_received(inner) for name, inner in value.items()}
    return [as_received(inner) for inner in value] if isinstance(value, list) else value


NAMES: list[dict[str, Any]] = read("events.json")["events"]
WEBHOOKS = [Recorded("webhook", row["path"], row["json"]) for row in read("webhooks.json")]
SOCKET = [
    Recorded("socket", row["namespace"], as_received(row["args"][0]))
    for row in read("websocket.json")
]
# Two rows of the recording are queues that stayed empty: the first event of a queue is lost.
QUEUE = [
    Recorded("queue", row["routing_key"], row["json"])
    for row in read("rabbitmq.json")
    if "json" in row
]
EVERYTHING = [*WEBHOOKS, *SOCKET, *QUEUE]


def message_body(message_id: str) -> dict[str, Any]:
    """The recorded ``messages.upsert`` with this id; a copy that may be changed."""
    for row in EVERYTHING:
        data = row.body.get("data")
        if row.body.get("event") == "messages.upsert" and data["key"]["id"] == message_id:
            copy: dict[str, Any] = json.loads(row.text)
            return copy
    raise LookupError(message_id)


def of_kind(event: str) -> Iterator[Recorded]:
    """Every recorded delivery of an event."""
    return (row for row in EVERYTHING if row.body.get("event") == event)
