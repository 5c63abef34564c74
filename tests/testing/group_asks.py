"""Asking the fake about groups, and the people in them."""

from __future__ import annotations

from typing import Any

from fake_answers import body_of

from evolution_sdk.testing import FakeEvolution

ADA, BOB = "5511987654321", "5531987654321"
ADA_JID = f"{ADA}@s.whatsapp.net"
BOB_JID = "553187654321@s.whatsapp.net"
OWNER_JID = "5511900000099@s.whatsapp.net"
OLD = "120363000000000009@g.us"
MISSING = "120363999999999999@g.us"


def info(ask: Any, jid: str) -> dict[str, Any]:
    found: dict[str, Any] = body_of(ask("GET", f"/group/findGroupInfos/sales?groupJid={jid}"))
    return found


def post(ask: Any, path: str, jid: str, body: dict[str, Any]) -> Any:
    return ask("POST", f"/group/{path}/sales?groupJid={jid}", body)


def events(fake: FakeEvolution, name: str) -> list[Any]:
    return [event["data"] for event in fake.events if event["event"] == name]
