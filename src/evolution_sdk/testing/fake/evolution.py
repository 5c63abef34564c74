"""FakeEvolution: the fake server as a test sees it."""

from __future__ import annotations

import contextlib
import dataclasses
import random
from collections.abc import Callable, Generator, Sequence
from typing import Any, Self

import httpx

from evolution_sdk._common.arguments import checked
from evolution_sdk.errors import ConfigurationError

from . import incoming, lifecycle, statuses
from .arrange import find_instance, find_message
from .arrange_errors import ArrangementError
from .arrange_groups import FakeGroups
from .arrange_labels import FakeLabels
from .arrange_meta import FakeMeta
from .arrange_services import FakeServices
from .asgi import FakeApp
from .clock import Clock, SystemClock
from .control.server import Control
from .delivery.outbox import Outbox, WebhookAttempt
from .delivery.posting import DeliveryThread, FakeWebhooks
from .delivery.rules import WebhookOptions
from .delivery.sockets import FakeSockets, SocketOptions
from .faults import Faults
from .inprocess import BASE_URL, InProcessTransport
from .js import JsonObject
from .kernel import Kernel
from .network import Profile, Shop
from .numbers import create_jid
from .phone.acts import ACTS, PhoneActs
from .records import RecordedSend, SeenRequest
from .routes import ROUTER
from .sent_checks import SentChecks
from .serve import serve_forever, serving
from .state import BAILEYS, CHANNELS, ConnectionState, Instance, ServerOptions, ServerState

_OWNER = "5511900000099"


@checked()
class FakeEvolution(PhoneActs, SentChecks):
    """A stateful fake of the Evolution API server, of any version from 2.2.3 to 2.4.

    It answers with the real server's status codes and bodies, validation errors and quirks
    included, and keeps instances, messages, contacts and chats. It neither sleeps nor opens a
    socket unless it is served, or told to deliver webhooks.

    The ``delay`` of a send, and the waits of create and connect, move the clock instead of
    sleeping; a caller whose read timeout is shorter gets its timeout, while the message is written
    later, as in reality. With ``real_delays`` the callers really wait.

    Instances, phone numbers and messages are arranged by the methods of the fake itself; groups,
    labels, Meta and the other services by its parts.

    Args:
        api_key: The global key.
        seed: Seed of ids and of fault probabilities; the same seed repeats a run.
        clock: Source of time; the system's, movable, when None.
        real_delays: Really wait instead of moving the clock.
        version: Version that it plays: ``2.2.3``, ``2.3.6``, ``2.3.7`` or ``2.4.0``; ``2.4-pre``
            is the last build before the licence of 2.4, which calls itself 2.3.7. Others behave
            as the newest of these that is not newer.
        server_url: URL that the server believes to be its own; the served URL when None.
        store_messages: Whether Baileys stores messages (``DATABASE_SAVE_DATA_NEW_MESSAGE``).
        store_message_updates: Whether statuses are stored (``DATABASE_SAVE_MESSAGE_UPDATE``).
        logical_delete: Whether revoked messages stay, marked (``DATABASE_DELETE_MESSAGE``).
        expose_tokens: Whether events carry the instance's token.
        manager: Whether the web manager is there.
        licensed: Whether the server has been activated. If not, it answers everything but
            ``GET /``, ``/license/`` and the web manager with 503 ``LICENSE_REQUIRED``, as
            2.4.0-rc2 does; earlier versions have no licence.
        minified: Whether the server was built as the Docker images are, whose database and
            programming errors quote other names and calls than the source has.
        metrics_credentials: User and password of ``/metrics``; None leaves it open.
        features: Server-wide integrations that are on: ``websocket``, ``rabbitmq``, ``nats``,
            ``sqs``, ``kafka``, ``pusher``, ``chatwoot``, ``typebot``, ``openai``, ``dify``,
            ``n8n``, ``evoai``, ``flowise``, ``s3``. None means those of the recorded server:
            websocket, chatwoot and the chatbots (Evolution Bot cannot be switched off).
        qr_after: Number of connects that answer without a QR code before the first with one.
        deletion_lag_ms: Time that the row of a deleted instance lingers, in milliseconds.
        auto_ack: Whether every ``findMessages``, ``findStatusMessage``, ``findChats`` and
            ``findContacts`` first moves each sent message one status further.
        webhook: Settings of webhooks for the whole server; those of a fresh server when None.
        websocket: Settings of the socket; None sends events to the namespaces of instances only,
            to whoever has a key.

    Attributes:
        faults: Failures to inject; see :meth:`Faults.add`.
        groups: The groups of the phone network, by JID; see :meth:`FakeGroups.add`.
        labels: Labels that come from a phone.
        meta: Meta's Graph API, behind WHATSAPP-BUSINESS and templates.
        services: Proxies, chatbot back-ends, web servers and object storage.
        webhooks: Delivery of events to the webhooks that are set; see
            :meth:`FakeWebhooks.deliver`.
        url: Address of the fake; reachable only in-process, until it is served.

    Raises:
        ConfigurationError: The clock has no ``now_ms``, or the version is none.
    """

    def __init__(
        self,
        *,
        api_key: str = "test-api-key",
        seed: int = 0,
        clock: Clock | None = None,
        real_delays: bool = False,
        version: str = "2.3.7",
        server_url: str | None = None,
        store_messages: bool = True,
        store_message_updates: bool = True,
        logical_delete: bool = True,
        expose_tokens: bool = True,
        manager: bool = True,
        licensed: bool = True,
        minified: bool = True,
        metrics_credentials: tuple[str, str] | None = None,
        features: frozenset[str] | None = None,
        qr_after: int = 0,
        deletion_lag_ms: float = 0.0,
        auto_ack: bool = False,
        webhook: WebhookOptions | None = None,
        websocket: SocketOptions | None = None,
    ) -> None:
        options = ServerOptions(
            api_key=api_key,
            version=version,
            server_url=server_url or BASE_URL,
            store_messages=store_messages,
            store_message_updates=store_message_updates,
            logical_delete=logical_delete,
            expose_tokens=expose_tokens,
            manager=manager,
            licensed=licensed,
            minified=minified,
            metrics_credentials=metrics_credentials,
            features=ServerOptions().features if features is None else features,
            qr_after=qr_after,
            deletion_lag_ms=deletion_lag_ms,
            auto_ack=auto_ack,
        )
        if clock is not None and not callable(getattr(clock, "now_ms", None)):
            raise ConfigurationError(
                "clock: must be a FakeClock or a SystemClock, or have their methods.",
                variable="clock",
            )
        self._seed = seed
        # Two sources of randomness: an id more or less must not move the faults of a seed.
        self._id_random = random.Random(seed)  # noqa: S311 - ids of a fake, no secrets
        self._fault_random = random.Random(seed)  # noqa: S311 - chance of faults
        self._server = ServerState(options, clock or SystemClock(), self._id_random)
        self.faults: Faults = Faults(self._fault_random)
        self.groups: FakeGroups = FakeGroups(self._server)
        self.labels: FakeLabels = FakeLabels(self._server)
        self.meta: FakeMeta = FakeMeta(self._server)
        self.services: FakeServices = FakeServices(self._server)
        self._kernel = Kernel(self._server, ROUTER, self.faults)
        # A third source: neither ids nor faults may depend on who delivers events.
        self._delivery_random = random.Random(seed)  # noqa: S311 - chance of jitter
        self._outbox = Outbox(self._server, webhook or WebhookOptions(), self._delivery_random)
        self._sockets = FakeSockets(self._server, websocket or SocketOptions())
        self.webhooks: FakeWebhooks = FakeWebhooks(
            self._outbox, self._server.clock, self._delivery_random
        )
        # In the server's order: the socket comes before webhooks.
        self._server.listeners += [self._sockets.take, self._outbox.take]
        self._server.holds_removal = self._outbox.holds
        self._real_delays = real_delays
        self._own_server_url = server_url is not None
        self.url: str = BASE_URL

    def __repr__(self) -> str:
        return f"FakeEvolution(url={self.url!r}, instances={list(self._server.instances)!r})"

    @property
    def api_key(self) -> str:
        """The global key."""
        return self._server.options.api_key

    @property
    def clock(self) -> Clock:
        """Its time; ``clock.advance(ms)`` moves it."""
        return self._server.clock

    @property
    def kernel(self) -> Kernel:
        """The server as a function: ``kernel.handle(method, target, headers, body)``."""
        return self._kernel

    def reset(self) -> None:
        """Forget instances, messages, records and faults, and start the seed again."""
        with self._server.lock:
            self._id_random.seed(self._seed)
            self._fault_random.seed(self._seed)
            self._delivery_random.seed(self._seed)
            self._server.clear()
            self.faults.clear()
            self._outbox.clear()
            self._sockets.clear()

    def on_event(self, listener: Callable[[JsonObject], None]) -> Callable[[], None]:
        """Call a function with every event, as it happens.

        Args:
            listener: Gets the envelope; it runs inside the request that caused the event.

        Returns:
            A function that stops it.
        """
        self._server.listeners.append(listener)
        return lambda: self._server.listeners.remove(listener)

    # Reaching the fake: in the process, or over real HTTP.

    def http_client(self, **options: object) -> httpx.Client:
        """Make a blocking httpx client that reaches the fake without a socket.

        Args:
            **options: Passed to ``httpx.Client``.
        """
        transport = InProcessTransport(self._kernel, real_delays=self._real_delays)
        return httpx.Client(transport=transport, base_url=self.url, **options)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - handed on as given

    def async_http_client(self, **options: object) -> httpx.AsyncClient:
        """Make an asynchronous httpx client that reaches the fake without a socket.

        Args:
            **options: Passed to ``httpx.AsyncClient``.
        """
        transport = InProcessTransport(self._kernel, real_delays=self._real_delays)
        return httpx.AsyncClient(transport=transport, base_url=self.url, **options)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - handed on as given

    @property
    def asgi(self) -> FakeApp:
        """The fake as an ASGI application for uvicorn, with socket and control routes."""
        return FakeApp(self._kernel, Control(self), self._sockets, real_delays=self._real_delays)

    @contextlib.contextmanager
    def serve(self, port: int = 0) -> Generator[Self]:
        """Serve it as real HTTP on 127.0.0.1 while the context lasts.

        With the system's clock, webhooks are delivered meanwhile, in real time; with a
        :class:`FakeClock`, when :attr:`webhooks` is told to.

        Args:
            port: Port to listen on; 0 takes a free one.

        Returns:
            A context manager giving this object, with ``url`` set.

        Raises:
            ConfigurationError: uvicorn is missing: ``pip install 'evolutionapi-sdk[testing]'``.
        """
        with serving(self.asgi, port) as url, self._delivering():
            self._move_to(url)
            try:
                yield self
            finally:
                self._move_to(BASE_URL)
                # An open connection would keep the server waiting.
                self._sockets.close()

    def serve_forever(
        self,
        host: str = "127.0.0.1",
        port: int = 8080,
        *,
        ready: Callable[[str], object] | None = None,
    ) -> None:
        """Serve it in the foreground until interrupted.

        Args:
            host: Address to listen on.
            port: Port to listen on; 0 takes a free one.
            ready: Called with the URL once it listens. Default: nobody is told.

        Raises:
            ConfigurationError: uvicorn is missing: ``pip install 'evolutionapi-sdk[testing]'``.
            OSError: Nothing can listen there: the port is taken, or the address is none of ours.
        """

        def listening(url: str) -> None:
            self._move_to(url)
            if ready is not None:
                ready(url)

        with self._delivering():
            serve_forever(self.asgi, host, port, listening)

    def _delivering(self) -> contextlib.AbstractContextManager[None]:
        """Deliver webhooks in real time, unless time itself is the test's to move."""
        if not isinstance(self.clock, SystemClock):
            return contextlib.nullcontext()
        return DeliveryThread(self._outbox, self.clock)

    def _move_to(self, url: str) -> None:
        self.url = url
        # Events and metrics name the server's own URL, which the test may have fixed.
        if not self._own_server_url:
            self._server.options = dataclasses.replace(self._server.options, server_url=url)

    # Instances, and the phones behind them.

    @property
    def instances(self) -> dict[str, Instance]:
        """The instances by name; read their rows, change them through the methods here."""
        with self._server.lock:
            return {row.name: row for row in self._server.rows()}

    def create_instance(
        self,
        name: str,
        *,
        integration: str = BAILEYS,
        state: ConnectionState = "open",
        token: str | None = None,
        number: str | None = None,
        owner: str = _OWNER,
    ) -> Instance:
        """Add an instance without a request.

        Args:
            name: Its name.
            integration: ``WHATSAPP-BAILEYS``, ``WHATSAPP-BUSINESS`` or ``EVOLUTION``.
            state: ``open`` has a phone connected; ``close`` was never connected.
            token: Its key; made up when None.
            number: Its number column (Business: the phone number id).
            owner: Number of the connected phone (Baileys).

        Returns:
            The instance, with its ``token``.

        Raises:
            ValueError: The name is taken or the integration is unknown.
        """
        if integration not in CHANNELS:
            raise ArrangementError(
                f"integration: must be one of {', '.join(CHANNELS)}, not {integration!r}.",
                variable="integration",
            )
        server = self._server
        with server.lock:
            if server.known(name) is not None:
                raise ArrangementError(
                    f"name: the fake already has an instance {name!r}. Choose another name.",
                    variable="name",
                )
            made = lifecycle.add(server, name, integration, state=state, token=token, number=number)
            # Only Baileys connects to a phone; the other channels are open as soon as they exist.
            if made.integration == BAILEYS and state == "open":
                self.scan_qr(name, owner=owner)
            elif made.integration == BAILEYS and state == "connecting":
                lifecycle.connect(server, made)
            return made

    def scan_qr(self, name: str, *, owner: str = _OWNER, profile_name: str = "Fake Owner") -> None:
        """Let a phone scan the QR code: the instance opens.

        Args:
            name: The instance.
            owner: The phone's number.
            profile_name: The name of its account.

        Raises:
            KeyError: The fake has no such instance.
        """
        with self._server.lock:
            instance = find_instance(self._server, name)
            lifecycle.scan_qr(self._server, instance, create_jid(owner), profile_name)

    def set_state(self, name: str, state: ConnectionState) -> None:
        """Move an instance: ``open``, ``connecting`` (lost connection) or ``close``.

        A closed instance keeps its session and may be connected again without a QR code; use
        :meth:`log_out` for one that the phone has logged out.

        Args:
            name: The instance.
            state: Its new state.

        Raises:
            KeyError: The fake has no such instance.
        """
        with self._server.lock:
            instance = find_instance(self._server, name)
            if instance.integration != BAILEYS:
                instance.state = state
            elif state == "open" and instance.owner_jid is None:
                # It has never been connected, so that opening it takes a phone.
                self.scan_qr(name)
            elif state == "open":
                lifecycle.open_session(self._server, instance)
            elif state == "close":
                instance.has_client = True
                instance.state = instance.connection_status = "close"
            elif instance.logged_in:
                lifecycle.lose_connection(self._server, instance)
            else:
                # Without a session "connecting" means waiting for a QR scan.
                lifecycle.connect(self._server, instance)

    def log_out(self, name: str) -> None:
        """Let the phone log the session out (401): the instance closes and needs a new QR.

        Args:
            name: The instance.

        Raises:
            KeyError: The fake has no such instance.
        """
        with self._server.lock:
            lifecycle.close_session(self._server, find_instance(self._server, name))

    # Phone numbers, and what WhatsApp knows about them.

    def set_whatsapp_reachable(self, reachable: bool) -> None:
        """Cut or restore the way to WhatsApp: without it, connecting ends in ``close``.

        Args:
            reachable: False cuts it, True restores it.
        """
        self._server.network.reachable = reachable

    def not_on_whatsapp(self, *numbers: str) -> None:
        """Take numbers off WhatsApp: sends to them answer ``exists: false``.

        Args:
            *numbers: The numbers, in any spelling.
        """
        for number in numbers:
            self._server.network.remove(number)

    def resolve(self, number: str, jid: str) -> None:
        """Let WhatsApp know a number under another JID.

        Args:
            number: The number that callers write.
            jid: Another spelling of it, or a ``…@lid``; a LID comes from the server's cache,
                because its look-up cannot return one.
        """
        with self._server.lock:
            target = jid if "@" in jid else create_jid(jid)
            if target.endswith("@lid"):
                self._server.network.lids.set(create_jid(number), target)
                self._server.network.cache(target, self._server.now_ms(), aka=create_jid(number))
            else:
                self._server.network.alias(number, target)

    def set_lid(self, number: str, lid: str) -> None:
        """Give a number its LID; the fake derives one for every other number.

        Args:
            number: The phone's number.
            lid: The LID, ending in ``@lid``.
        """
        with self._server.lock:
            self._server.network.lids.set(create_jid(number), lid)

    def cache_number(self, number: str) -> None:
        """Put a number into the server's IsOnWhatsapp cache, as any send to it does.

        Args:
            number: The number, in any spelling.
        """
        self._server.network.cache(create_jid(number), self._server.now_ms())

    def set_profile(
        self,
        number: str,
        *,
        picture: str | None = None,
        about: str | None = "Hey there! I am using WhatsApp.",
        business: JsonObject | None = None,
    ) -> None:
        """Set the profile that WhatsApp shows for a number.

        Args:
            number: The number, in any spelling.
            picture: URL of its picture; None for no picture.
            about: Its status text; None where it is hidden.
            business: Its business profile; None for a private number.
        """
        self._server.network.profiles[create_jid(number)] = Profile(picture, about, business)

    def set_shop(
        self,
        number: str,
        products: Sequence[JsonObject] = (),
        collections: Sequence[JsonObject] = (),
    ) -> None:
        """Set the shop of a business number; every other number sells nothing.

        Args:
            number: The number; an instance's own number works too.
            products: Products as ``getCatalog`` lists them.
            collections: Collections as ``getCollections`` lists them.
        """
        with self._server.lock:
            shop = Shop(list(products), list(collections))
            self._server.network.shops[create_jid(number)] = shop

    # Messages that arrive, contacts, and the statuses of sent messages.

    def _act(self, act: str, instance: str, /, **arguments: Any) -> Any:
        with self._server.lock:
            return ACTS[act](self._server, find_instance(self._server, instance), **arguments)

    def add_contact(self, instance: str, number: str, name: str | None = None) -> None:
        """Store a contact, as it comes from a phone's address book.

        Args:
            instance: Name of the instance.
            number: The contact's number, in any spelling.
            name: The contact's name.

        Raises:
            KeyError: The fake has no such instance.
        """
        with self._server.lock:
            owner = find_instance(self._server, instance)
            incoming.add_contact(self._server, owner, create_jid(number), name, None)

    def deliver(self, key_id: str, status: str) -> None:
        """Report a status of a sent message.

        Args:
            key_id: Its WhatsApp id.
            status: ``SERVER_ACK``, ``DELIVERY_ACK``, ``READ``, ``PLAYED`` or ``ERROR`` on Baileys;
                ``SENT``, ``DELIVERED``, ``READ`` or ``FAILED`` on Business.

        Raises:
            KeyError: No instance has stored this message.
            ValueError: The channel has no such status.
        """
        with self._server.lock:
            instance, row = find_message(self._server, key_id)
            statuses.deliver(self._server, instance, row, status)

    def refuse_delivery(
        self, instance: str, number: str | None = None, code: int | None = 463
    ) -> None:
        """Let WhatsApp refuse messages that the server has accepted, as on Baileys.

        Each is answered with 201 as ever; then a ``messages.update`` with status ``ERROR`` follows,
        without the code, which no recorded version passes on. ``sent`` shows it.

        Args:
            instance: Name of the instance.
            number: The recipient, in any spelling. Default: everybody who has not written to the
                instance, as under the reach-out time-lock.
            code: The code of WhatsApp, such as 463; None to let messages through again.

        Raises:
            KeyError: The fake has no such instance.
        """
        with self._server.lock:
            owner = find_instance(self._server, instance)
            jid = None if number is None else create_jid(number)
            if code is None:
                owner.refuses.pop(jid, None)
            else:
                owner.refuses[jid] = code

    def advance(self, instance: str | None = None) -> int:
        """Move every sent message one status further.

        Args:
            instance: Name of the only instance to move; None means all.

        Returns:
            The number of messages that moved.

        Raises:
            KeyError: The fake has no such instance.
        """
        with self._server.lock:
            chosen = [find_instance(self._server, instance)] if instance else self._server.rows()
            return sum(statuses.advance(self._server, each) for each in chosen)

    # Looking at the results.

    @property
    def sent(self) -> list[RecordedSend]:
        """The sends that were really acted upon, oldest first."""
        with self._server.lock:
            return list(self._server.sent)

    def sent_to(self, number: str) -> list[RecordedSend]:
        """List the sends to a number or a JID, oldest first.

        Args:
            number: The number in any spelling, or the JID.
        """
        with self._server.lock:
            return self._server.sent_to(number)

    @property
    def requests(self) -> list[SeenRequest]:
        """Every request seen, faults included, oldest first."""
        with self._server.lock:
            return list(self._server.requests)

    @property
    def events(self) -> list[JsonObject]:
        """Every event, in the envelope that webhooks carry, subscribed to or not."""
        with self._server.lock:
            return list(self._server.events)

    @property
    def deliveries(self) -> list[WebhookAttempt]:
        """Every attempt to deliver a webhook, and the events that were dropped, oldest first."""
        return self._outbox.attempts
