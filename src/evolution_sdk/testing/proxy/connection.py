"""One connection of a client: HTTP/1.1 in, whole answers or none out."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeAlias

import h11

from evolution_sdk.testing.fake.reply import Cut, Reply

Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]

_READ_BYTES = 65_536
# Linger for no time: closing then resets the connection instead of ending it.
_NO_LINGER = struct.pack("ii", 1, 0)
# Headers of one connection, not of the message; h11 and httpx write their own.
_HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"content-length",
        b"keep-alive",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)


@dataclass(frozen=True, slots=True)
class Head:
    """A request without its body.

    Attributes:
        method: HTTP verb.
        target: Path with query, as received.
        headers: The end-to-end headers, as received.
    """

    method: str
    target: str
    headers: Headers


ReadBody: TypeAlias = Callable[[], Awaitable[bytes]]
Answer: TypeAlias = Callable[[Head, ReadBody], Awaitable[Reply]]


class GoneError(Exception):
    """The connection is over: the client went away, or a fault cuts it."""


def end_to_end(headers: Any) -> Headers:
    """Leave out the headers that concern one connection only."""
    return tuple((name, value) for name, value in headers if name.lower() not in _HOP_BY_HOP)


class Connection:
    """Serves one connection until either side ends it.

    Args:
        reader: Stream of bytes from the client.
        writer: Stream of bytes to the client.
        answer: Answers one request; reads its body when it wants to.
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: Answer
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._answer = answer
        self._http = h11.Connection(h11.SERVER)

    async def serve(self) -> None:
        """Answer request after request."""
        try:
            while await self._one():
                self._http.start_next_cycle()
            self._writer.close()  # what is written still goes out
            await self._writer.wait_closed()
        # All of these end the connection, and no other: the proxy serves the next one.
        except (GoneError, OSError, h11.ProtocolError):
            pass
        finally:
            # Without effect on a connection that was closed in order.
            self._writer.transport.abort()

    async def _one(self) -> bool:
        """Answer one request; False when the connection is over."""
        event = await self._next()
        if not isinstance(event, h11.Request):
            return False
        method = event.method.decode("ascii")
        head = Head(method, event.target.decode("latin-1"), end_to_end(event.headers.raw_items()))
        reply = await self._answer(head, self._body)
        if reply.cut is not Cut.NONE:
            # A listening socket cannot refuse; a reset before the body is read comes nearest.
            if reply.cut is Cut.REFUSE:
                raw: Any = self._writer.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            raise GoneError
        # A fault may have answered without reading; what is left would be the next request.
        await self._body()
        await self._send(reply, method)
        # Both sides must be ready for another request; else the connection is used up.
        return self._http.our_state is h11.DONE and self._http.their_state is h11.DONE

    async def _body(self) -> bytes:
        received = bytearray()
        while self._http.their_state is h11.SEND_BODY:
            event = await self._next()
            if isinstance(event, h11.Data):
                received += event.data
        return bytes(received)

    async def _next(self) -> Any:
        while True:
            event = self._http.next_event()
            if event is not h11.NEED_DATA:
                # The client left between two requests: the ordinary end.
                if isinstance(event, h11.ConnectionClosed):
                    raise GoneError
                return event
            # Some clients send a large body only after they were asked to.
            if self._http.they_are_waiting_for_100_continue:
                await self._write(h11.InformationalResponse(status_code=100, headers=[]))
            self._http.receive_data(await self._reader.read(_READ_BYTES))

    async def _send(self, reply: Reply, method: str) -> None:
        headers = [
            (name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers
        ]
        # These have no body and no length; HEAD has a length but no body.
        bodiless = reply.status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
        if not bodiless and not any(name == b"content-length" for name, _ in headers):
            headers.append((b"content-length", str(len(reply.body)).encode()))
        events: list[Any] = [h11.Response(status_code=reply.status, headers=headers)]
        if reply.body and method != "HEAD" and not bodiless:
            events.append(h11.Data(data=reply.body))
        # Written at once, so that an answer leaves in as few segments as possible.
        await self._write(*events, h11.EndOfMessage())

    async def _write(self, *events: Any) -> None:
        http: Any = self._http  # the stubs of h11 leave what send returns open
        self._writer.write(b"".join(http.send(event) or b"" for event in events))
        await self._writer.drain()
