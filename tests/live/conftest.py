"""A real server: where it is, clients for it, and instances that are removed in any case.

Needs EVOLUTION_LIVE_URL and EVOLUTION_LIVE_API_KEY (the global key). Everything happens in
instances of integration EVOLUTION with names of their own, which need no phone; nothing is
assumed about other instances. With EVOLUTION_LIVE_GRAPH_URL, the WA_BUSINESS_URL of that server,
the suite stands in for Meta there, and instances of WHATSAPP-BUSINESS send as well. A server that
was not activated is asked what test_live_license.py asks, and nothing else.

A name never holds a blank or a sign that a shell reads: 2.2.3 with Chatwoot on deletes files by it.
"""

from __future__ import annotations

import inspect
import os
import re
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from live_graph import Graph

from evolution_sdk import AsyncEvolutionClient, EvolutionClient, EvolutionConfig
from evolution_sdk.errors import EvolutionAPIError, InstanceNotFoundError
from evolution_sdk.operations.server_version import Behaviour, ServerProfile, profile_of

GRAPH = "EVOLUTION_LIVE_GRAPH_URL"
VARIABLES = ("EVOLUTION_LIVE_URL", "EVOLUTION_LIVE_API_KEY")
HERE = Path(__file__).parent
GONE_MS, POLL_MS = 120_000, 50
HARMLESS = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")  # as a name, for every version


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = [name for name in VARIABLES if not os.environ.get(name)]
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.live)
            if missing:
                reason = f"set {' and '.join(missing)} to test against a real server"
                item.add_marker(pytest.mark.skip(reason=reason))


@dataclass(frozen=True)
class Server:
    """What the server is.

    Attributes:
        version: As it calls itself.
        profile: What that version has; a build of 2.4 that calls itself 2.3.7 is told from it.
        activated: False where it answers everything with LICENSE_REQUIRED.
    """

    version: str
    profile: ServerProfile
    activated: bool

    def __str__(self) -> str:
        return f"{self.version} (a build of 2.4)" if self.profile.develop else self.version

    def has(self, behaviour: Behaviour) -> bool:
        """Whether the server behaves as the version that brought a behaviour."""
        return self.profile.has(behaviour)

    def needs(self, behaviour: Behaviour) -> None:
        """Skip the test where the server does not behave so."""
        if not self.has(behaviour):
            pytest.skip(f"{self} lacks it: {behaviour}")


class Live:
    """Clients of one colour for the server."""

    def __init__(self, colour: str, config: EvolutionConfig) -> None:
        self.colour = colour
        self.config = config
        self._opened: list[Any] = []

    def open(self, config: EvolutionConfig | None = None, **options: Any) -> Any:
        """A client, closed at the end of the test."""
        cls: Any = AsyncEvolutionClient if self.colour == "async" else EvolutionClient
        client = cls(config=config or self.config, **options)
        self._opened.append(client)
        return client

    async def run(self, value: Any) -> Any:
        return await value if inspect.isawaitable(value) else value

    async def collect(self, items: Any) -> list[Any]:
        if isinstance(items, AsyncIterator):
            return [item async for item in items]
        return list(items)

    async def close(self) -> None:
        for client in self._opened:
            await self.run(client.close())


@pytest.fixture(scope="session")
def config() -> EvolutionConfig:
    # The SDK's own environment stays out, so that this suite does the same everywhere.
    url, key = (os.environ[name] for name in VARIABLES)
    return EvolutionConfig(url, key, retry={"delay_ms": 100})


@pytest.fixture(scope="session")
def server(config: EvolutionConfig) -> Server:
    with EvolutionClient(config=config) as client:
        version = client.server.info().version
        profile = profile_of(version)
        assert profile is not None
        if profile.ambiguous and client.supports("messages.send_carousel"):
            profile = ServerProfile(profile.version, develop=True)
        gated = client.supports("license.status")
        return Server(version, profile, not gated or client.license.status().active)


@pytest.fixture(autouse=True)
def _only_where_it_can_run(request: pytest.FixtureRequest, server: Server) -> None:
    unlicensed = request.node.get_closest_marker("unlicensed") is not None
    if unlicensed and server.activated:
        pytest.skip("the server needs no licence, or has one")
    if not unlicensed and not server.activated:
        pytest.skip("the server was not activated: it answers LICENSE_REQUIRED")


@pytest.fixture(params=["sync", "async"])
async def live(request: pytest.FixtureRequest, config: EvolutionConfig) -> AsyncIterator[Live]:
    made = Live(request.param, config)
    yield made
    await made.close()


@pytest.fixture
def new_name(config: EvolutionConfig, server: Server) -> Iterator[Callable[..., str]]:
    """Makes unique names; whatever bears one at the end of the test is deleted."""
    names: list[str] = []

    def make(pattern: str = "sdk-live-{}") -> str:
        name = pattern.format(secrets.token_hex(6))
        # No server version is trusted with blanks; one before 2.3 with nothing unusual at all.
        assert re.search(r"\s|\.\.", name) is None
        assert HARMLESS.fullmatch(name) or server.profile.at_least("2.3")
        names.append(name)
        return name

    yield make
    with EvolutionClient(config=config) as admin:
        for name in names:
            with suppress(InstanceNotFoundError):
                # An enabled webhook could hold the deletion up for minutes.
                with suppress(EvolutionAPIError):
                    admin.instance(name).webhook.set(enabled=False)
                admin.instances.delete(name, wait=True, wait_ms=GONE_MS, poll_ms=POLL_MS)


@pytest.fixture
async def sales(live: Live, new_name: Callable[..., str]) -> Any:
    """A handle of a new instance."""
    client = live.open()
    created = await live.run(client.instances.create(new_name(), integration="EVOLUTION"))
    return client.instance(created.name)


@pytest.fixture(scope="session")
def graph() -> Iterator[Graph]:
    """Stands in for Meta."""
    url = os.environ.get(GRAPH)
    if not url:
        pytest.skip(f"set {GRAPH} to the server's WA_BUSINESS_URL to test WHATSAPP-BUSINESS")
    with Graph(url) as made:
        yield made


@dataclass(frozen=True)
class Business:
    """An instance of WHATSAPP-BUSINESS.

    Attributes:
        handle: A handle of it.
        number: Meta's id of its phone number.
        graph: Stands in for Meta.
    """

    handle: Any
    number: str
    graph: Graph

    @property
    def delivered(self) -> int:
        """How many messages reached Meta."""
        return self.graph.sent_by(self.number)


@pytest.fixture
async def business(live: Live, graph: Graph, new_name: Callable[..., str]) -> Business:
    client = live.open()
    number = str(10**14 + secrets.randbelow(10**14))
    created = await live.run(
        client.instances.create(
            new_name(),
            integration="WHATSAPP-BUSINESS",
            number=number,
            token=f"meta-{secrets.token_hex(8)}",
            settings={"business_id": "400500600"},
        )
    )
    return Business(client.instance(created.name), number, graph)
