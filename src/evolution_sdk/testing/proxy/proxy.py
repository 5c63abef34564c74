"""FaultProxy: the faults of FakeEvolution in front of any server, also a real one."""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections.abc import Awaitable, Callable
from typing import Self

import httpx

from evolution_sdk._base.network import check_host
from evolution_sdk._common.arguments import checked
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.testing.fake.faults import BEFORE, Fault, FaultKind, Faults
from evolution_sdk.testing.fake.records import SeenRequest
from evolution_sdk.testing.fake.reply import Cut, Reply

from .connection import Head, ReadBody, end_to_end
from .routes import UNKNOWN, operation_of
from .server import Listener

_IDLE_S = 2.0  # below the 5 s after which Node closes: a reused connection must not fail
_MS = 1_000


@checked()
class FaultProxy:
    """An HTTP proxy on 127.0.0.1 that fails on demand, in front of a server of your choice.

    ::

        with FaultProxy("http://127.0.0.1:8080", seed=1) as proxy:
            proxy.faults.add("message.send_text", "answer_then_drop", probability=0.2)
            client = EvolutionClient(proxy.url, "secret", instance="sales")

    It really cuts connections: ``refuse`` resets the connection before the body is read (a
    listening socket cannot refuse), ``drop`` closes it with the request read and not passed on,
    ``answer_then_drop`` passes it on, reads the whole answer, and closes. ``delay`` really
    waits. A server that cannot be reached, or that cuts its own connection, is passed on as a
    cut connection. Requests and answers are read whole before they are passed on, with their
    headers, the key among them, as they are; nothing of them is kept or logged. WebSockets are
    not served.

    Args:
        target_url: Base URL of the server, ``http`` or ``https``; user and password in it are
            for basic authentication.
        seed: Seed of fault probabilities: the same seed and order of requests repeat the faults.
        sleep: Awaits some seconds, like ``asyncio.sleep``; for ``delay``.
        verify: Whether the certificate of an ``https`` target is checked; an ``ssl.SSLContext``
            checks it against its own authorities.
        port: Port to listen on; 0 takes a free one.

    Attributes:
        faults: Failures to inject; see :meth:`Faults.add`. ``unknown`` is any route that is
            not in ``evolution_sdk.OPERATIONS``.

    Raises:
        ConfigurationError: The target is not an HTTP URL.
    """

    def __init__(
        self,
        target_url: str,
        *,
        seed: int = 0,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        verify: bool | ssl.SSLContext = True,
        port: int = 0,
    ) -> None:
        given = httpx.URL(target_url)
        self._auth = httpx.BasicAuth(given.username, given.password) if given.userinfo else None
        self._target = given.copy_with(username=None, password=None)  # httpx logs it
        if self._target.scheme not in ("http", "https") or not self._target.host:
            raise ConfigurationError(
                "FaultProxy needs the server's base URL, such as http://127.0.0.1:8080.",
                variable="target_url",
            )
        self._prefix = self._target.raw_path.decode("ascii").partition("?")[0].rstrip("/")
        self._sleep = sleep
        self._verify = verify
        self._port = port
        self._seen: list[SeenRequest] = []
        self._http: httpx.AsyncClient | None = None
        self._listener: Listener | None = None
        self._url: str | None = None
        self.faults: Faults = Faults(random.Random(seed))  # noqa: S311 - chance of faults

    def __repr__(self) -> str:
        target = f"{self._target.scheme}://{self._target.netloc.decode('ascii')}{self._prefix}"
        return f"FaultProxy(target_url={target!r}, url={self._url!r})"

    @property
    def url(self) -> str:
        """Base URL to give to the client, instead of the server's.

        Raises:
            RuntimeError: The proxy is not running.
        """
        if self._url is None:
            raise RuntimeError("The proxy does not run: use it as 'with FaultProxy(...) as proxy'.")
        return self._url

    @property
    def seen(self) -> list[SeenRequest]:
        """Every request so far in the order they were finished, with the fault that struck."""
        return list(self._seen)

    def __enter__(self) -> Self:
        if self._listener is not None:
            raise RuntimeError("The proxy runs already.")
        # The pytest plugin keeps tests away from real servers; the proxy must not lead around it.
        check_host(self._target.host)
        self._http = httpx.AsyncClient(
            auth=self._auth,
            verify=self._verify,
            timeout=None,  # noqa: S113 - how long to wait is the client's decision
            trust_env=False,  # a proxy in the environment would stand between, and fail on its own
            limits=httpx.Limits(max_keepalive_connections=100, keepalive_expiry=_IDLE_S),
        )
        listener = Listener(self._answer, self._port, self._http.aclose)
        self._url = f"http://127.0.0.1:{listener.start()}"
        self._listener = listener
        return self

    def __exit__(self, *_: object) -> None:
        listener, self._listener, self._url = self._listener, None, None
        if listener is not None:
            listener.stop()

    async def _answer(self, head: Head, read_body: ReadBody) -> Reply:
        at = time.time() * _MS
        operation, instance = operation_of(head.method, head.target)
        fault = self.faults.draw(operation or UNKNOWN, instance)
        # For the record: the task may be cancelled before it has an answer.
        reply = Reply(0, cut=Cut.DROP)
        try:
            reply = await self._strike(fault, head, read_body)
        finally:
            status = reply.status if reply.cut is Cut.NONE else None
            kind = fault.kind.value if fault else None
            self._seen.append(
                SeenRequest(head.method, head.target, operation, instance, status, kind, at)
            )
        return reply

    async def _strike(self, fault: Fault | None, head: Head, read_body: ReadBody) -> Reply:
        """Answer a request, with the fault in it."""
        if fault is not None and fault.kind in BEFORE:
            # A drop comes after the request has arrived, a refusal before.
            if fault.kind is not FaultKind.REFUSE:
                await read_body()
            return fault.strike(Reply(0))
        reply = await self._forward(head, await read_body())
        # A server that cut its connection has no answer for a fault to change.
        if fault is None or reply.cut is not Cut.NONE:
            return reply
        # The length of a HEAD answer stands for a body that is not there; else the body's counts.
        struck = fault.strike(reply)
        if struck.hold_ms:
            await self._sleep(struck.hold_ms / _MS)
        return struck

    async def _forward(self, head: Head, body: bytes) -> Reply:
        """Pass a request on to the server, and read its whole answer."""
        assert self._http is not None  # noqa: S101 - made before the listener
        # The host is the target's, not the proxy's; everything else passes unchanged.
        headers = [(name, value) for name, value in head.headers if name.lower() != b"host"]
        target = self._prefix + head.target
        request = httpx.Request(
            head.method,
            self._target,
            headers=headers,
            content=body or None,
            # As received, not as httpx would write it.
            extensions={"target": target.encode("latin-1")},
        )
        try:
            answer = await self._http.send(request, stream=True)
            try:
                # Raw, so that a compressed body stays as the server sent it.
                content = b"".join([part async for part in answer.aiter_raw()])
            finally:
                await answer.aclose()
        # To the client a server that cannot be reached looks like one that hangs up.
        except httpx.HTTPError:
            return Reply(0, cut=Cut.DROP)
        passed = [
            (name.decode("latin-1").lower(), value.decode("latin-1"))
            for name, value in end_to_end(answer.headers.raw)
        ]
        length = answer.headers.get("content-length")
        if head.method == "HEAD" and length is not None:
            passed.append(("content-length", length))
        return Reply(answer.status_code, tuple(passed), content)
