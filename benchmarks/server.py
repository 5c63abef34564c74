"""A static HTTP/1.1 server in a process of its own: the other end of every benchmark.

It answers each request on a kept-alive connection with the same ``sendText`` answer and does
nothing else, so that the client under test is the bottleneck.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# The shape of a sendText answer as the recorded server gives it (facts/exchanges/message.json).
ANSWER = {
    "key": {
        "remoteJid": "5511987654321@s.whatsapp.net",
        "fromMe": True,
        "id": "3EB0C5A277F7F9B6C599",
    },
    "pushName": "",
    "status": "PENDING",
    "message": {"conversation": "hello"},
    "contextInfo": None,
    "messageType": "conversation",
    "messageTimestamp": 1760000000,
    "instanceId": "2f1c9d6e-6f0f-4f0a-9a3e-0b6f6a3b6c11",
    "source": "unknown",
}
BODY = json.dumps(ANSWER).encode()
PAYLOAD = (
    b"HTTP/1.1 201 Created\r\n"
    b"X-Powered-By: Express\r\n"
    b"Content-Type: application/json; charset=utf-8\r\n"
    b"Content-Length: " + str(len(BODY)).encode() + b"\r\n"
    b"Connection: keep-alive\r\n"
    b"Keep-Alive: timeout=5\r\n"
    b"\r\n" + BODY
)


class StaticServer(asyncio.Protocol):
    """Counts whole requests in what arrives and answers each."""

    def __init__(self) -> None:
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            length = _content_length(self._buffer[:end])
            if len(self._buffer) < end + 4 + length:
                return
            self._buffer = self._buffer[end + 4 + length :]
            self._transport.write(PAYLOAD)


def _content_length(head: bytes) -> int:
    lower = head.lower()
    start = lower.find(b"content-length:")
    return int(lower[start + 15 :].split(b"\r\n", 1)[0]) if start >= 0 else 0


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(StaticServer, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)  # until the parent closes the pipe


@contextmanager
def running_server() -> Iterator[str]:
    """Start the server in another process and give its base URL."""
    process = subprocess.Popen(
        [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.communicate()


if __name__ == "__main__":
    asyncio.run(_serve())
