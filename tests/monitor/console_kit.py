"""A hand-made ASGI server for the console: requests, and pages that listen."""

from __future__ import annotations

import asyncio
import json
from typing import Any

TOKEN = "a-token-of-24-characters"
BEARER = {"authorization": f"Bearer {TOKEN}"}
PAGE = {"x-evolution-console": "1", "host": "console.test", "origin": "http://console.test"}


class Answer:
    """What came back."""

    def __init__(self, messages: list[dict[str, Any]]) -> None:
        self.status: int = messages[0]["status"]
        self.headers = {name.decode(): value.decode() for name, value in messages[0]["headers"]}
        self.body = b"".join(message.get("body", b"") for message in messages[1:])

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def scope_of(
    method: str,
    path: str,
    headers: dict[str, str] | None = None,
    *,
    root: str = "",
    address: str = "192.0.2.1",
    scheme: str = "http",
) -> dict[str, Any]:
    return {
        "type": "http",
        "method": method,
        "path": path,
        "root_path": root,
        "scheme": scheme,
        "headers": [(name.encode(), value.encode()) for name, value in (headers or {}).items()],
        "client": (address, 50_000),
    }


async def ask(
    app: Any,
    method: str,
    path: str,
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    **more: Any,
) -> Answer:
    """Make one request."""
    messages: list[dict[str, Any]] = []
    left = [{"type": "http.request", "body": body}]

    async def receive() -> Any:
        return left.pop() if left else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        messages.append(message)

    await app(scope_of(method, path, headers, **more), receive, send)
    return Answer(messages)


async def act(app: Any, headers: dict[str, str] | None = None, **asked: Any) -> Answer:
    """Ask for an action as the page does."""
    named = {**BEARER, **PAGE, **(headers or {})}
    return await ask(app, "POST", "/api/actions", named, json.dumps(asked).encode())


class OpenPage:
    """A page that listens; it reads what it is sent, unless it is stuck."""

    def __init__(self, app: Any, headers: dict[str, str] | None = None) -> None:
        self.parts: list[bytes] = []
        self.status: int | None = None
        self.reads = asyncio.Event()
        self.reads.set()
        self._gone = asyncio.Event()
        scope = scope_of("GET", "/api/stream", BEARER if headers is None else headers)
        self.task = asyncio.ensure_future(app(scope, self._receive, self._send))

    async def _receive(self) -> Any:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        await self.reads.wait()
        self.parts.append(message.get("body", b""))

    @property
    def events(self) -> list[tuple[str, Any]]:
        """The events so far, by name."""
        found: list[tuple[str, Any]] = []
        for block in b"".join(self.parts).decode().split("\n\n"):
            fields = dict(
                line.split(": ", 1) for line in block.splitlines() if not line.startswith(":")
            )
            if "data" in fields:
                found.append((fields["event"], json.loads(fields["data"])))
        return found

    async def leave(self) -> None:
        self._gone.set()
        await self.task


async def settle(turns: int = 20) -> None:
    """Let everything run that can."""
    for _ in range(turns):
        await asyncio.sleep(0)
