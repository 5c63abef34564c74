"""After a fork no transport uses a connection of the parent, nor does it any harm to one."""

from __future__ import annotations

import asyncio
import inspect
import json
import ssl
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from evolution_sdk import ConfigurationError
from evolution_sdk.testing import FakeEvolution
from evolution_sdk.transport import TransportOptions, open_sync_transport

from .children import in_child, quiet_forks, untold_fork

sys.path.insert(0, str(Path(__file__).parents[1] / "transport"))

from transport_adapters import EVERY, Adapter, make_request
from transport_servers import ScriptedServer, Wire, scripted

CERTIFICATE = Path(__file__).parents[1] / "transport" / "localhost.pem"
pytestmark = quiet_forks


def telling(server: ScriptedServer, wire: Wire) -> None:
    """Answer every request with the number of its connection."""
    while wire.read_request():
        wire.answer(json.dumps(wire.number).encode())


def tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


@contextmanager
def warm(kind: str, server: ScriptedServer, **options: Any) -> Iterator[Any]:
    """A way to ask over a transport that has a connection, in a loop that stays open."""
    with asyncio.Runner() as runner:
        adapter = Adapter(kind, **options)

        def ask(run: Any = runner.run) -> int:
            sent = adapter.transport.send(make_request(server.url))
            response = run(sent) if inspect.iscoroutine(sent) else sent
            return int(response.body)

        assert ask() == ask() == 1
        yield ask
        runner.run(adapter.close())


@pytest.mark.parametrize("kind", EVERY)
def test_a_child_has_connections_of_its_own(kind: str) -> None:
    with scripted(telling) as server, warm(kind, server) as ask:
        first = in_child(lambda: ask(asyncio.run))
        second = in_child(lambda: (ask(asyncio.run), in_child(lambda: ask(asyncio.run))))
        assert (first, second) == (2, (3, 4))
        assert ask() == 1  # the parent's is as it was


@pytest.mark.parametrize("kind", EVERY)
def test_a_child_says_no_goodbye_on_the_parents_tls(kind: str) -> None:
    verify = str(CERTIFICATE)
    if kind.startswith("ready"):
        options: dict[str, Any] = {"verify": ssl.create_default_context(cafile=verify)}
    else:
        options = {"verify": verify}
    with scripted(telling, tls()) as server, warm(kind, server, **options) as ask:
        assert in_child(lambda: ask(asyncio.run)) == 2
        assert ask() == 1


@pytest.mark.parametrize("kind", ["httpx", "httpx-sync", "ready-httpx", "ready-httpx-sync"])
def test_a_child_has_connections_of_its_own_through_a_proxy(kind: str) -> None:
    with scripted(telling) as server, warm(kind, server, proxy=server.url) as ask:
        assert in_child(lambda: ask(asyncio.run)) == 2
        assert ask() == 1


@pytest.mark.parametrize("kind", EVERY)
def test_a_fork_that_python_does_not_hear_of_is_noticed_with_the_next_call(kind: str) -> None:
    # As uWSGI forks. The lock of the interpreter is held meanwhile, as it is there.
    fork = untold_fork
    with scripted(telling) as server, warm(kind, server) as ask:
        assert in_child(lambda: ask(asyncio.run), fork) == 2
        assert ask() == 1


def test_a_connection_that_cannot_be_made_anew_is_refused() -> None:
    class Unknown(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            return httpx.Response(200, json={}, request=request)

    def ask() -> str:
        with pytest.raises(ConfigurationError, match="forked") as caught:
            transport.send(make_request("http://127.0.0.1:9"))
        return caught.value.variable or ""

    transport = open_sync_transport(TransportOptions(http_client=httpx.Client(transport=Unknown())))
    assert transport.send(make_request("http://127.0.0.1:9")).status == 200
    assert in_child(ask) == "http_client"
    assert transport.send(make_request("http://127.0.0.1:9")).status == 200


class Wrapped(httpx.BaseTransport):
    """As those that cache, or count."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self.inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self.inner.handle_request(request)


@pytest.mark.parametrize("wrap", [lambda inner: inner, Wrapped], ids=["plain", "wrapped"])
def test_a_transport_without_sockets_goes_on(wrap: Any) -> None:
    mock = httpx.MockTransport(lambda request: httpx.Response(200, json=7, request=request))
    client = httpx.Client(transport=wrap(mock))
    transport = open_sync_transport(TransportOptions(http_client=client))
    assert in_child(lambda: transport.send(make_request("http://x")).body) == b"7"


def test_the_pool_of_a_wrapped_transport_is_found() -> None:
    with scripted(telling) as server, httpx.HTTPTransport() as inner:
        client = httpx.Client(transport=Wrapped(Wrapped(inner)))
        transport = open_sync_transport(TransportOptions(http_client=client))

        def ask() -> bytes:
            return transport.send(make_request(server.url)).body

        assert ask() == b"1"
        assert in_child(ask) == b"2"
        assert ask() == b"1"


def test_the_fake_server_goes_on_in_a_child() -> None:
    fake = FakeEvolution(api_key="k")
    with fake.http_client() as http:
        transport = open_sync_transport(TransportOptions(http_client=http))
        assert in_child(lambda: transport.send(make_request(fake.url)).status) == 404


LEAVING = """
import asyncio, os, sys
sys.path.insert(0, {folder!r})
from transport_adapters import Adapter, make_request
runner = asyncio.Runner()
adapter = Adapter({kind!r})
ask = lambda: int(runner.run(adapter.send(make_request({url!r}))).body)
assert ask() == 1
pid = os.fork()
if pid == 0:
    assert int(asyncio.run(adapter.send(make_request({url!r}))).body) == 2
    sys.exit(0)  # with every destructor, as a worker of gunicorn
assert os.waitpid(pid, 0)[1] == 0
async def again():
    async with asyncio.timeout(5):
        return await adapter.send(make_request({url!r}))
assert int(runner.run(again()).body) == 1
os._exit(0)
"""


@pytest.mark.parametrize("kind", ["httpx", "httpx2", "aiohttp", "ready-httpx"])
def test_a_child_that_ends_in_order_takes_nothing_from_the_parent(kind: str) -> None:
    folder = str(Path(__file__).parents[1] / "transport")
    with scripted(telling) as server:
        code = textwrap.dedent(LEAVING).format(folder=folder, kind=kind, url=server.url)
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
