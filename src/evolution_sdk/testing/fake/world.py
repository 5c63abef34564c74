"""Everything the fake server knows; the kernel's handlers read and change it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from .clock import Clock, SystemClock
from .errors import reading
from .ids import Ids
from .js import UNDEFINED, JsonObject, defined, iso, to_answer
from .meta import TemplateDirectory
from .network import PhoneNetwork
from .proxies import Proxies
from .records import SeenRequest, SentMessage
from .state import Instance


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How the server is set up; each is an environment variable of the real one.

    Attributes:
        api_key: The global key (``AUTHENTICATION_API_KEY``).
        version: What ``GET /`` reports.
        server_url: ``SERVER_URL``: in events, in metrics and in Business' webhook address.
        store_messages: ``DATABASE_SAVE_DATA_NEW_MESSAGE`` (Baileys only, as in the server).
        store_message_updates: ``DATABASE_SAVE_MESSAGE_UPDATE``.
        logical_delete: ``DATABASE_DELETE_MESSAGE``: keep revoked rows as ``DELETED``.
        expose_tokens: ``AUTHENTICATION_EXPOSE_IN_FETCH_INSTANCES``: tokens in events.
        manager: Whether the web manager is served.
        metrics_credentials: User and password for ``/metrics``; None leaves it open.
        features: Integrations that are switched on server-wide.
        qr_after: How many connects answer without a QR code before the first with one.
        deletion_lag_ms: How long a deleted instance's row lingers, in milliseconds.
        licensed: Whether it has been activated, which 2.4.0 and newer demand.
        auto_ack: Every find call first moves each sent message one status further.
    """

    api_key: str = "test-api-key"
    version: str = "2.3.6"
    server_url: str = "http://127.0.0.1:8080"
    store_messages: bool = True
    store_message_updates: bool = True
    logical_delete: bool = True
    expose_tokens: bool = True
    manager: bool = True
    licensed: bool = True
    metrics_credentials: tuple[str, str] | None = None
    features: frozenset[str] = frozenset(
        {"websocket", "chatwoot", "typebot", "openai", "dify", "n8n", "evoai", "flowise"}
    )
    qr_after: int = 0
    deletion_lag_ms: float = 0.0
    auto_ack: bool = False


@dataclass(frozen=True, slots=True)
class MetaRefusal:
    """What Meta's Graph API answers for a recipient; ``error`` None means no usable answer."""

    error: JsonObject | None


@dataclass
class World:
    """The state of one fake server."""

    options: ServerOptions = field(default_factory=ServerOptions)
    clock: Clock = field(default_factory=SystemClock)
    chance: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311 - ids of a fake
    listeners: list[Callable[[JsonObject], None]] = field(
        default_factory=list[Callable[[JsonObject], None]]
    )

    def __post_init__(self) -> None:
        """Start empty."""
        self.clear()

    def clear(self) -> None:
        """Forget everything but the options, the clock and the listeners."""
        self.ids: Ids = Ids(self.chance, self.clock.now_ms)
        self.network: PhoneNetwork = PhoneNetwork()
        self.instances: dict[str, Instance] = {}
        self.refusals: dict[str, MetaRefusal] = {}
        self.sent: list[SentMessage] = []
        self.requests: list[SeenRequest] = []
        self.events: list[JsonObject] = []
        self.meta: TemplateDirectory = TemplateDirectory()
        self.proxies: Proxies = Proxies()
        self.label_bookkeeping: bool = False
        self.typebot_reachable = True
        self.openai_models: list[JsonObject] | None = None

    def now_ms(self) -> float:
        """The server's time."""
        return self.clock.now_ms()

    def known(self, name: str) -> Instance | None:
        """An instance that is loaded or whose row still lingers."""
        instance = self.instances.get(name)
        if instance is None or instance.gone_at_ms is None:
            return instance
        if instance.gone_at_ms <= self.now_ms():
            del self.instances[name]
            return None
        return instance

    def loaded(self, name: str) -> Instance | None:
        """An instance in the server's memory."""
        instance = self.known(name)
        return instance if instance is not None and instance.state is not None else None

    def all_loaded(self) -> list[Instance]:
        """Every instance in memory, in order of creation."""
        return [i for name in list(self.instances) if (i := self.loaded(name)) is not None]

    def rows(self) -> list[Instance]:
        """Every instance with a row."""
        return [i for name in list(self.instances) if (i := self.known(name)) is not None]

    def running(self, name: str, member: str) -> Instance:
        """The instance a handler works on.

        Raises:
            ErrorThrown: It is not in memory: the TypeError for reading ``member`` of undefined.
        """
        instance = self.loaded(name)
        if instance is None:
            raise reading(member)
        return instance

    def emit(self, instance: Instance, event: str, data: object) -> None:
        """Record an event in the envelope that webhooks carry, whoever subscribed to it."""
        webhook = instance.webhook or {}
        envelope = defined(
            event=event,
            instance=instance.name,
            data=to_answer(data),
            destination=webhook.get("url", UNDEFINED),
            date_time=iso(self.now_ms()),
            sender=instance.owner_jid or UNDEFINED,
            server_url=self.options.server_url,
            apikey=instance.token if self.options.expose_tokens else None,
        )
        self.events.append(envelope)
        for listener in self.listeners:
            listener(envelope)
