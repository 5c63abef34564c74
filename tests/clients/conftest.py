"""Client tests are written once and run in both colours."""

from __future__ import annotations

import asyncio
import inspect
import json
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from evolution_sdk import AsyncEvolutionClient, EvolutionClient, EvolutionConfig, RetryPolicy
from evolution_sdk._base.request import Request, Response
from evolution_sdk.errors import EvolutionError
from evolution_sdk.retry import EvolutionRetryService

if TYPE_CHECKING:
    from .fake_stage import Stage

URL = "http://evolution.test:8080"
KEY = "global-key"


class FakeTime:
    """A clock that sleeping moves; nobody really sleeps."""

    def __init__(self) -> None:
        self.now = 1_795_447_889.0
        self.naps: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds

    async def async_sleep(self, seconds: float) -> None:
        self.sleep(seconds)


Answer = tuple[int, Any] | tuple[int, Any, dict[str, str]] | EvolutionError


class Stub:
    """A transport that answers from a script and remembers what it was asked."""

    def __init__(self, colour: str) -> None:
        self.colour = colour
        self.requests: list[Request] = []
        self.script: list[Answer] = []
        self.default: Answer = (200, {})
        self.closed = False

    def answer(self, *answers: Answer) -> None:
        self.script.extend(answers)

    def send(self, request: Request) -> Any:
        self.requests.append(request)
        answer = self.script.pop(0) if self.script else self.default
        if answer == (200, {}) and "/message/" in request.url:
            answer = (201, {})  # the status of a message taken, as every server answers
        return self._later(answer) if self.colour == "async" else self._now(answer)

    def _now(self, answer: Answer) -> Response:
        if isinstance(answer, EvolutionError):
            raise answer
        status, body, *rest = answer
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return Response(status, rest[0] if rest else {}, content)

    async def _later(self, answer: Answer) -> Response:
        return self._now(answer)

    def close(self) -> Any:
        self.closed = True
        return self._nothing() if self.colour == "async" else None

    async def _nothing(self) -> None:
        return None

    @property
    def last(self) -> Request:
        return self.requests[-1]

    @property
    def last_json(self) -> Any:
        assert self.last.content is not None
        return json.loads(self.last.content)


class World:
    """Time, sleep and transport of one client, handed to it as arguments; tests may change them."""

    def __init__(self, kit: Kit) -> None:
        self.wall: Callable[[], float] = kit.time
        self.mono: Callable[[], float] = kit.time
        self.sleeping: Any = kit.time.async_sleep if kit.colour == "async" else kit.time.sleep
        self.transport: Any = kit.stub

    def time(self) -> float:
        return self.wall()

    def monotonic(self) -> float:
        return self.mono()

    def sleep(self, seconds: float) -> Any:
        return self.sleeping(seconds)

    def send(self, request: Request) -> Any:
        return self.transport.send(request)

    def close(self) -> Any:
        return self.transport.close()


_WORLDS: weakref.WeakKeyDictionary[Any, World] = weakref.WeakKeyDictionary()


def world_of(client: Any) -> World:
    """The world that a kit's client was made with."""
    return _WORLDS[client]


class Kit:
    """One colour: how to make a client, and how to wait for what it gives."""

    def __init__(self, colour: str) -> None:
        self.colour = colour
        self.time = FakeTime()
        self.stub = Stub(colour)
        self.cls: Any = AsyncEvolutionClient if colour == "async" else EvolutionClient

    def retry_service(self, **policy: Any) -> EvolutionRetryService:
        return EvolutionRetryService(
            clock=self.time, sleep=self.time.sleep, async_sleep=self.time.async_sleep, **policy
        )

    def client(self, *, stub: bool = True, instance: str | None = "sales", **kwargs: Any) -> Any:
        kwargs.setdefault("retry", self.retry_service(jitter="none"))
        kwargs.setdefault("config", EvolutionConfig(URL, KEY))
        # Known, so that sends carry no id of the client's: the rules of likeness are tried by it.
        kwargs.setdefault("server_version", "2.3.7")
        world = World(self)
        kwargs.setdefault("sleep", world.sleep)
        if stub:
            kwargs.setdefault("transport", world)
        client = self.cls(instance=instance, clock=world, **kwargs)
        _WORLDS[client] = world
        return client

    async def run(self, value: Any) -> Any:
        """The result, awaited where the colour needs it."""
        return await value if inspect.isawaitable(value) else value

    async def collect(self, items: AsyncIterator[Any] | Iterator[Any]) -> list[Any]:
        if isinstance(items, AsyncIterator):
            return [item async for item in items]
        return list(items)

    async def enter(self, client: Any) -> Any:
        return await client.__aenter__() if self.colour == "async" else client.__enter__()

    async def leave(self, client: Any) -> None:
        if self.colour == "async":
            await client.__aexit__(None, None, None)
        else:
            client.__exit__(None, None, None)


@pytest.fixture(params=["sync", "async"])
def kit(request: pytest.FixtureRequest) -> Kit:
    return Kit(request.param)


@pytest.fixture
def stage(kit: Kit) -> Stage:
    from .fake_stage import Stage

    return Stage(kit)


@pytest.fixture
def once() -> RetryPolicy:
    return RetryPolicy(max_attempts=1)


async def until(so: Callable[[], bool]) -> None:
    """Let other tasks and threads run until something is so."""
    for _ in range(1_000_000):
        if so():
            return
        await asyncio.sleep(0)
    pytest.fail("it never came to be so")


def record(**changes: Any) -> dict[str, Any]:
    """A stored or sent message as the server answers it (recorded: message.sendText.text)."""
    return {
        "key": {"fromMe": True, "id": "3868cd62", "remoteJid": "5511987654321@s.whatsapp.net"},
        "message": {"conversation": "Hello"},
        "messageType": "conversation",
        "messageTimestamp": 1795447889,
        "source": "unknown",
        "instanceId": "7717b639-263d-442a-b2d7-beaafa3fdc2d",
        **changes,
    }
