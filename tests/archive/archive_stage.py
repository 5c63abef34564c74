"""Events as the server tells them, for the archive."""

from __future__ import annotations

import sqlite3
from functools import cache
from typing import Any

from evolution_sdk.archive import Archive, ArchivedMessage
from evolution_sdk.events import Event, parse_event
from facts import read

ANA = "5511987654321@s.whatsapp.net"
BOB = "5521912345678@s.whatsapp.net"
ANA_LID, BOB_LID = "100000000000009@lid", "100000000000008@lid"
ACCOUNT = "5511900000001@s.whatsapp.net"
GROUP = "120363000000000001@g.us"
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
    """A message record (recorded: `facts/websocket.json` "inbound text, new contact")."""
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


@cache
def recorded(version: str) -> list[dict[str, Any]]:
    """Return what a running server of the version told (see `facts/versions/baileys.md`)."""
    found: list[dict[str, Any]] = read(f"versions/{version}/baileys_webhooks.json")
    return found


def told(version: str, name: str, kind: str = "") -> list[Event[Any]]:
    found = [
        parse_event({**each["json"], "instance": "sales"})
        for each in recorded(version)
        if each["name"].startswith(name) and each["json"]["event"].startswith(kind)
    ]
    assert found, (version, name)
    return found


def like(original: Event[Any], **key: Any) -> Event[Any]:
    """The same event about a message of another key."""
    data = original.raw["data"]
    return parse_event({**original.raw, "data": {**data, "key": {**data["key"], **key}}})


def edited(chat: str, text: str, *, from_me: bool = False, number: int = 1) -> Event[Any]:
    """As server 2.3.7 tells who edited (recorded: "edit (protocolMessage MESSAGE_EDIT)")."""
    data = {
        "keyId": f"M{number}", "remoteJid": chat, "fromMe": from_me, "participant": "",
        "status": "SERVER_ACK", "message": {"editedMessage": {"message": {"conversation": text}}},
    }  # fmt: skip
    return event("messages.update", data)


def claimed(text: str, key: dict[str, Any], account: str | None = ACCOUNT) -> Event[Any]:
    """What a phone wrote into its edit: chat and author as it sees, or pretends, them."""
    data = {
        "key": {"id": "M1", **key}, "type": "MESSAGE_EDIT",
        "editedMessage": {"conversation": text}, "timestampMs": str((T0 + 60) * 1_000),
    }  # fmt: skip
    return event("messages.edited", data, **({} if account is None else {"sender": account}))


def revoked(who: str | None, chat: str = GROUP, **more: Any) -> Event[Any]:
    """As recorded: "revoke in group by an admin", "group revoke by its author"."""
    key = {"remoteJid": chat, "fromMe": False, "id": "M1", "participant": who, **more}
    return event("messages.delete", key)


def in_group(who: str = ANA, **more: Any) -> Event[Any]:
    return upsert(1, key={"remoteJid": GROUP, "participant": who, **more.pop("key", {})}, **more)


def connection_of(archive: Archive) -> sqlite3.Connection:
    """The open connection of an archive in a file."""
    assert archive._file is not None
    connection = archive._file._db
    assert connection is not None
    return connection


def only(archive: Archive) -> ArchivedMessage:
    (found,) = archive.messages()
    return found


def untouched(archive: Archive, kinds: tuple[str, ...]) -> None:
    """The message is as it was, and what was told of its id stands beside."""
    message = only(archive)
    assert (message.text, message.edited_at, message.deleted_at) == ("Olá, coração!", None, None)
    assert [(each.kind, each.applied) for each in archive.updates("M1")] == [
        (kind, False) for kind in kinds
    ]
    assert [each.id for each in archive.search("coracao")] == ["M1"]
