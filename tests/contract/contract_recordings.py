"""The recorded exchanges of real servers, and what "nothing was lost" means."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from evolution_sdk import OPERATIONS
from evolution_sdk.models import decode_long
from facts import FACTS, read

BASE = "2.3.6"
VERSIONS = ("2.2.3", "2.3.6", "2.3.7", "2.4-pre", "2.4.0-rc2")

FAMILIES = (
    "root", "instance", "message", "chat", "settings", "webhook",
    "group", "label", "call", "proxy", "template", "business", "s3", "baileys",
    "websocket", "rabbitmq", "nats", "sqs", "kafka", "pusher", "chatwoot",
    "typebot", "openai", "dify", "n8n", "evoai", "flowise", "evolutionBot",
)  # fmt: skip
ALL_FAMILIES = (*FAMILIES, "other", "new_routes", "baileys_exchanges", "unlicensed")
"""Every file with exchanges; a version has some of them."""
UNKNOWN_ROUTE = "instance.connection_state"
"""Which operation reads the answers to routes that do not exist."""


@dataclass(frozen=True)
class Exchange:
    """One recorded request with its answer."""

    id: str
    version: str
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


@cache
def _routes() -> tuple[tuple[str, re.Pattern[str], str], ...]:
    return tuple(
        (
            operation.method,
            re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(operation.path))),
            key,
        )
        for key, operation in OPERATIONS.items()
    )


def operation_at(method: str, path: str) -> str | None:
    """The key of the operation whose route a request asked; None if there is none yet."""
    place = path.partition("?")[0]
    found = (key for verb, route, key in _routes() if verb == method and route.fullmatch(place))
    return next(found, None)


def _operation(entry: dict[str, Any]) -> str | None:
    """Which operation reads an answer; None for what no client asks for, or none yet."""
    request, response = entry["request"], entry["response"]
    if entry["operation"] in OPERATIONS:
        return str(entry["operation"])
    found = operation_at(request["method"], request["path"])
    if found is not None:
        return found
    missing = response["status"] == 404 and "Cannot " in json.dumps(response.get("json"))
    return UNKNOWN_ROUTE if missing else None


def _file(family: str, version: str) -> str:
    return f"exchanges/{family}.json" if version == BASE else f"versions/{version}/{family}.json"


def exchanges(*families: str, version: str = BASE) -> list[Exchange]:
    """Every exchange of the families' operations on a version, in the order of recording.

    Args:
        families: Names of files.
        version: A folder of `facts/versions`, or the base.
    """
    found: list[Exchange] = []
    seen: dict[str, int] = {}
    prefix = "" if version == BASE else f"{version}-"
    for family in families:
        if not (FACTS / _file(family, version)).exists():
            continue
        for entry in read(_file(family, version)):
            response, operation = entry["response"], _operation(entry)
            if operation is None:
                continue
            data = response.get("json", response.get("text"))
            label = prefix + "-".join(filter(None, (entry["name"], _channel(entry))))
            seen[label] = seen.get(label, 0) + 1
            found.append(
                Exchange(
                    id=label if seen[label] == 1 else f"{label}-{seen[label]}",
                    version=version,
                    name=entry["name"],
                    channel=_channel(entry),
                    operation=operation,
                    request=entry["request"],
                    status=response["status"],
                    data=data,
                    body=(json.dumps(data) if "json" in response else data).encode(),
                )
            )
    return found


def of_every_version(*families: str) -> list[Exchange]:
    """Every exchange of the base, and those of other versions that are not word for word the same.

    Args:
        families: Names of files.
    """
    found = exchanges(*families)
    known = {(e.operation, e.status, e.body) for e in found}
    for version in VERSIONS:
        for exchange in exchanges(*families, version=version) if version != BASE else ():
            answer = (exchange.operation, exchange.status, exchange.body)
            if answer not in known:
                known.add(answer)
                found.append(exchange)
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
    elif before != after and not _same_number(before, after):
        yield f"{path}: {before!r} became {after!r}"


def _same_number(before: Any, after: Any) -> bool:
    """A count is text on some wires, and an id that a client chose may be a number."""
    if isinstance(before, str):
        return decode_long(before) == after
    return isinstance(before, int) and not isinstance(before, bool) and str(before) == after


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
