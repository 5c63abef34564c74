"""Pytest fixtures, and a gate to the network, so that no test sends a real message.

pytest loads it in every test run of every user, so that it imports next to nothing up front. While
tests run, this SDK (its clients, streams, fetched files) may connect to this machine only; other
libraries are left alone.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest

from evolution_sdk._base import network

if TYPE_CHECKING:
    from evolution_sdk.testing import FakeEvolution

_MARK = "evolution_network"
_OPTION = "evolution_allowed_hosts"
_FORMER = pytest.StashKey["network.Gate | None"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the setting for hosts beside this machine, such as a server in a container."""
    parser.addini(
        _OPTION,
        "Hosts that tests may connect to with evolution_sdk, beside this machine.",
        type="linelist",
        default=[],
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the mark."""
    config.addinivalue_line(
        "markers", f"{_MARK}: evolution_sdk may connect to any host in this test."
    )


def pytest_sessionstart(session: pytest.Session) -> None:
    """Close the gate, and remember its former state for the end of the session."""
    # A session may run inside another one (pytester), which gets its own gate back.
    session.config.stash[_FORMER] = network.current()
    network.set_gate(_gate({host.lower() for host in session.config.getini(_OPTION)}))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Put the gate back into its former state."""
    network.set_gate(session.config.stash.get(_FORMER, None))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, None, None]:
    """Open the gate for a test with the mark, its fixtures included."""
    if item.get_closest_marker(_MARK) is None:
        yield
        return
    closed = network.current()
    network.set_gate(None)
    try:
        yield
    finally:
        network.set_gate(closed)


def _gate(allowed: set[str]) -> network.Gate:
    def check(host: str, proxied: bool) -> None:
        if host.lower() in allowed or _is_this_machine(host):
            return
        # Looked up only for a direct connection: behind a proxy, the proxy resolves the name.
        if not proxied and _leads_nowhere_else(host):
            return
        # Imported when it is needed: the errors would slow down every test run.
        from evolution_sdk.errors import ConfigurationError

        raise ConfigurationError(
            f"Tests may not connect to {host!r}, so that none sends real messages; nothing was "
            "sent. Use the fixture fake_evolution_server. If the test needs that server, mark it "
            f"with @pytest.mark.{_MARK}, or name the host in the pytest option {_OPTION}.",
            variable=_OPTION,
        )

    return check


def _leads_nowhere_else(host: str) -> bool:
    """Tell if a name resolves to this machine, or to nothing, where the connection just fails."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return True
    return all(_is_this_machine(str(row[4][0])) for row in found)


def _is_this_machine(host: str) -> bool:
    name = host.lower().rstrip(".").strip("[]")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    # ::ffff:127.0.0.1 is this machine as well.
    mapped = getattr(address, "ipv4_mapped", None) or address
    return mapped.is_loopback or mapped.is_unspecified


@pytest.fixture
def fake_evolution() -> FakeEvolution:
    """Provide a fresh in-process fake server; ``fake_evolution.http_client()`` reaches it."""
    from evolution_sdk.testing import FakeEvolution

    return FakeEvolution()


@pytest.fixture
def fake_evolution_server(fake_evolution: FakeEvolution) -> Iterator[FakeEvolution]:
    """Provide the same fake over real HTTP, at ``fake_evolution_server.url``."""
    with fake_evolution.serve() as served:
        yield served


@pytest.fixture
def no_retry_delays() -> Iterator[None]:
    """Take the delays out of retries, in a sync or async test."""
    from evolution_sdk.testing import no_retry_delays

    with no_retry_delays():
        yield
