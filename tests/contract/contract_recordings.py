"""The recorded exchanges of a real server, and what "nothing was lost" means."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from evolution_sdk import OPERATIONS
from evolution_sdk.models import decode_long
from facts import read

FAMILIES = (
    "root", "instance", "message", "chat", "settings", "webhook",
    "group", "label", "call", "proxy", "template", "business", "s3", "baileys",
    "websocket", "rabbitmq", "nats", "sqs", "kafka", "pusher", "chatwoot",
    "typebot", "openai", "dify", "n8n", "evoai", "flowise", "evolutionBot",
)  # fmt: skip
UNKNOWN_ROUTE = "instance.connection_state"
"""Which operation reads the answers to routes that do not exist."""


@dataclass(frozen=True)
class Exchange:
    """One recorded request with its answer."""

    id: str
    name: str
    channel: str
    operation: str
    request: dict[str, Any]
    status: int
    data: Any
    body: bytes


def _channel(entry: dict[str, Any]) -> str:
    text = str(entry.get("channel") or "")
    return "simulated" if "simulated" in text else text.rpartition("-")[2].lower()


def exchanges(*families: str) -> list[Exchange]:
    """Every exchange of the families' operations, in the order of recording."""
    found: list[Exchange] = []
    seen: dict[str, int] = {}
    for family in families:
        for entry in read(f"exchanges/{family}.json"):
            response = entry["response"]
            data = response.get("json", response.get("text"))
            unknown = entry["operation"] not in OPERATIONS
            if unknown and ("json" not in response or entry["operation"]):
                continue  # a web page or a file, or a call that is not a client's
            label = "-".join(filter(None, (entry["name"], _channel(entry))))
            seen[label] = seen.get(label, 0) + 1
            found.append(
                Exchange(
                    id=label if seen[label] == 1 else f"{label}-{seen[label]}",
                    name=entry["name"],
                    channel=_channel(entry),
                    operation=entry["operation"] or UNKNOWN_ROUTE,
                    request=entry["request"],
                    status=response["status"],
                    data=data,
                    body=(json.dumps(data) if "json" in response else data).encode(),
                )
            )
    return found


def lost(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """Name every key and value of the recorded JSON that the dump does not have."""
    if isinstance(before, dict):
        if decode_long(before) is not None and decode_long(before) == decode_long(after):
            return
        if not isinstance(after, dict):
            yield f"{path}: {before!r} became {after!r}"
            return
        for key, value in before.items():
            if key not in after:
                yield f"{path}.{key} is gone"
            else:
                yield from lost(value, after[key], f"{path}.{key}")
    elif isinstance(before, list):
        if not isinstance(after, list) or len(before) != len(after):
            yield f"{path}: another length"
            return
        for index, pair in enumerate(zip(before, after, strict=True)):
            yield from lost(*pair, f"{path}[{index}]")
    elif before != after and not (isinstance(before, str) and decode_long(before) == after):
        yield f"{path}: {before!r} became {after!r}"


def texts_of(data: Any) -> set[str]:
    """Every text of a recorded error that tells what went wrong, however deeply nested."""
    if isinstance(data, str):
        return {data} - {""}
    if not isinstance(data, dict):
        return set()
    places = [data.get("response", {}).get("message"), data.get("message")]
    places.append(data.get("output", {}).get("payload", {}).get("message"))
    places.append(data.get("error_data", {}).get("details"))
    if not any(places) and isinstance(data.get("error"), str):
        places.append(data["error"])
    return {text for place in places for text in _leaves(place)}


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, dict):
        yield from _leaves(value.get("message"))
