"""FakeEvolution: the fake server as a test sees it."""

from __future__ import annotations

import contextlib
import dataclasses
import random
from collections.abc import Callable, Generator
from typing import Self

import httpx

from evolution_sdk._common.arguments import checked
from evolution_sdk.errors import ConfigurationError

from . import families
from .asgi import FakeApp
from .backends import Backends
from .checks import Checks
from .clock import Clock, SystemClock
from .faults import Faults
from .inprocess import BASE_URL, InProcessTransport
from .js import JsonObject
from .kernel import Kernel
from .router import Router
from .scene import Scene
from .serve import serve_forever, serving
from .shell import Shell
from .world import ServerOptions, World

_ROUTER = Router(families.ALL)


@checked()
class FakeEvolution(Scene, Backends, Checks):
    """A stateful fake of the Evolution API server 2.3.6.

    It answers with the real server's status codes and bodies, validation errors and quirks
    included, and keeps instances, messages, contacts and chats. Nothing in it sleeps or opens a
    socket unless it is served.

    ``delay`` of a send, and the waits of create and connect, move the clock instead of sleeping;
    a caller whose read timeout is shorter gets its timeout, while the message is written later,
    as in reality. With ``real_delays`` the callers really wait.

    Args:
        api_key: The global key.
        seed: Of ids and of fault probabilities: the same seed, the same run.
        clock: Where time comes from; the system's, movable, when None.
        real_delays: Really wait instead of moving the clock.
        version: What ``GET /`` reports.
        server_url: What the server believes its URL to be; the served URL when None.
        store_messages: Whether Baileys stores messages (``DATABASE_SAVE_DATA_NEW_MESSAGE``).
        store_message_updates: Whether statuses are stored (``DATABASE_SAVE_MESSAGE_UPDATE``).
        logical_delete: Whether revoked messages stay, marked (``DATABASE_DELETE_MESSAGE``).
        expose_tokens: Whether events carry the instance's token.
        manager: Whether the web manager is there.
        licensed: Whether the server has been activated. If not, it answers everything but
            ``GET /`` and the web manager with 503 ``LICENSE_REQUIRED``, as 2.4.0-rc2 does.
        metrics_credentials: User and password of ``/metrics``; None leaves it open.
        features: Server-wide integrations that are on: ``websocket``, ``rabbitmq``, ``nats``,
            ``sqs``, ``kafka``, ``pusher``, ``chatwoot``, ``typebot``, ``openai``, ``dify``,
            ``n8n``, ``evoai``, ``flowise``, ``s3``. None means those of the recorded server:
            websocket, chatwoot and the chatbots (Evolution Bot cannot be switched off).
        qr_after: How many connects answer without a QR code before the first with one.
        deletion_lag_ms: How long a deleted instance lingers, in milliseconds.
        auto_ack: Whether every ``findMessages``, ``findStatusMessage``, ``findChats`` and
            ``findContacts`` first moves each sent message one status further.

    Attributes:
        faults: Failures to inject; see :meth:`Faults.add`.
        url: Where it is reached: only in-process, until it is served.
    """

    def __init__(
        self,
        *,
        api_key: str = "test-api-key",
        seed: int = 0,
        clock: Clock | None = None,
        real_delays: bool = False,
        version: str = "2.3.6",
        server_url: str | None = None,
        store_messages: bool = True,
        store_message_updates: bool = True,
        logical_delete: bool = True,
        expose_tokens: bool = True,
        manager: bool = True,
        licensed: bool = True,
        metrics_credentials: tuple[str, str] | None = None,
        features: frozenset[str] | None = None,
        qr_after: int = 0,
        deletion_lag_ms: float = 0.0,
        auto_ack: bool = False,
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
            metrics_credentials=metrics_credentials,
            features=ServerOptions().features if features is None else features,
            qr_after=qr_after,
            deletion_lag_ms=deletion_lag_ms,
            auto_ack=auto_ack,
        )
        self._seed = seed
        self._chance = random.Random(seed)  # noqa: S311 - ids and faults of a fake
        if clock is not None and not callable(getattr(clock, "now_ms", None)):
            raise ConfigurationError(
                "clock: must be a FakeClock or a SystemClock, or have their methods.",
                variable="clock",
            )
        self._world = World(options, clock or SystemClock(), self._chance)
        self._dice = random.Random(seed)  # noqa: S311 - apart, so that ids do not move faults
        self.faults: Faults = Faults(self._dice)
        self._kernel = Kernel(self._world, _ROUTER, self.faults)
        self._shell = Shell(self._kernel, self._world.clock, real_delays)
        self._own_server_url = server_url is not None
        self.url: str = BASE_URL

    def __repr__(self) -> str:
        return f"FakeEvolution(url={self.url!r}, instances={list(self._world.instances)!r})"

    @property
    def api_key(self) -> str:
        """The global key."""
        return self._world.options.api_key

    @property
    def clock(self) -> Clock:
        """Its time; ``clock.advance(ms)`` moves it."""
        return self._world.clock

    @property
    def kernel(self) -> Kernel:
        """The server as a function: ``kernel.handle(method, target, headers, body)``."""
        return self._kernel

    def reset(self) -> None:
        """Forget instances, messages, records and faults, and start the seed again."""
        with self._kernel.lock:
            self._chance.seed(self._seed)
            self._dice.seed(self._seed)
            self._world.clear()
            self.faults.clear()

    def on_event(self, listener: Callable[[JsonObject], None]) -> Callable[[], None]:
        """Call a function with every event, as it happens.

        Args:
            listener: Gets the envelope; it runs inside the request that caused the event.

        Returns:
            A function that stops it.
        """
        self._world.listeners.append(listener)
        return lambda: self._world.listeners.remove(listener)

    def http_client(self, **options: object) -> httpx.Client:
        """A blocking httpx client that reaches the fake without a socket.

        Args:
            **options: Passed to ``httpx.Client``.
        """
        transport = InProcessTransport(self._shell)
        return httpx.Client(transport=transport, base_url=self.url, **options)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - handed on as given

    def async_http_client(self, **options: object) -> httpx.AsyncClient:
        """An asynchronous httpx client that reaches the fake without a socket.

        Args:
            **options: Passed to ``httpx.AsyncClient``.
        """
        transport = InProcessTransport(self._shell)
        return httpx.AsyncClient(transport=transport, base_url=self.url, **options)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - handed on as given

    @property
    def asgi(self) -> FakeApp:
        """The fake as an ASGI application for uvicorn."""
        return FakeApp(self._shell)

    @contextlib.contextmanager
    def serve(self, port: int = 0) -> Generator[Self]:
        """Serve it as real HTTP on 127.0.0.1 while the context lasts.

        Args:
            port: 0 takes a free one.

        Returns:
            A context manager giving this object, with ``url`` set.

        Raises:
            ConfigurationError: uvicorn is missing: ``pip install 'evolutionapi-sdk[testing]'``.
        """
        with serving(self.asgi, port) as url:
            self._move_to(url)
            try:
                yield self
            finally:
                self._move_to(BASE_URL)

    def serve_forever(self, host: str = "127.0.0.1", port: int = 8080) -> None:
        """Serve it in the foreground until interrupted.

        Raises:
            ConfigurationError: uvicorn is missing: ``pip install 'evolutionapi-sdk[testing]'``.
        """
        self._move_to(f"http://{host}:{port}")
        serve_forever(self.asgi, host, port)

    def _move_to(self, url: str) -> None:
        self.url = url
        if not self._own_server_url:
            self._world.options = dataclasses.replace(self._world.options, server_url=url)
