"""A scripted server on raw sockets, for the failures a real server library would never produce."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


class Wire:
    """One connection, seen from the server."""

    def __init__(self, sock: socket.socket, number: int) -> None:
        self.sock = sock
        self.number = number
        self._rest = b""

    def read_request(self) -> bytes:
        """The next whole request, head and body; empty when the client has gone."""
        data = self._rest
        while b"\r\n\r\n" not in data:
            more = self.sock.recv(65536)
            if not more:
                return b""
            data += more
        head, _, rest = data.partition(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        while len(rest) < length:
            more = self.sock.recv(65536)
            if not more:
                return b""
            rest += more
        self._rest = rest[length:]
        return head + b"\r\n\r\n" + rest[:length]

    def answer(self, body: bytes = b"{}", *headers: str, status: str = "200 OK") -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
        self.sock.sendall("\r\n".join(lines).encode() + body)

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


Script = Callable[["ScriptedServer", Wire], None]


@dataclass
class ScriptedServer:
    """Runs its script on every connection, each in a thread; records the requests."""

    script: Script
    tls: ssl.SSLContext | None = None
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    open_now: int = 0
    most_open: int = 0
    arrived: threading.Event = field(default_factory=threading.Event)
    closed: threading.Event = field(default_factory=threading.Event)
    release: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._lock = threading.Lock()
        self._wires: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.port: int = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def note(self, request: bytes) -> None:
        with self._lock:
            self.requests.append(request)
        self.arrived.set()

    async def first_request(self) -> None:
        """Wait until a request has been read."""
        await asyncio.to_thread(self.arrived.wait, 5)

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                self.open_now += 1
                self.most_open = max(self.most_open, self.open_now)
                self._wires.append(sock)
                thread = threading.Thread(
                    target=self._run, args=(sock, self.connections), daemon=True
                )
                self._threads.append(thread)
            thread.start()

    def _run(self, sock: socket.socket, number: int) -> None:
        try:
            if self.tls is not None:
                sock = self.tls.wrap_socket(sock, server_side=True)
                with self._lock:
                    self._wires.append(sock)
            self.script(self, Wire(sock, number))
        except OSError:
            pass
        finally:
            sock.close()
            with self._lock:
                self.open_now -= 1
            self.closed.set()

    def stop(self) -> None:
        self.release.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join(5)
        for sock in self._wires:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        for sock in self._wires:
            sock.close()


@contextlib.contextmanager
def scripted(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[ScriptedServer]:
    server = ScriptedServer(script, tls)
    try:
        yield server
    finally:
        server.stop()


def serve(server: ScriptedServer, wire: Wire) -> None:
    """Answer every request with ``{}``."""
    while request := wire.read_request():
        server.note(request)
        wire.answer()


def serve_once_then_close(server: ScriptedServer, wire: Wire) -> None:
    """Answer one request as if to keep the connection, then close it."""
    server.note(wire.read_request())
    wire.answer()


def swallow(server: ScriptedServer, wire: Wire) -> None:
    """Read the request and close without a word."""
    server.note(wire.read_request())


def swallow_and_reset(server: ScriptedServer, wire: Wire) -> None:
    server.note(wire.read_request())
    wire.reset()


def half_an_answer(server: ScriptedServer, wire: Wire) -> None:
    server.note(wire.read_request())
    wire.sock.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 1000\r\n\r\n{")


def garbage(server: ScriptedServer, wire: Wire) -> None:
    server.note(wire.read_request())
    wire.sock.sendall(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")


def silence(server: ScriptedServer, wire: Wire) -> None:
    """Read the request and hold the connection."""
    server.note(wire.read_request())
    server.release.wait(10)


def deaf(server: ScriptedServer, wire: Wire) -> None:
    """Not even read."""
    del wire
    server.release.wait(10)


def head_of(request: bytes) -> tuple[str, dict[str, str]]:
    """The request line, and the headers by lower-case name."""
    line, _, rest = request.partition(b"\r\n\r\n")[0].decode("latin-1").partition("\r\n")
    pairs = (item.partition(":") for item in rest.split("\r\n"))
    return line, {name.lower(): value.strip() for name, _, value in pairs}
