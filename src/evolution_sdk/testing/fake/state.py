"""What the server keeps about each instance: its rows and what is only in memory."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from .js import UNDEFINED, JsonObject, as_list, as_object, defined, iso
from .wire import Wire

BAILEYS = "WHATSAPP-BAILEYS"
BUSINESS = "WHATSAPP-BUSINESS"
EVOLUTION = "EVOLUTION"
CHANNELS = (BAILEYS, BUSINESS, EVOLUTION)

State: TypeAlias = Literal["open", "connecting", "close"]

DEFAULT_SETTINGS: JsonObject = {
    "rejectCall": False,
    "msgCall": "",
    "groupsIgnore": False,
    "alwaysOnline": False,
    "readMessages": False,
    "readStatus": False,
    "syncFullHistory": False,
    "wavoipToken": "",
}


def stored(value: Any) -> Any:
    """A value as it comes back from a JSON column: bytes as base64, undefined dropped."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    members, items = as_object(value), as_list(value)
    if members is not None:
        return {k: stored(v) for k, v in members.items() if v is not UNDEFINED}
    if items is not None:
        return [stored(item) for item in items]
    return value


@dataclass(slots=True)
class MessageRow:
    """One stored message; ``visible_at_ms`` lies ahead while its ``delay`` is running."""

    id: str
    key: JsonObject
    push_name: str | None
    message_type: str
    message: JsonObject
    timestamp: int
    source: str
    context_info: JsonObject | None = None
    status: str | None = None
    webhook_url: str | None = None
    participant: str | None = None
    visible_at_ms: float = 0.0
    updates: list[JsonObject] = field(default_factory=list[JsonObject])


@dataclass(slots=True)
class QrCode:
    """What the server remembers of the last QR code."""

    count: int = 0
    code: str | None = None
    base64: str | None = None
    pairing_code: str | None = None

    def answer(self) -> JsonObject:
        """The QR object: without a QR yet, only the count."""
        if self.code is None:
            return {"count": self.count}
        return {
            "pairingCode": self.pairing_code,
            "code": self.code,
            "base64": self.base64,
            "count": self.count,
        }


@dataclass(slots=True)
class Instance:
    """One instance: its database row, its memory, and its messages, contacts and chats.

    Attributes:
        state: What is in memory; None once it has been unloaded and only the row is left.
        connection_status: What the row says; it may disagree with ``state``.
        has_client: Whether a socket was ever made (Baileys).
        logged_in: Whether a phone has ever scanned the QR of this session.
        labelled: Labels by chat as WhatsApp has them, whatever the database could note (Baileys).
        wire: What the client keeps about its wire (Baileys).
        gone_at_ms: When the row disappears after a delete.
    """

    name: str
    id: str
    integration: str
    token: str
    created_ms: float
    number: str | None = None
    business_id: str | None = None
    state: State | None = "open"
    connection_status: str = "open"
    owner_jid: str | None = None
    profile_name: str | None = None
    profile_pic_url: str | None = None
    has_client: bool = False
    logged_in: bool = False
    pairing_number: str | None = None
    qr: QrCode | None = None
    qr_attempts: int = 0
    disconnection: JsonObject | None = None
    updated_ms: float = 0.0
    gone_at_ms: float | None = None
    setting: JsonObject | None = None
    webhook: JsonObject | None = None
    relations: dict[str, JsonObject] = field(default_factory=dict[str, JsonObject])
    tables: dict[str, list[JsonObject]] = field(default_factory=dict[str, list[JsonObject]])
    messages: list[MessageRow] = field(default_factory=list[MessageRow])
    contacts: list[JsonObject] = field(default_factory=list[JsonObject])
    chats: list[JsonObject] = field(default_factory=list[JsonObject])
    updates: list[JsonObject] = field(default_factory=list[JsonObject])
    privacy: dict[str, str] = field(default_factory=dict[str, str])
    blocked: set[str] = field(default_factory=set[str])
    labelled: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    wire: Wire = field(default_factory=Wire)
    presence: str | None = None
    _by_key: dict[str, MessageRow] = field(default_factory=dict[str, MessageRow])
    _by_chat: dict[str, list[MessageRow]] = field(default_factory=dict[str, list[MessageRow]])

    def add_message(self, row: MessageRow) -> None:
        """Store a message."""
        self.messages.append(row)
        self._by_key[row.key["id"]] = row
        self._by_chat.setdefault(row.key["remoteJid"], []).append(row)

    def remove_message(self, row: MessageRow) -> None:
        """Delete a message."""
        self.messages.remove(row)
        self._by_key.pop(row.key["id"], None)
        self._by_chat[row.key["remoteJid"]].remove(row)

    def message(self, key_id: object) -> MessageRow | None:
        """A message by its WhatsApp id."""
        return self._by_key.get(key_id) if isinstance(key_id, str) else None

    def visible(self, now_ms: float, chat: object = None) -> list[MessageRow]:
        """The messages that have been written by now, of one chat or of all."""
        rows = self._by_chat.get(chat, []) if isinstance(chat, str) else self.messages
        return [row for row in rows if row.visible_at_ms <= now_ms]

    def contact(self, jid: str) -> JsonObject | None:
        """A contact by its JID."""
        return next((c for c in self.contacts if c["remoteJid"] == jid), None)

    def chat(self, jid: str) -> JsonObject | None:
        """A chat by its JID."""
        return next((c for c in self.chats if c["remoteJid"] == jid), None)

    def row(self) -> JsonObject:
        """The row as ``fetchInstances`` answers it, token and all."""
        lost = self.disconnection or {}
        return {
            "id": self.id,
            "name": self.name,
            "connectionStatus": self.connection_status,
            "ownerJid": self.owner_jid,
            "profileName": self.profile_name,
            "profilePicUrl": self.profile_pic_url,
            "integration": self.integration,
            "number": self.number,
            "businessId": self.business_id,
            "token": self.token,
            "clientName": "evolution",
            "disconnectionReasonCode": lost.get("code"),
            "disconnectionObject": lost.get("object"),
            "disconnectionAt": lost.get("at"),
            "createdAt": iso(self.created_ms),
            "updatedAt": iso(self.updated_ms or self.created_ms),
            **{
                name: self.relations.get(name)
                for name in ("Chatwoot", "Proxy", "Rabbitmq", "Nats", "Sqs", "Websocket")
            },
            "Setting": self.setting,
            "_count": {
                "Message": len(self.messages),
                "Contact": len(self.contacts),
                "Chat": len(self.chats),
            },
        }


def message_record(row: MessageRow, instance_id: str) -> JsonObject:
    """A message as ``findMessages`` lists it."""
    return defined(
        id=row.id,
        key=row.key,
        pushName=row.push_name,
        messageType=row.message_type,
        message=row.message,
        messageTimestamp=row.timestamp,
        instanceId=instance_id,
        source=row.source,
        contextInfo=row.context_info,
        MessageUpdate=[{"status": update["status"]} for update in row.updates],
    )
