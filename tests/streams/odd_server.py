"""A hostile socket.io server on raw sockets: it answers each request with bytes of our choice."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

OPEN = b'0{"sid":"s1","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}'
UPGRADES = OPEN.replace(b'"upgrades":[]', b'"upgrades":["websocket"]')
JOINED = b'40{"sid":"n1"}'

Pieces = list[bytes]
"""What is written, each piece in a segment of its own; afterwards the connection is closed."""


@dataclass
class Asked:
    """One request as it came."""

    line: str
    headers: dict[str, str]

    @property
    def upgrade(self) -> bool:
        return "upgrade" in self.headers

    @property
    def poll(self) -> bool:
        """Whether it polls an open connection."""
        return self.line.startswith("GET") and "sid=" in self.line and not self.upgrade


@dataclass
class Odd:
    """The server: what it was asked, and where it is."""

    answer: Callable[[Asked, int], Pieces]
    asked: list[Asked] = field(default_factory=list[Asked])
    port: int = 0
    polls: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            pairs = (line.split(": ", 1) for line in head[1:] if ": " in line)
            asked = Asked(head[0], {name.lower(): value for name, value in pairs})
            self.asked.append(asked)
            if length := int(asked.headers.get("content-length", 0)):
                await reader.readexactly(length)
            if "sid=" not in asked.line:
                self.polls = 0
            pieces = self.answer(asked, self.polls)
            self.polls += asked.poll
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.01)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


def http(body: bytes, status: str = "200 OK", kind: str = "text/plain", cut: int = 0) -> bytes:
    """An answer; ``cut`` bytes of what its length promises are missing."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body) + cut}\r\n"
    return head.encode() + b"Connection: close\r\n\r\n" + body


def switched(asked: Asked, accept: str | None = None) -> bytes:
    """The answer to a websocket's handshake; ``accept`` replaces the right proof."""
    key = asked.headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    right = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
    proof = f"Sec-WebSocket-Accept: {right if accept is None else accept}\r\n"
    head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    return (head + (proof if accept != "" else "") + "\r\n").encode()


def frame(data: bytes, opcode: int = 1) -> bytes:
    """One unmasked frame of at most 125 bytes."""
    return bytes([0x80 | opcode, len(data)]) + data


@asynccontextmanager
async def odd_server(answer: Callable[[Asked, int], Pieces]) -> AsyncIterator[Odd]:
    odd = Odd(answer)
    server = await asyncio.start_server(odd.serve, "127.0.0.1", 0)
    odd.port = server.sockets[0].getsockname()[1]
    try:
        yield odd
    finally:
        server.close()
