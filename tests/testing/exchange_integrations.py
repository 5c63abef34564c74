"""Server state before the exchanges of the transports, of Chatwoot and of the chatbots.

Their files tell it themselves: everything that stands earlier in the same file is replayed, and
new rows are given the ids they were recorded with.
"""

from __future__ import annotations

import json
from typing import Any

from exchange_arrangement import Arrangement, Stage
from exchange_data import BASE, Exchange, load

_WHO_WROTE = "5511900000077"
FAMILIES = (
    "websocket", "rabbitmq", "sqs", "nats", "kafka", "pusher", "chatwoot",
    "typebot", "openai", "dify", "n8n", "evoai", "flowise", "evolutionBot",
)  # fmt: skip
_ANY = "|".join(FAMILIES)


def _earlier(exchange: Exchange) -> list[Exchange]:
    """The recordings of the same server before this one."""
    variant = exchange.name.startswith("variant.")
    return [
        other
        for other in load(exchange.family, exchange.version)[: exchange.index]
        if other.name.startswith("variant.") == variant
    ]


def _replay(stage: Stage) -> None:
    for earlier in _earlier(stage.exchange):
        reply = stage.replay(earlier)
        recorded = earlier.response.get("json")
        if reply.status < 300 and reply.body and isinstance(recorded, dict) and "id" in recorded:
            _rename(stage, json.loads(reply.body)["id"], recorded["id"])


def _rename(stage: Stage, made: str, recorded: str) -> None:
    for instance in stage.fake.instances.values():
        for row in _rows(instance.tables, instance.relations):
            if row["id"] == made:
                row["id"] = recorded


def _rows(tables: dict[str, list[dict[str, Any]]], relations: dict[str, dict[str, Any]]) -> Any:
    yield from relations.values()
    for rows in tables.values():
        yield from rows


def _wrote(stage: Stage) -> None:
    """Somebody wrote the word that triggers the bot as it was updated."""
    stage.fake.receive_text(stage.name, from_=_WHO_WROTE, text="hey2", push_name="Ada")


ARRANGEMENTS = [
    Arrangement(rf"^(variant\.)?({_ANY})\.", _replay),
    Arrangement(rf"^({_ANY})\.(fetchSessions$|changeStatus)", _wrote, unless="^typebot",
                versions=rf"^{BASE}"),
]  # fmt: skip
