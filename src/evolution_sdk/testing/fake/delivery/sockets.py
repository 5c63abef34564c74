"""Events over socket.io, as the server sends them, from a fake that is served.

Facts: `facts/observed.md` "Websocket", `facts/websocket.json`, `websocket.controller.ts` of the
server's source.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final
from urllib.parse import parse_qs

from evolution_sdk.operations.server_version import ServerProfile
from evolution_sdk.testing.fake.js import JsonObject, as_list, as_object, truthy
from evolution_sdk.testing.fake.state import ServerState

from .rules import subscription

PATH: Final = "/socket.io/"
NO_NAMESPACE: Final = "Invalid namespace"
_FORBIDDEN: Final = 4
_CLOSING_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class SocketOptions:
    """Settings of the socket for the whole server.

    Attributes:
        global_events: Whether the namespace ``/`` gets the events of all instances
            (``WEBSOCKET_GLOBAL_EVENTS``).
        allowed_hosts: Addresses that need no key, separated by commas
            (``WEBSOCKET_ALLOWED_HOSTS``). The server's own default is this machine; the fake's is
            none, so that a client without a key fails in a test as it does elsewhere.
    """

    global_events: bool = False
    allowed_hosts: str = ""


def refusal(
    profile: ServerProfile,
    allowed_hosts: str,
    keys: Collection[str],
    host: str,
    given: str | None,
) -> str | None:
    """Judge the handshake of a connection.

    Args:
        profile: The server's version.
        allowed_hosts: Addresses that need no key.
        keys: The global key, and the token of every instance: any opens every namespace.
        host: Address of the client.
        given: The key it gives, in the query or in the header ``apikey``.

    Returns:
        The words of the refusal; None to accept it.
    """
    if not profile.has("socket_asks_key"):
        return None
    free = {each.strip() for each in allowed_hosts.split(",")}
    everyone = allowed_hosts.strip() == "*" and profile.has("socket_open_hosts")
    if everyone or host in free:
        return None
    if not given:
        return "apiKey is required"
    known = any(hmac.compare_digest(given.encode(), key.encode()) for key in keys)
    return None if known else "Invalid global token"


def socket_envelope(envelope: JsonObject) -> JsonObject:
    """Make the envelope of the socket: without destination, bytes as binary attachments."""
    last = ("server_url", "date_time", "sender", "apikey")
    kept = {k: v for k, v in envelope.items() if k not in (*last, "destination")}
    ends = {name: envelope[name] for name in last if name in envelope}
    return {**kept, "data": _with_bytes(envelope["data"]), **ends}


def _with_bytes(value: Any) -> Any:
    """Turn typed arrays back into bytes: in webhooks they are objects with index keys."""
    members, items = as_object(value), as_list(value)
    if items is not None:
        return [_with_bytes(item) for item in items]
    if members is None:
        return value
    if members.get("type") == "Buffer" and as_list(members.get("data")) is not None:
        return bytes(members["data"])
    if members and all(key == str(at) for at, key in enumerate(members)):
        return bytes(members.values())
    return {name: _with_bytes(item) for name, item in members.items()}


class FakeSockets:
    """Sends events to those who are connected, and to nobody who comes later.

    Args:
        server: The server's state.
        options: Settings of the socket.
    """

    def __init__(self, server: ServerState, options: SocketOptions) -> None:
        self._server = server
        self._options = options
        self._namespaces = {"/"}
        self._link: _Link | None = None

    @property
    def on(self) -> bool:
        """True where the server has sockets switched on (``WEBSOCKET_ENABLED``)."""
        return "websocket" in self._server.options.features

    def clear(self) -> None:
        """Forget the namespaces, as a server that starts anew."""
        self._namespaces = {"/"}

    def take(self, envelope: JsonObject) -> None:
        """Send an event, as it happens: globally where that is on, then to the instance."""
        if not self.on:
            return
        link = self._link
        if self._options.global_events and link is not None:
            link.send("/", socket_envelope(envelope))
        instance = self._server.loaded(str(envelope["instance"]))
        row = instance.relations.get("Websocket") if instance is not None else None
        wanted = row is not None and truthy(row.get("enabled"))
        name = subscription(str(envelope["event"]))
        if row is None or not wanted or name not in (as_list(row.get("events")) or []):
            return
        namespace = f"/{envelope['instance']}"
        # It exists from the first event on; whoever asks for it earlier is refused.
        self._namespaces.add(namespace)
        if link is not None:
            link.send(namespace, socket_envelope(envelope))

    def has(self, namespace: str) -> bool:
        """Tell if a namespace exists."""
        return namespace in self._namespaces

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request or one websocket under ``/socket.io/``."""
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        # A session is judged once, at its handshake.
        words = None if "sid" in query else self._judge(scope, query)
        if words is not None:
            await _refuse(scope, send, words)
            return
        if self._link is None:
            self._link = _Link(self.has)
        await self._link.app(scope, receive, send)

    def close(self) -> None:
        """Cut every connection, from another thread, as a server that goes away does."""
        link, self._link = self._link, None
        if link is not None:
            link.close()

    def _judge(self, scope: Any, query: dict[str, list[str]]) -> str | None:
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        given = query.get("apikey", [headers.get(b"apikey", "")])[0]
        with self._server.lock:
            tokens = [row.token for row in self._server.rows()]
        host = (scope.get("client") or ("", 0))[0]
        keys = [self._server.options.api_key, *tokens]
        return refusal(
            self._server.profile, self._options.allowed_hosts, keys, str(host), given or None
        )


class _Link:
    """The library's server, in the event loop that serves it.

    Args:
        exists: Tells if a namespace exists.
    """

    def __init__(self, exists: Callable[[str], bool]) -> None:
        library = _library()
        self._loop = asyncio.get_running_loop()
        self._events: asyncio.Queue[tuple[str, JsonObject]] = asyncio.Queue()
        self._server: Any = library.AsyncServer(
            async_mode="asgi", namespaces="*", cors_allowed_origins="*", always_connect=False
        )
        self._server.on("connect", self._joins(exists, library), namespace="*")
        self._server.on("connect", self._joins(exists, library), namespace="/")
        self._engine: Any = self._server.eio
        self._leave = self._engine.handlers["disconnect"]
        self._engine.on("disconnect", self._left)
        self.app: Callable[[Any, Any, Any], Awaitable[None]] = library.ASGIApp(self._server)
        self._sender = self._loop.create_task(self._send_all())

    @staticmethod
    def _joins(exists: Callable[[str], bool], library: Any) -> Callable[..., Awaitable[None]]:
        async def connect(*told: Any) -> None:
            # Handlers of all namespaces get the namespace first.
            namespace = str(told[0]) if str(told[0]).startswith("/") else "/"
            if not exists(namespace):
                raise library.exceptions.ConnectionRefusedError(NO_NAMESPACE)

        return connect

    def send(self, namespace: str, envelope: JsonObject) -> None:
        """Send an event, from any thread, in the order of the calls."""
        with contextlib.suppress(RuntimeError):  # the loop has just been closed
            self._loop.call_soon_threadsafe(self._events.put_nowait, (namespace, envelope))

    def close(self) -> None:
        """Disconnect everybody, from another thread."""
        with contextlib.suppress(RuntimeError, TimeoutError):
            asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(_CLOSING_S)

    async def _left(self, sid: str, *reason: Any) -> None:
        """Answer the open poll of a client that leaves, as Node's engine does.

        The library would keep it until its next ping, and with it the client.
        """
        left = self._engine.sockets.get(sid)
        if left is not None and not left.upgraded:
            packets = import_module("engineio.packet")
            left.queue.put_nowait(packets.Packet(packets.NOOP))
        await self._leave(sid, *reason)

    async def _send_all(self) -> None:
        while True:
            namespace, envelope = await self._events.get()
            await self._server.emit(envelope["event"], envelope, namespace=namespace)

    async def _close(self) -> None:
        self._sender.cancel()
        for each in list(self._engine.sockets.values()):
            await each.close(wait=False, abort=True)
        await self._server.shutdown()


async def _refuse(scope: Any, send: Any, words: str) -> None:
    body = json.dumps({"code": _FORBIDDEN, "message": words}, separators=(",", ":")).encode()
    websocket = scope["type"] == "websocket"
    if websocket and "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close"})
        return
    kind = "websocket.http.response" if websocket else "http.response"
    headers = [(b"content-type", b"application/json")]
    await send({"type": f"{kind}.start", "status": 403, "headers": headers})
    await send({"type": f"{kind}.body", "body": body})


def available() -> bool:
    """Tell if python-socketio (extra ``socketio``) is installed."""
    try:
        _library()
    except ImportError:
        return False
    return True


def _library() -> Any:
    return import_module("socketio")
