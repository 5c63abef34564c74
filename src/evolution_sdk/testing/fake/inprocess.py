"""httpx clients that call the kernel directly: no socket, no thread, no sleeping."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import anyio
import httpx

from .clock import Clock
from .kernel import Kernel
from .reply import Cut, Reply

BASE_URL = "http://fake-evolution.test"


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What the caller gets, and after how long."""

    wait_ms: float
    error: httpx.TransportError | None
    reply: Reply


def _decide(reply: Reply, request: httpx.Request) -> _Outcome:
    """Weigh the answer's hold against the caller's read timeout."""
    if reply.cut is Cut.REFUSE:
        refused = httpx.ConnectError("[Errno 111] Connection refused", request=request)
        return _Outcome(0, refused, reply)
    timeouts: dict[str, Any] = request.extensions.get("timeout", {})
    read = timeouts.get("read")
    if read is not None and reply.hold_ms > read * 1000:
        late = httpx.ReadTimeout("The read operation timed out", request=request)
        return _Outcome(read * 1000, late, reply)
    if reply.cut is Cut.DROP:
        gone = "Server disconnected without sending a response."
        return _Outcome(reply.hold_ms, httpx.RemoteProtocolError(gone, request=request), reply)
    return _Outcome(reply.hold_ms, None, reply)


def _ask(kernel: Kernel, request: httpx.Request, body: bytes) -> _Outcome:
    target = request.url.raw_path.decode("ascii")
    return _decide(kernel.handle(request.method, target, request.headers, body), request)


def _finish(outcome: _Outcome, request: httpx.Request) -> httpx.Response:
    if outcome.error is not None:
        raise outcome.error
    reply = outcome.reply
    return httpx.Response(
        reply.status, headers=list(reply.headers), content=reply.body, request=request
    )


class InProcessTransport(httpx.BaseTransport):
    """Blocking transport.

    Args:
        kernel: What answers.
        clock: What moves while an answer is held back.
        real_delays: Really wait instead of moving the clock.
    """

    def __init__(self, kernel: Kernel, clock: Clock, *, real_delays: bool = False) -> None:
        self._kernel = kernel
        self._clock = clock
        self._real = real_delays

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer, or fail as the network would."""
        outcome = _ask(self._kernel, request, request.read())
        if self._real:
            time.sleep(outcome.wait_ms / 1000)
        else:
            self._clock.advance(outcome.wait_ms)
        return _finish(outcome, request)


class AsyncInProcessTransport(httpx.AsyncBaseTransport):
    """Asynchronous transport.

    Args:
        kernel: What answers.
        clock: What moves while an answer is held back.
        real_delays: Really wait instead of moving the clock.
    """

    def __init__(self, kernel: Kernel, clock: Clock, *, real_delays: bool = False) -> None:
        self._kernel = kernel
        self._clock = clock
        self._real = real_delays

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer, or fail as the network would."""
        outcome = _ask(self._kernel, request, await request.aread())
        if self._real:
            await anyio.sleep(outcome.wait_ms / 1000)
        else:
            self._clock.advance(outcome.wait_ms)
        return _finish(outcome, request)
