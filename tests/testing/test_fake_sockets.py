"""Rules of the fake's socket: who may connect, and what is sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from delivery_stage import PEER, ask

from evolution_sdk.operations.server_version import profile_of
from evolution_sdk.testing import FakeClock, FakeEvolution
from evolution_sdk.testing.fake.delivery.sockets import refusal, socket_envelope

FACTS = Path(__file__).parents[2] / "facts"
LOOPBACK = "127.0.0.1,::1,::ffff:127.0.0.1"
KEYS = ["global", "token"]


def judged(version: str, allowed: str, host: str, key: str | None) -> str | None:
    profile = profile_of(version)
    assert profile is not None
    return refusal(profile, allowed, KEYS, host, key)


def test_the_handshake_is_judged_as_recorded() -> None:
    """Recorded with the server's default of allowed hosts: this machine."""
    facts = json.loads((FACTS / "webhook_retries.json").read_text(encoding="utf-8"))
    keys = {"none": None, "wrong": "wrong", "global": "global"}
    for told in facts["websocket_auth"]:
        host = "127.0.0.1" if told["from"].startswith("loopback") else "192.0.2.7"
        words = judged("2.3.6", LOOPBACK, host, keys[told["apikey"]])
        assert words == (told["json"]["message"] if told["status"] == 403 else None)


@pytest.mark.parametrize(
    ("version", "allowed", "key", "words"),
    [
        ("2.2.3", "", None, None),
        ("2.3.6", "*", None, "apiKey is required"),
        ("2.3.7", "*", None, None),
        ("2.3.7", "192.0.2.1, 192.0.2.7", None, None),
        ("2.3.7", "", "token", None),
        ("2.4.0", "", "tok", "Invalid global token"),
        ("2.4.0", "", "é", "Invalid global token"),
    ],
)
def test_the_handshake_by_version(
    version: str, allowed: str, key: str | None, words: str | None
) -> None:
    assert judged(version, allowed, "192.0.2.7", key) == words


def test_the_envelope_has_the_recorded_members_in_their_order() -> None:
    told = json.loads((FACTS / "websocket.json").read_text(encoding="utf-8"))
    real = next(
        e["args"][0] for e in told if e["event"] == "send.message" and e["namespace"] == "/"
    )
    fake = FakeEvolution(clock=FakeClock())
    fake.create_instance("ev1", integration="EVOLUTION")
    ask(fake, "POST", "/message/sendText/ev1", {"number": PEER, "text": "oi"})
    assert list(socket_envelope(fake.events[-1])) == list(real)


def test_bytes_are_attachments_as_recorded() -> None:
    told = json.loads((FACTS / "websocket.json").read_text(encoding="utf-8"))
    real = next(
        e["args"][0]["data"]["message"]["imageMessage"]
        for e in told
        if e["scenario"] == "send image base64" and "BAILEYS" in e["channel"]
    )
    attached = {name for name, value in real.items() if "$binary_attachment_base64" in str(value)}
    fake = FakeEvolution(clock=FakeClock())
    fake.create_instance("sales")
    body = {"number": PEER, "mediatype": "image", "media": "aGVsbG8=", "fileName": "a.jpg"}
    ask(fake, "POST", "/message/sendMedia/sales", body)
    event = next(e for e in fake.events if e["event"] == "send.message")
    ours: dict[str, Any] = socket_envelope(event)["data"]["message"]["imageMessage"]
    assert {name for name, value in ours.items() if isinstance(value, bytes)} == attached
    # 64-bit numbers stay objects.
    assert set(ours["fileLength"]) == {"low", "high", "unsigned"}
    assert isinstance(event["data"]["message"]["imageMessage"]["mediaKey"], dict)
