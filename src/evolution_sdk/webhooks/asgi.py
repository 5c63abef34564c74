"""A receiver as an ASGI application; mounts in FastAPI, Starlette, Django and others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator, MutableMapping
from types import coroutine
from typing import Any, TypeAlias, cast

from .body import try_lower_headers
from .endpoint import Endpoint
from .responses import Answer, Response, respond

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class AsgiApp:
    """ASGI application of one receiver.

    Args:
        receiver: The receiver.
    """

    def __init__(self, receiver: Endpoint) -> None:
        self._receiver = receiver

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or follow the server's start and end."""
        if scope["type"] == "http":
            response = await self._answer(scope, receive)
            if response is not None:
                await _reply(send, response)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "websocket":
            # The protocol wants the connection read before it is closed: 1003, unsupported data.
            await receive()
            await send({"type": "websocket.close", "code": 1003})

    async def _answer(self, scope: Scope, receive: Receive) -> Response | None:
        receiver = self._receiver
        method, headers = scope["method"], try_lower_headers(scope["headers"])
        refused = receiver.judge_head(method, headers)
        if refused is not None:
            return receiver.answer(refused)
        # The room is held until the event is stored: what counts is the memory of all bodies.
        with receiver.budget.lease() as lease:
            reading = _read(receive, receiver.max_body_bytes, lease.add)
            # Most bodies came with their heads: no clock is set for what is here already.
            is_here, found = _first_step(reading)
            if is_here:
                body = cast("bytes | Answer | None", found)
            else:
                try:
                    async with asyncio.timeout(receiver.body_timeout_ms / 1_000):
                        body = await _go_on(reading, found)
                except TimeoutError:
                    return receiver.answer(Answer.SLOW_BODY)
            if body is None:
                return None  # nobody is there to read an answer
            if isinstance(body, Answer):
                return receiver.answer(body)
            return await receiver.handle_body_async(_target(scope), headers, body)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                try:
                    await self._receiver.start_async()
                except Exception as error:  # noqa: BLE001 - the protocol reports it
                    await send({"type": "lifespan.startup.failed", "message": str(error)})
                    return
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self._receiver.close_async()
                await send({"type": "lifespan.shutdown.complete"})
                return


def _first_step(reading: Coroutine[Any, Any, Any]) -> tuple[bool, object]:
    """Begin a coroutine here, up to its first wait.

    Returns:
        True and its result, or False and what it waits for, for :func:`_go_on`.
    """
    try:
        return False, reading.send(None)
    except StopIteration as done:
        return True, done.value


@coroutine
def _go_on(
    reading: Coroutine[Any, Any, bytes | Answer | None], waits_for: object
) -> Generator[Any, Any, bytes | Answer | None]:
    """Go on with a coroutine after :func:`_first_step`, as ``await`` would."""
    try:
        while True:
            try:
                told = yield waits_for
            except BaseException as error:  # noqa: BLE001 - a cancellation, which is the coroutine's
                waits_for = reading.throw(error)
            else:
                waits_for = reading.send(told)
    except StopIteration as done:
        return cast("bytes | Answer | None", done.value)


async def _read(
    receive: Receive, max_bytes: int, room: Callable[[int], bool]
) -> bytes | Answer | None:
    """Read the body, or one piece too much of it; None when the sender went away."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        part = message.get("body", b"")
        if not room(len(part)):
            return Answer.BUSY
        size += len(part)
        parts.append(part)
        if size > max_bytes or not message.get("more_body", False):
            return b"".join(parts)


def _target(scope: Scope) -> str:
    # As it was asked for: the decoded path loses a difference between "%2F" and "/".
    path = scope.get("raw_path") or str(scope["path"]).encode("utf-8", "surrogatepass")
    query = scope.get("query_string", b"")
    return (path + (b"?" + query if query else b"")).decode("latin-1")


async def _reply(send: Send, response: Response) -> None:
    status, headers, body = response
    ready = _READY.get(body)
    # Those of an answer of ours are encoded already. A list of its own: a middleware may add to it.
    named = list(ready[1]) if ready and ready[0] == headers else _encoded(headers)
    await send({"type": "http.response.start", "status": status, "headers": named})
    await send({"type": "http.response.body", "body": body})


def _encoded(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


_READY = {body: (headers, tuple(_encoded(headers))) for _, headers, body in map(respond, Answer)}
