"""The HTTP of a socket: its requests carry the key, so that no redirect is followed."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

MOST_BYTES = 64 * 1024 * 1024
"""Most bytes of one answer to a poll, and of one message of a websocket."""

_CHUNK = 64 * 1024
# A websocket's farewell waits for the other side, which may be gone.
_GOODBYE_S = 0.5


@dataclass(slots=True)
class LastAnswer:
    """The last answer, for the explanation of a failed attempt; nothing of any body.

    Attributes:
        status: The last HTTP status.
        redirect: Origin to which the last request was redirected; None without a redirect.
    """

    status: int | None = None
    redirect: str | None = None


@dataclass(frozen=True, slots=True)
class CompleteAnswer:
    """An answer with its whole body, in the form that engine.io reads.

    Attributes:
        status: The HTTP status.
        body: The whole body.
    """

    status: int
    body: bytes = field(repr=False)
    _broken: type[Exception] = field(repr=False, default=ValueError)

    async def read(self) -> bytes:
        """Return the body."""
        return self.body

    async def json(self) -> Any:
        """Return the body as JSON.

        Raises:
            aiohttp.ClientPayloadError: It is no JSON; the kind of error that engine.io expects.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise self._broken("the body is no JSON") from None


class AuthenticatedHttp:
    """The HTTP session of engine.io: one that follows no redirect on any transport.

    A body is read when the request is made. engine.io expects errors only there, and closes its
    session before it reads the body of a refusal.

    Args:
        aiohttp: The library.
        most_bytes: Most bytes of one answer or message; larger ones end the connection.

    Attributes:
        seen: The last answer of the server.
    """

    def __init__(self, aiohttp: Any, most_bytes: int = MOST_BYTES) -> None:
        self.seen: LastAnswer = LastAnswer()
        self._aiohttp = aiohttp
        self._most = most_bytes
        self._sockets: list[Any] = []
        # Every redirect passes here, also one of the websocket's handshake, which has no option
        # against them.
        trace = aiohttp.TraceConfig()
        trace.on_request_redirect.append(self._redirected)
        self._http = aiohttp.ClientSession(trace_configs=[trace])

    @property
    def closed(self) -> bool:
        """True once it is closed."""
        return bool(self._http.closed)

    @property
    def cookie_jar(self) -> Any:
        """The cookies, by which a load balancer finds the same server again."""
        return self._http.cookie_jar

    async def get(self, url: str, **options: Any) -> CompleteAnswer:
        """Make a GET request and read the answer.

        Args:
            url: The address.
            **options: As of aiohttp.

        Raises:
            aiohttp.ClientError: There is no whole answer, or it is a redirect or too large.
        """
        return await self._asked(self._http.get(url, **options))

    async def post(self, url: str, **options: Any) -> CompleteAnswer:
        """Make a POST request and read the answer; as :meth:`get`.

        Args:
            url: The address.
            **options: As of aiohttp.
        """
        return await self._asked(self._http.post(url, **options))

    async def ws_connect(self, url: str, **options: Any) -> Any:
        """Open a websocket.

        Args:
            url: The address.
            **options: As of aiohttp.

        Raises:
            aiohttp.ClientError: It was refused or redirected.
        """
        # Without it, aiohttp would end the connection at 4 MiB, less than an event with a file.
        options.setdefault("max_msg_size", self._most)
        try:
            socket = await self._http.ws_connect(url, **options)
        except self._aiohttp.WSServerHandshakeError as refused:
            self.seen.status = refused.status
            raise
        self._sockets.append(socket)
        return socket

    async def close(self) -> None:
        """Close every connection, also websockets that engine.io forgot after bad packets."""
        try:
            for each in self._sockets:
                with contextlib.suppress(Exception):
                    async with asyncio.timeout(_GOODBYE_S):
                        await each.close()
        finally:
            await self._http.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def _asked(self, request: Any) -> CompleteAnswer:
        broken = self._aiohttp.ClientPayloadError
        async with request as response:
            self.seen.status = response.status
            # Chunk by chunk: Content-Length may be missing, or wrong.
            body = bytearray()
            async for chunk in response.content.iter_chunked(_CHUNK):
                body += chunk
                if len(body) > self._most:
                    raise broken(f"the answer is larger than {self._most} bytes")
            return CompleteAnswer(response.status, bytes(body), broken)

    async def _redirected(self, _session: Any, _context: Any, params: Any) -> None:
        response = params.response
        self.seen.status = response.status
        self.seen.redirect = _origin(response.url, response.headers.get("Location", ""))
        # Closed before it is followed: the next request would carry the key to another host.
        response.close()
        raise self._aiohttp.ClientConnectionError("the server redirects")


def _origin(asked: Any, location: str) -> str:
    """Return scheme and host of a redirect's target; its path and query may hold the key."""
    try:
        return str(asked.join(type(asked)(location)).origin())
    except (ValueError, TypeError):
        return "an address that is none"
