"""State of one fake server: its options, its instances with their rows, and the phone network."""

from __future__ import annotations

import base64
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from evolution_sdk._base.forking import free_in_child
from evolution_sdk.operations.server_version import EVENTS_SINCE, ServerProfile

from .clock import Clock, SystemClock
from .errors import reading
from .growing_index import GrowingIndex
from .ids import Ids
from .js import UNDEFINED, JsonObject, as_list, as_object, defined, iso, to_answer
from .message_table import MessageRow, MessageTable
from .meta import TemplateDirectory
from .network import PhoneNetwork
from .numbers import create_jid
from .proxies import Proxies
from .records import RecordedSend, SeenRequest
from .versions import profile_named

BAILEYS = "WHATSAPP-BAILEYS"
BUSINESS = "WHATSAPP-BUSINESS"
EVOLUTION = "EVOLUTION"
CHANNELS = (BAILEYS, BUSINESS, EVOLUTION)

ConnectionState: TypeAlias = Literal["open", "connecting", "close"]

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
    """Return a value as it comes back from a JSON column: bytes as base64, undefined dropped."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    members, items = as_object(value), as_list(value)
    if members is not None:
        return {k: stored(v) for k, v in members.items() if v is not UNDEFINED}
    if items is not None:
        return [stored(item) for item in items]
    return value


def _jid_of(row: JsonObject) -> tuple[object]:
    return (row["remoteJid"],)


@dataclass(slots=True)
class QrCode:
    """The last QR code, as the server remembers it."""

    count: int = 0
    code: str | None = None
    base64: str | None = None
    pairing_code: str | None = None

    def answer(self) -> JsonObject:
        """Make the QR object: only the count before the first code."""
        if self.code is None:
            return {"count": self.count}
        return {
            "pairingCode": self.pairing_code,
            "code": self.code,
            "base64": self.base64,
            "count": self.count,
        }


@dataclass(slots=True)
class ProtocolState:
    """Low-level WhatsApp state of one Baileys client.

    Attributes:
        sessions: JIDs with an encrypted session.
        nodes: The raw stanzas sent.
    """

    sessions: set[str] = field(default_factory=set[str])
    nodes: list[object] = field(default_factory=list[object])
    _prefix: str = ""
    _epoch: int = 0

    def tag(self, ids: Ids) -> str:
        """Make the next message tag: two random numbers and a counter."""
        # Drawn once per session, like the library: only the counter moves.
        if not self._prefix:
            drawn = ids.secret(4)
            numbers = (int.from_bytes(drawn[:2]), int.from_bytes(drawn[2:]))
            self._prefix = f"{numbers[0]}.{numbers[1]}"
        self._epoch += 1
        return f"{self._prefix}-{self._epoch}"


@dataclass(slots=True)
class HistorySync:
    """The part of its history that a phone has sent in this run, up to its progress in percent."""

    progress: float = -1
    messages: int = 0
    chats: int = 0
    contacts: int = 0


@dataclass(slots=True)
class Instance:
    """One instance: its database row, its memory, and its messages, contacts and chats.

    Attributes:
        state: State in memory; None once it has been unloaded and only the row is left.
        connection_status: State in the row; it may disagree with ``state``.
        has_client: Whether a socket was ever made (Baileys).
        logged_in: Whether a phone has ever scanned the QR of this session.
        labelled: Labels by chat as WhatsApp has them, whatever the database could note (Baileys).
        protocol: Tags, encrypted sessions and raw stanzas (Baileys).
        gone_at_ms: Time at which the row disappears after a delete.
        removal_waits: Whether its deletion waits for the webhook of ``remove.instance``.
        inlines_media: Whether events carry media as base64: the webhook's ``base64``, as of the
            last connect.
        refuses: Code with which WhatsApp refuses messages, by chat; None for all who never wrote.
        history: The history that its phone is sending (Baileys).
    """

    name: str
    id: str
    integration: str
    token: str
    created_ms: float
    number: str | None = None
    business_id: str | None = None
    state: ConnectionState | None = "open"
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
    removal_waits: bool = False
    inlines_media: bool = False
    setting: JsonObject | None = None
    webhook: JsonObject | None = None
    relations: dict[str, JsonObject] = field(default_factory=dict[str, JsonObject])
    tables: dict[str, list[JsonObject]] = field(default_factory=dict[str, list[JsonObject]])
    table: MessageTable = field(default_factory=MessageTable)
    contacts: list[JsonObject] = field(default_factory=list[JsonObject])
    chats: list[JsonObject] = field(default_factory=list[JsonObject])
    updates: list[JsonObject] = field(default_factory=list[JsonObject])
    privacy: dict[str, str] = field(default_factory=dict[str, str])
    refuses: dict[str | None, int] = field(default_factory=dict[str | None, int])
    blocked: set[str] = field(default_factory=set[str])
    labelled: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    protocol: ProtocolState = field(default_factory=ProtocolState)
    presence: str | None = None
    history: HistorySync = field(default_factory=HistorySync)
    _contacts: GrowingIndex[JsonObject] = field(default_factory=lambda: GrowingIndex(_jid_of))
    _chats: GrowingIndex[JsonObject] = field(default_factory=lambda: GrowingIndex(_jid_of))
    _updates: GrowingIndex[JsonObject] = field(
        default_factory=lambda: GrowingIndex(lambda update: (update["keyId"],))
    )

    @property
    def messages(self) -> list[MessageRow]:
        """Its messages in the order in which they were stored."""
        return self.table.rows

    def add_message(self, row: MessageRow) -> None:
        """Store a message."""
        self.table.add(row)

    def remove_message(self, row: MessageRow) -> None:
        """Delete a message."""
        self.table.remove(row)

    def message(self, key_id: object) -> MessageRow | None:
        """Find a message by its WhatsApp id."""
        return next(iter(self.table.by_key(key_id)), None)

    def visible(self, now_ms: float) -> list[MessageRow]:
        """List the messages that have been written by now."""
        # A send with a delay is in the list already, but its row is written only after the delay.
        if self.table.all_visible(now_ms):
            return list(self.messages)
        return [row for row in self.messages if row.visible_at_ms <= now_ms]

    def contact(self, jid: str) -> JsonObject | None:
        """Find a contact by its JID."""
        return next(iter(self.contacts_of(jid)), None)

    def contacts_of(self, jid: str) -> list[JsonObject]:
        """List the contacts with a JID."""
        return self._contacts.find(self.contacts, jid)

    def chat(self, jid: str) -> JsonObject | None:
        """Find a chat by its JID."""
        return next(iter(self._chats.find(self.chats, jid)), None)

    def updates_of(self, key_id: str) -> list[JsonObject]:
        """List the status updates of the messages with a WhatsApp id."""
        return self._updates.find(self.updates, key_id)

    def row(self, profile: ServerProfile) -> JsonObject:
        """Show the row as ``fetchInstances`` answers it, its token included."""
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
                # Kafka and Pusher have tables too, which this route does not read.
                for name in ("Chatwoot", "Proxy", "Rabbitmq", "Nats", "Sqs", "Websocket")
                if name != "Nats" or profile.has("instance_nats")
            },
            "Setting": self.setting,
            "_count": {
                "Message": len(self.messages),
                "Contact": len(self.contacts),
                "Chat": len(self.chats),
            },
        }


def message_record(row: MessageRow, instance_id: str) -> JsonObject:
    """Show a message as ``findMessages`` lists it."""
    return defined(
        id=row.id,
        key=row.key,
        pushName=row.push_name,
        messageType=row.message_type,
        message=row.content,
        messageTimestamp=row.timestamp,
        instanceId=instance_id,
        source=row.source,
        contextInfo=row.context_info,
        # The row keeps its first status: progress is in these updates alone.
        MessageUpdate=[{"status": update["status"]} for update in row.updates],
    )


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """Settings of the server; most are an environment variable of the real one.

    Attributes:
        api_key: The global key (``AUTHENTICATION_API_KEY``).
        version: Version that it plays, or ``2.4-pre``.
        server_url: ``SERVER_URL``: in events, in metrics and in Business' webhook address.
        store_messages: ``DATABASE_SAVE_DATA_NEW_MESSAGE`` (Baileys only, as in the server).
        store_message_updates: ``DATABASE_SAVE_MESSAGE_UPDATE``.
        logical_delete: ``DATABASE_DELETE_MESSAGE``: keep revoked rows as ``DELETED``.
        expose_tokens: ``AUTHENTICATION_EXPOSE_IN_FETCH_INSTANCES``: tokens in events.
        manager: Whether the web manager is served.
        metrics_credentials: User and password for ``/metrics``; None leaves it open.
        features: Integrations that are switched on server-wide.
        qr_after: Number of connects that answer without a QR code before the first with one.
        deletion_lag_ms: Time that a deleted instance's row lingers, in milliseconds.
        licensed: Whether it has been activated, which 2.4.0 and newer demand.
        minified: Whether it was built as the Docker images are: texts that quote code differ.
        auto_ack: Every find call first moves each sent message one status further.
    """

    api_key: str = "test-api-key"
    version: str = "2.3.7"
    server_url: str = "http://127.0.0.1:8080"
    store_messages: bool = True
    store_message_updates: bool = True
    logical_delete: bool = True
    expose_tokens: bool = True
    manager: bool = True
    licensed: bool = True
    minified: bool = True
    metrics_credentials: tuple[str, str] | None = None
    features: frozenset[str] = frozenset(
        {"websocket", "chatwoot", "typebot", "openai", "dify", "n8n", "evoai", "flowise"}
    )
    qr_after: int = 0
    deletion_lag_ms: float = 0.0
    auto_ack: bool = False


@dataclass(frozen=True, slots=True)
class MetaRefusal:
    """Refusal of a recipient by Meta's Graph API; ``error`` None means no usable answer."""

    error: JsonObject | None


@dataclass
class ServerState:
    """The state of one fake server; handlers read and change it under its lock.

    Attributes:
        options: Its settings.
        clock: Its time.
        chance: Source of randomness of its ids.
        listeners: Functions that get every event.
        profile: What the server of its version has and does.
        holds_removal: Tells whether the deletion of an instance has to wait.
    """

    options: ServerOptions = field(default_factory=ServerOptions)
    clock: Clock = field(default_factory=SystemClock)
    chance: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311 - ids of a fake
    listeners: list[Callable[[JsonObject], None]] = field(
        default_factory=list[Callable[[JsonObject], None]]
    )
    holds_removal: Callable[[Instance], bool] = lambda _: False

    def __post_init__(self) -> None:
        """Start empty."""
        # Re-entrant: a test's listener may call the fake from inside the request that it hears of.
        self.lock: threading.RLock = free_in_child(threading.RLock())
        self.profile: ServerProfile = profile_named(self.options.version)
        self.clear()

    def clear(self) -> None:
        """Forget everything but the options, the clock and the listeners."""
        self.ids: Ids = Ids(self.chance, self.clock.now_ms)
        self.network: PhoneNetwork = PhoneNetwork()
        self.instances: dict[str, Instance] = {}
        self.refusals: dict[str, MetaRefusal] = {}
        self.sent: list[RecordedSend] = []
        self._sent_index: GrowingIndex[RecordedSend] = GrowingIndex(
            lambda send: {create_jid(send.number), send.jid}
        )
        self.requests: list[SeenRequest] = []
        self.events: list[JsonObject] = []
        self.meta: TemplateDirectory = TemplateDirectory()
        self.proxies: Proxies = Proxies()
        self.label_bookkeeping: bool = False
        self.typebot_reachable = True
        self.openai_models: list[JsonObject] | None = None

    def now_ms(self) -> float:
        """Return the server's time, in milliseconds since the epoch."""
        return self.clock.now_ms()

    def known(self, name: str) -> Instance | None:
        """Find an instance that is loaded or whose row still lingers."""
        instance = self.instances.get(name)
        if instance is None or instance.gone_at_ms is None:
            return instance
        # Deleted in passing, because nothing in the fake runs by itself.
        if instance.gone_at_ms <= self.now_ms():
            del self.instances[name]
            return None
        return instance

    def loaded(self, name: str) -> Instance | None:
        """Find an instance in the server's memory."""
        instance = self.known(name)
        return instance if instance is not None and instance.state is not None else None

    def all_loaded(self) -> list[Instance]:
        """List every instance in memory, in order of creation."""
        return [i for name in list(self.instances) if (i := self.loaded(name)) is not None]

    def rows(self) -> list[Instance]:
        """List every instance with a row, in order of creation."""
        return [i for name in list(self.instances) if (i := self.known(name)) is not None]

    def sent_to(self, number: str) -> list[RecordedSend]:
        """List the sends to a number or a JID, oldest first."""
        return list(self._sent_index.find(self.sent, create_jid(number)))

    def running(self, name: str, member: str) -> Instance:
        """Return the instance a handler works on.

        Raises:
            ErrorThrown: It is not in memory: the TypeError for reading ``member`` of undefined.
        """
        instance = self.loaded(name)
        if instance is None:
            raise reading(member)
        return instance

    def emit(
        self, instance: Instance, event: str, data: object, extra: JsonObject | None = None
    ) -> None:
        """Record an event in the envelope that webhooks carry, subscribed to or not.

        An event that the version does not know is not sent.

        Args:
            instance: Its instance.
            event: Its name, such as ``messages.upsert``.
            data: What it tells.
            extra: Members that this event has beside the usual ones.
        """
        since = EVENTS_SINCE.get(event.replace(".", "_").replace("-", "_").upper(), "2.0")
        if not self.profile.at_least(since):
            return
        webhook = instance.webhook or {}
        envelope = defined(
            event=event,
            instance=instance.name,
            data=to_answer(data),
            destination=webhook.get("url", UNDEFINED),
            date_time=iso(self.now_ms()),
            # Absent before the first login, and always on the other channels
            # (`facts/observed.md` "Webhooks").
            sender=instance.owner_jid or UNDEFINED,
            server_url=self.options.server_url,
            # Null, not absent, while tokens are not exposed.
            apikey=instance.token if self.options.expose_tokens else None,
            **(extra or {}),
        )
        self.events.append(envelope)
        for listener in self.listeners:
            listener(envelope)
