"""Transport of httpx clients that calls the kernel directly: no socket, no thread, no sleep."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import anyio
import httpx

from .kernel import Kernel
from .reply import Cut, Reply

BASE_URL = "http://fake-evolution.test"


@dataclass(frozen=True, slots=True)
class _Outcome:
    """The answer or error that the caller gets, and after how many milliseconds."""

    wait_ms: float
    error: httpx.TransportError | None
    reply: Reply


def _decide(reply: Reply, request: httpx.Request) -> _Outcome:
    """Weigh the answer's hold against the caller's read timeout."""
    # A refusal comes at once, before any hold of an answer that was never made.
    if reply.cut is Cut.REFUSE:
        refused = httpx.ConnectError("[Errno 111] Connection refused", request=request)
        return _Outcome(0, refused, reply)
    timeouts: dict[str, Any] = request.extensions.get("timeout", {})
    read = timeouts.get("read")
    # The caller gives up at its read time-out, while the server has acted already.
    if read is not None and reply.hold_ms > read * 1000:
        late = httpx.ReadTimeout("The read operation timed out", request=request)
        return _Outcome(read * 1000, late, reply)
    if reply.cut is Cut.DROP:
        # The words of httpx itself, because error mappings may look at them.
        gone = "Server disconnected without sending a response."
        return _Outcome(reply.hold_ms, httpx.RemoteProtocolError(gone, request=request), reply)
    return _Outcome(reply.hold_ms, None, reply)


def _ask(kernel: Kernel, request: httpx.Request, body: bytes) -> _Outcome:
    target = request.url.raw_path.decode("ascii")
    return _decide(kernel.handle(request.method, target, request.headers, body), request)


class InProcessTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Transport of blocking and asynchronous clients alike.

    Args:
        kernel: Answers the requests.
        real_delays: Really wait instead of moving the clock.
    """

    def __init__(self, kernel: Kernel, *, real_delays: bool = False) -> None:
        self._kernel = kernel
        self._real_delays = real_delays

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a blocking client, or fail as the network would."""
        outcome = _ask(self._kernel, request, request.read())
        if self._real_delays:
            time.sleep(outcome.wait_ms / 1000)
        return self._finish(outcome, request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer an asynchronous client, or fail as the network would."""
        outcome = _ask(self._kernel, request, await request.aread())
        if self._real_delays:
            await anyio.sleep(outcome.wait_ms / 1000)
        return self._finish(outcome, request)

    def _finish(self, outcome: _Outcome, request: httpx.Request) -> httpx.Response:
        if not self._real_delays:
            # After the answer is made: handlers saw the time at which the request arrived.
            self._kernel.server.clock.advance(outcome.wait_ms)
        if outcome.error is not None:
            raise outcome.error
        reply = outcome.reply
        headers = list(reply.headers)
        return httpx.Response(reply.status, headers=headers, content=reply.body, request=request)
