"""A client of either colour in front of a fake server, sharing one clock; and what it received."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from evolution_sdk import EvolutionConfig
from evolution_sdk._base.request import Request, Response
from evolution_sdk.testing import FakeEvolution
from evolution_sdk.testing.fake.multipart import UploadedFile, parse_multipart

from .conftest import KEY, FakeTime, Kit

NUMBER = "5511987654321"
JID = f"{NUMBER}@s.whatsapp.net"
BAILEYS, BUSINESS, EVOLUTION = "WHATSAPP-BAILEYS", "WHATSAPP-BUSINESS", "EVOLUTION"
CHANNELS = (BAILEYS, BUSINESS, EVOLUTION)


class SharedClock:
    """The fake's clock, on the client's time: whoever waits, both see it."""

    def __init__(self, time: FakeTime) -> None:
        self._time = time

    def now_ms(self) -> float:
        return self._time.now * 1_000

    def advance(self, ms: float) -> None:
        self._time.now += ms / 1_000


@dataclass(frozen=True)
class Arrived:
    """One request as it arrived at the fake, undecoded."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    at: float

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def is_multipart(self) -> bool:
        return self.headers.get("content-type", "").startswith("multipart/form-data")

    @property
    def json(self) -> Any:
        assert not self.is_multipart
        return json.loads(self.body)

    @property
    def form(self) -> tuple[dict[str, Any], UploadedFile]:
        fields, file = parse_multipart(self.body, self.headers["content-type"])
        assert file is not None
        return fields, file


class Stage:
    """A fake server with its clients."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self.arrived: list[Arrived] = []
        self.fake = self.new_fake()

    def new_fake(self, **options: Any) -> FakeEvolution:
        """Take another fake instead, with options of its own."""
        fake = FakeEvolution(api_key=KEY, clock=SharedClock(self.kit.time), **options)
        handle = fake.kernel.handle

        def watched(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Any:
            lower = {name.lower(): value for name, value in headers.items()}
            self.arrived.append(Arrived(method, target, lower, body, self.kit.time.now))
            self.before(method, target)
            return handle(method, target, headers, body)

        fake.kernel.handle = watched  # type: ignore[method-assign]  # a spy around the real one
        self.fake = fake
        return fake

    def before(self, method: str, target: str) -> None:
        """Called before each request is handled; tests replace it to change the world."""

    @property
    def http(self) -> Any:
        """An in-process HTTP client of the kit's colour."""
        colour = self.kit.colour
        return self.fake.async_http_client() if colour == "async" else self.fake.http_client()

    def client(self, **options: Any) -> Any:
        """A client that reaches the fake in-process."""
        options.setdefault("http_client", self.http)
        return self.kit.client(stub=False, **options)

    @asynccontextmanager
    async def served(self, *, media: Any = None, **options: Any) -> AsyncIterator[Any]:
        """A client of the default transport, over real HTTP; closed at the end."""
        with self.fake.serve() as fake:
            options.setdefault("config", EvolutionConfig(fake.url, KEY, media=media))
            client = self.kit.client(stub=False, **options)
            try:
                yield client
            finally:
                await self.kit.run(client.close())

    def open_instance(self, channel: str = BAILEYS, name: str = "sales") -> None:
        """An instance that can send, on any channel."""
        number = "123456789012345" if channel == BUSINESS else None
        self.fake.create_instance(name, integration=channel, state="open", number=number)

    @property
    def last(self) -> Arrived:
        return self.arrived[-1]

    def sends(self) -> list[Arrived]:
        """The sends that arrived, acted upon or not."""
        return [seen for seen in self.arrived if seen.path.startswith("/message/")]


class Spy:
    """Passes on to a transport and keeps the requests it was given."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.requests: list[Request] = []

    def send(self, request: Request) -> Response:
        self.requests.append(request)
        result: Response = self.inner.send(request)
        return result


def spy_on(client: Any) -> Spy:
    """Put a spy before the client's transport."""
    inner = client._pipeline.parts.transport
    spy = Spy(SimpleNamespace(send=inner.send))
    inner.send = spy.send
    return spy
