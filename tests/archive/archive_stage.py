"""Events as the server tells them, for the archive."""

from __future__ import annotations

from typing import Any

from evolution_sdk.events import Event, parse_event

ANA = "5511987654321@s.whatsapp.net"
BOB = "5521912345678@s.whatsapp.net"
T0 = 1795447889


class Clock:
    """Time that only tests move."""

    def __init__(self, now: float = T0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def event(name: str, data: Any, instance: str = "sales", **more: Any) -> Event[Any]:
    return parse_event({"event": name, "instance": instance, "data": data, **more})


def record(number: int = 1, text: str | None = "Olá, coração!", **changes: Any) -> dict[str, Any]:
    """A message record (recorded: websocket.json "inbound text, new contact")."""
    key = {"id": f"M{number}", "remoteJid": ANA, "fromMe": False, **changes.pop("key", {})}
    return {
        "key": key,
        "pushName": "Ana",
        "message": {"conversation": text},
        "messageType": "conversation",
        "messageTimestamp": T0 + number,
        "source": "unknown",
        "instanceId": "7717b639-263d-442a-b2d7-beaafa3fdc2d",
        **changes,
    }


def upsert(number: int = 1, text: str | None = "Olá, coração!", **changes: Any) -> Event[Any]:
    return event("messages.upsert", record(number, text, **changes))


def image(number: int = 1) -> Event[Any]:
    content = {
        "imageMessage": {
            "url": "https://mmg.whatsapp.net/x", "mimetype": "image/jpeg", "fileLength": "7",
            "caption": "foto", "mediaKey": {"0": 1}, "jpegThumbnail": {"0": 2},
        },
        "base64": "QUJDREVGRw==",
        "mediaUrl": "https://s3.example.com/x.jpg",
    }  # fmt: skip
    return upsert(number, message=content, messageType="imageMessage")


def status(word: str, number: int = 1) -> Event[Any]:
    data = {"keyId": f"M{number}", "remoteJid": ANA, "fromMe": True, "status": word}
    return event("messages.update", data)


def edit(text: str, number: int = 1, at: int = T0 + 60) -> Event[Any]:
    data = {
        "key": {"id": f"M{number}", "remoteJid": ANA, "fromMe": False},
        "type": "MESSAGE_EDIT",
        "editedMessage": {"conversation": text},
        "timestampMs": str(at * 1_000),
    }
    return event("messages.edited", data)


def delete(number: int = 1) -> Event[Any]:
    return event("messages.delete", {"id": f"M{number}", "remoteJid": ANA, "fromMe": False})


def contact(jid: str = ANA, **fields: Any) -> dict[str, Any]:
    return {"remoteJid": jid, "instanceId": "x", **fields}
