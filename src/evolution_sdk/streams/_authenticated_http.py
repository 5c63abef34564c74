"""The HTTP of a socket: its requests carry the key, so that none may be led elsewhere."""

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
_GOODBYE_S = 0.5


@dataclass(slots=True)
class LastAnswer:
    """The answer that explains a failed attempt; nothing of any body.

    Attributes:
        status: The last HTTP status.
        redirect: The origin that the last request was to be led to; None for none.
    """

    status: int | None = None
    redirect: str | None = None


@dataclass(frozen=True, slots=True)
class CompleteAnswer:
    """An answer whose body is here, as engine.io reads it.

    Attributes:
        status: The HTTP status.
        body: All of it.
    """

    status: int
    body: bytes = field(repr=False)
    _broken: type[Exception] = field(repr=False, default=ValueError)

    async def read(self) -> bytes:
        """The body."""
        return self.body

    async def json(self) -> Any:
        """The body as JSON.

        Raises:
            aiohttp.ClientPayloadError: It is none; the kind of error that engine.io expects.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise self._broken("the body is no JSON") from None


class AuthenticatedHttp:
    """The HTTP session of engine.io: one that follows no redirect on any transport.

    A body is read where a request is made: engine.io expects errors there alone, and closes its
    session before it reads what a refusal says.

    Args:
        aiohttp: The library.
        most_bytes: Most bytes of one answer or message; larger ones end the connection.

    Attributes:
        seen: What the server answered last.
    """

    def __init__(self, aiohttp: Any, most_bytes: int = MOST_BYTES) -> None:
        self.seen: LastAnswer = LastAnswer()
        self._aiohttp = aiohttp
        self._most = most_bytes
        self._sockets: list[Any] = []
        # The one place that every redirect passes, the websocket's handshake included, which
        # offers no option against them.
        trace = aiohttp.TraceConfig()
        trace.on_request_redirect.append(self._redirected)
        self._http = aiohttp.ClientSession(trace_configs=[trace])

    @property
    def closed(self) -> bool:
        """True if it is closed."""
        return bool(self._http.closed)

    @property
    def cookie_jar(self) -> Any:
        """The cookies, by which load balancers find the same server again."""
        return self._http.cookie_jar

    async def get(self, url: str, **options: Any) -> CompleteAnswer:
        """Ask, and read the answer.

        Args:
            url: Where.
            **options: As of aiohttp.

        Raises:
            aiohttp.ClientError: There is no whole answer, or it is a redirect or too large.
        """
        return await self._asked(self._http.get(url, **options))

    async def post(self, url: str, **options: Any) -> CompleteAnswer:
        """Send, and read the answer; as :meth:`get`.

        Args:
            url: Where.
            **options: As of aiohttp.
        """
        return await self._asked(self._http.post(url, **options))

    async def ws_connect(self, url: str, **options: Any) -> Any:
        """Open a websocket.

        Args:
            url: Where.
            **options: As of aiohttp.

        Raises:
            aiohttp.ClientError: It was refused, or led elsewhere.
        """
        options.setdefault("max_msg_size", self._most)
        try:
            socket = await self._http.ws_connect(url, **options)
        except self._aiohttp.WSServerHandshakeError as refused:
            self.seen.status = refused.status
            raise
        self._sockets.append(socket)
        return socket

    async def close(self) -> None:
        """Close every connection; engine.io forgets websockets on which it met nonsense."""
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
        response.close()
        raise self._aiohttp.ClientConnectionError("the server redirects")


def _origin(asked: Any, location: str) -> str:
    """Scheme and host that a redirect leads to; its path and query may hold the key."""
    try:
        return str(asked.join(type(asked)(location)).origin())
    except (ValueError, TypeError):
        return "an address that is none"
