"""The webhooks that the simulated sockets of each version were recorded to send, by name."""

from __future__ import annotations

from functools import cache
from typing import Any

from evolution_sdk import events as ev
from facts import read

VERSIONS = ("2.2.3", "2.3.7", "2.4-pre")


@cache
def rows(version: str) -> tuple[dict[str, Any], ...]:
    """Every row of a version: ``name``, ``injected``, and the body under ``json``."""
    return tuple(read(f"versions/{version}/baileys_webhooks.json"))


def bodies(version: str, *events: str) -> list[dict[str, Any]]:
    """The bodies of some events; of all without names."""
    found = [row["json"] for row in rows(version)]
    return [body for body in found if not events or body["event"] in events]


def told(version: str, name: str, event: str) -> Any:
    """The first delivery of an event under a name, parsed."""
    for row in rows(version):
        if row["name"] == name and row["json"]["event"] == event:
            return ev.parse_event(row["json"])
    raise LookupError((version, name, event))
