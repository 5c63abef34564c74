"""Events from the server's socket (socket.io)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from importlib import import_module
from typing import Any, ClassVar, Literal, Unpack
from urllib.parse import quote, urlsplit

from pydantic import SecretStr

from evolution_sdk._base.forking import abandon
from evolution_sdk._base.json_types import is_object
from evolution_sdk._base.network import check_host
from evolution_sdk._common.arguments import checked
from evolution_sdk.config import EvolutionConfig, normalize_base_url
from evolution_sdk.errors import AuthenticationError, ConfigurationError
from evolution_sdk.events import Event

from ._authenticated_http import AuthenticatedHttp, LastAnswer
from ._socket_connection import SocketConnection
from ._states import EventsDropped
from ._stream import ConnectionLostError, Stream, StreamOptions, StreamTarget, missing_extra

# The server's words at the handshake (`facts/observed.md` "Websocket").
_REFUSED = ("apiKey is required", "Invalid global token")
_NO_NAMESPACE = "Invalid namespace"


@checked()
class SocketStream(Stream):
    """Takes events from the server's socket (extra ``socketio``).

    The socket keeps nothing: events while it is disconnected are lost; ``client.backfill`` finds
    the messages among them. The namespace of an instance exists from its first event since the
    server's start. Until then the stream asks again, quietly, and that first event is lost.

    Args:
        to: A router, a function that takes an event, or another stream; see :class:`Stream`.
        base_url: The server's base URL.
        api_key: The global key or any instance's token.
        instance: Instance whose namespace to join. None: the global one, in which the server
            (``WEBSOCKET_GLOBAL_EVENTS=true``) sends the events of all instances.
        key_in: Place of the key in requests. ``query`` puts it into URLs, which proxies log: only
            for proxies that drop unknown headers.
        transports: Socket.io's transports in the order of trial. Default: polling, then websocket.
        before_connect: Awaited before each attempt, such as to subscribe anew.
        namespace_poll_ms: Time between two questions for a namespace that does not exist yet, in
            milliseconds. Default: 1 s.
        connect_timeout_ms: Longest wait for a connection, in milliseconds. Default: 10 s.
        max_concurrency: Most events handled at once. Default: 16.
        max_pending: Most events that wait to be handled; further ones are dropped and reported
            (:class:`EventsDropped`), since the socket cannot ask the server to wait. Default:
            10,000.
        **options: See :class:`StreamOptions`. An event whose handler raised is not handled again.

    Raises:
        ConfigurationError: A value is wrong.
    """

    kind: ClassVar[str] = "socket"

    def __init__(
        self,
        to: StreamTarget,
        base_url: str,
        api_key: str | SecretStr,
        *,
        instance: str | None = None,
        key_in: Literal["header", "query"] = "header",
        transports: Sequence[Literal["polling", "websocket"]] | None = None,
        before_connect: Callable[[], Awaitable[object]] | None = None,
        namespace_poll_ms: float = 1_000,
        connect_timeout_ms: float = 10_000,
        max_concurrency: int = 16,
        max_pending: int = 10_000,
        **options: Unpack[StreamOptions],
    ) -> None:
        options["name"] = options.get("name") or f"socket:{instance or '/'}"
        super().__init__(to, **options)
        for label, value in (("max_concurrency", max_concurrency), ("max_pending", max_pending)):
            if value < 1:
                raise ConfigurationError(f"{label} must be 1 or more", variable=label)
        self._url = normalize_base_url(base_url, "base_url")
        self._key = api_key if isinstance(api_key, SecretStr) else SecretStr(api_key)
        self._namespace = f"/{instance}" if instance else "/"
        self._key_in = key_in
        self._transports = list(transports) if transports else None
        self._before_connect = before_connect
        self._poll_ms = namespace_poll_ms
        self._connect_timeout_s = connect_timeout_ms / 1_000
        self._max_concurrency = max_concurrency
        self._max_pending = max_pending
        self._begin_empty()
        self._was_up = False
        self._refusal: Any = None

    def _begin_empty(self) -> None:
        # Bounds the handlers that run; see EventConsumer.handle.
        self._turns = asyncio.Semaphore(self._max_concurrency)
        self._pending: set[asyncio.Task[None]] = set()
        self._dropped = 0

    def _begin_anew(self) -> None:
        if self._running:
            abandon(*self._pending, self._turns)
        super()._begin_anew()
        self._begin_empty()

    @classmethod
    def from_config(
        cls,
        to: StreamTarget,
        config: EvolutionConfig,
        *,
        instance: str | None = None,
        **options: Any,
    ) -> SocketStream:
        """Make a stream by a client's settings: its server, its key, its instance.

        Args:
            to: Takes the events; see :class:`Stream`.
            config: The settings.
            instance: Another instance than the configured one; without either, and with
                ``EVOLUTION_WEBSOCKET_GLOBAL_EVENTS``, the global namespace.
            **options: As of the constructor.

        Returns:
            The stream.

        Raises:
            ConfigurationError: No instance is known, and global events are not on.
        """
        chosen = None if config.websocket.global_events else instance or config.instance
        if chosen is None and not config.websocket.global_events:
            raise ConfigurationError(
                "The socket needs an instance: set EVOLUTION_INSTANCE, or "
                "EVOLUTION_WEBSOCKET_GLOBAL_EVENTS=true for the events of all.",
                variable="EVOLUTION_INSTANCE",
            )
        return cls(to, config.base_url, config.api_key, instance=chosen, **options)

    @property
    def pending(self) -> int:
        """Number of events that are being handled or wait for it."""
        return len(self._pending)

    async def _session(self) -> None:
        socketio, aiohttp = _libraries()
        # The library connects by itself and asks no gate.
        check_host(urlsplit(self._url).hostname or "")
        if self._before_connect is not None:
            try:
                await self._before_connect()
            except Exception as error:
                raise ConnectionLostError(
                    f"before_connect raised {type(error).__name__}"
                ) from error
        self._refusal = None
        async with AuthenticatedHttp(aiohttp) as http:
            link = SocketConnection(socketio, http, self._namespace, self._alive)
            link.client.on("connect_error", self._refused, namespace=self._namespace)
            # Every event of the namespace: the server's names are the socket's event names.
            link.client.on("*", self._arrived, namespace=self._namespace)
            try:
                await self._connect(link, http)
                self._was_up = True
                self._up()
                await self._until_over(link.gone)
                if link.broken is not None and not self._stopping.is_set():
                    raise ConnectionLostError(
                        f"the server sent what is no socket.io ({link.broken})"
                    )
            finally:
                await link.hang_up(self._connect_timeout_s)
                # Only a stop waits for handlers: after a lost connection they go on meanwhile.
                if self._stopping.is_set() and self._pending:
                    await asyncio.gather(*self._pending, return_exceptions=True)

    async def _connect(self, link: SocketConnection, http: AuthenticatedHttp) -> None:
        headers = {"apikey": self._key.get_secret_value()} if self._key_in == "header" else {}
        url = self._url
        # The library drops the path of the URL, where a proxy may have put the whole server.
        path = f"{urlsplit(url).path.strip('/')}/socket.io".lstrip("/")
        if self._key_in == "query":
            url += f"?apikey={quote(self._key.get_secret_value(), safe='')}"
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                await link.client.connect(
                    url, headers=headers, transports=self._transports, socketio_path=path,
                    namespaces=[self._namespace], wait_timeout=self._connect_timeout_s,
                )  # fmt: skip
        except TimeoutError as error:
            raise ConnectionLostError("no connection in time") from error
        except Exception:  # noqa: BLE001  odd answers make the library raise anything
            raise self._explained(http.seen) from None
        link.watch()

    def _explained(self, seen: LastAnswer) -> Exception:
        """Explain a failed attempt; the library's own text may hold the URL and is not used.

        A wrong key is an error on the first attempt. Later the stream waits: the server also
        refuses while its database is away.
        """
        told = self._refusal
        words = str(told.get("message", "")) if is_object(told) else str(told or "")
        # With another status, the words are those of a proxy and not the server's.
        refused = words in _REFUSED and seen.status == 403
        if refused and not self._was_up:
            return AuthenticationError(403, (words,), "websocket handshake")
        if words == _NO_NAMESPACE:
            reason = (
                f"no namespace {self._namespace} yet: the instance has had no event, and the first "
                "one makes it, but does not come"
            )
            return ConnectionLostError(reason, wait_ms=self._poll_ms, quiet=True)
        if refused:
            return ConnectionLostError(words)
        if seen.redirect is not None:
            return ConnectionLostError(
                f"the server redirects to {seen.redirect}; that is not followed, because the key "
                "would go with it: give the address that answers as base_url"
            )
        fine = seen.status is None or seen.status // 100 == 2
        status = "" if fine else f" (HTTP {seen.status})"
        return ConnectionLostError(f"the socket could not be connected{status}")

    def _refused(self, *told: Any) -> None:
        self._refusal = told[0] if told else None

    async def _arrived(self, event: str, *args: Any) -> None:
        """Called by the library for every event of the namespace."""
        self._alive()
        body = args[0] if args else None
        got = self._consumer.read(body, source="socket", received_at=self._now(), event_hint=event)
        # The socket cannot ask the server to wait; without a limit, memory would run full.
        if len(self._pending) >= self._max_pending:
            self._dropped += 1
            self._tell(EventsDropped(self.name, self._now(), self._dropped))
            return
        self._dropped = 0
        # Tasks begin in the order of their making, so that a chat keeps its order.
        task = asyncio.create_task(self._handled(got))
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    async def _handled(self, event: Event[Any]) -> None:
        try:
            await self._consumer.handle(event, turns=self._turns)
        except Exception as error:  # noqa: BLE001  a handler may raise anything
            self._failed(event, error)


def _libraries() -> tuple[Any, Any]:
    try:
        # The async client needs aiohttp, and says so only when it connects.
        return import_module("socketio"), import_module("aiohttp")
    except ImportError:
        raise missing_extra("socketio", "python-socketio") from None
