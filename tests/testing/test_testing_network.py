"""The pytest plugin: what this SDK connects to while tests run must be this machine."""

from __future__ import annotations

import pytest

from evolution_sdk import AsyncEvolutionClient, EvolutionClient
from evolution_sdk._base import network
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.streams import RabbitStream, SocketStream
from evolution_sdk.testing import FakeEvolution, FaultProxy
from evolution_sdk.testing.pytest_plugin import _is_this_machine

pytest_plugins = ["pytester"]
ELSEWHERE = "http://192.0.2.1:8080"  # TEST-NET-1: nobody's
NUMBER = "5511999999999"
REFUSED = r"Tests may not connect to '192\.0\.2\.1'.*@pytest\.mark\.evolution_network"


def test_a_send_to_another_machine_is_refused() -> None:
    with (
        EvolutionClient(ELSEWHERE, "k", instance="bot") as client,
        pytest.raises(ConfigurationError, match=REFUSED),
    ):
        client.messages.send_text(NUMBER, "oi")


@pytest.mark.parametrize("backend", ["httpx", "httpx2", "aiohttp"])
async def test_also_async(backend: str) -> None:
    async with AsyncEvolutionClient(
        ELSEWHERE,
        "k",
        instance="bot",
        http_backend=backend,  # type: ignore[arg-type]
    ) as client:
        with pytest.raises(ConfigurationError, match=REFUSED):
            await client.messages.send_text(NUMBER, "oi")


def test_also_with_a_ready_made_client() -> None:
    import httpx

    with httpx.Client() as http:
        client = EvolutionClient(ELSEWHERE, "k", instance="bot", http_client=http)
        with pytest.raises(ConfigurationError, match=REFUSED):
            client.messages.send_text(NUMBER, "oi")


def test_also_through_a_proxy_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with (
        EvolutionClient(ELSEWHERE, "k", instance="bot") as client,
        pytest.raises(ConfigurationError, match=REFUSED),
    ):
        client.messages.send_text(NUMBER, "oi")


def test_also_the_fault_proxy() -> None:
    with pytest.raises(ConfigurationError, match=REFUSED):
        FaultProxy(ELSEWHERE).__enter__()


async def test_also_the_queue() -> None:
    with pytest.raises(ConfigurationError, match=REFUSED):
        await RabbitStream(lambda _: None, "amqp://192.0.2.1:5672/", instances=["bot"]).run()


async def test_also_the_socket() -> None:
    with pytest.raises(ConfigurationError, match=REFUSED):
        await SocketStream(lambda _: None, ELSEWHERE, "k", instance="bot").run()


@pytest.mark.evolution_network
def test_a_marked_test_may_connect_anywhere() -> None:
    assert network.current() is None


def test_what_is_answered_in_the_process_is_not_refused() -> None:
    fake = FakeEvolution(api_key="k")
    fake.create_instance("bot")
    with fake.http_client() as http:
        client = EvolutionClient(ELSEWHERE, "k", instance="bot", http_client=http)
        assert client.messages.send_text(NUMBER, "oi").id


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1", True), ("127.8.9.10", True), ("::1", True), ("localhost", True),
        ("LocalHost", True), ("localhost.", True), ("api.localhost", True), ("0.0.0.0", True),
        ("::ffff:127.0.0.1", True), ("[::1]", True), ("fe80::1%lo", False),
        ("192.0.2.1", False), ("::ffff:192.0.2.1", False), ("example.com", False),
        ("localhost.example.com", False), ("127.0.0.1.example.com", False), ("", False),
    ],
)  # fmt: skip
def test_which_hosts_are_this_machine(host: str, here: bool) -> None:
    assert _is_this_machine(host) is here


@pytest.mark.parametrize(
    ("addresses", "refused"),
    [
        (["127.0.0.1", "::1"], False),
        (["192.0.2.1"], True),
        (["127.0.0.1", "192.0.2.1"], True),
        (None, False),  # nobody's: the connection fails by itself
    ],
)
@pytest.mark.parametrize("proxied", [False, True])
def test_a_name_counts_by_what_it_leads_to(
    addresses: list[str] | None,
    refused: bool,
    proxied: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def look_up(*_: object, **__: object) -> list[object]:
        if addresses is None:
            raise OSError("no such host")
        return [(0, 0, 0, "", (address, 0)) for address in addresses]

    monkeypatch.setattr("socket.getaddrinfo", look_up)
    if refused or proxied:  # a proxy looks it up itself, and may find another
        with pytest.raises(ConfigurationError, match="evolution_network"):
            network.check_host("server.test", proxied=proxied)
    else:
        network.check_host("server.test")


def test_the_plugin_in_a_run_of_its_own(pytester: pytest.Pytester) -> None:
    pytester.makeini(
        "[pytest]\nasyncio_default_fixture_loop_scope = function\n"
        "evolution_allowed_hosts =\n    server.test\n    192.0.2.7"
    )
    pytester.makepyfile(
        """
        import pytest
        from evolution_sdk import EvolutionClient
        from evolution_sdk._base import network
        from evolution_sdk.errors import ConfigurationError

        def test_refused():
            client = EvolutionClient("http://192.0.2.1:8080", "k", instance="bot")
            client.messages.send_text("5511999999999", "oi")

        def test_allowed_hosts():
            network.check_host("192.0.2.7")
            network.check_host("Server.test")
            with pytest.raises(ConfigurationError):
                network.check_host("192.0.2.8")

        @pytest.mark.evolution_network
        class TestMarked:
            @pytest.fixture(autouse=True)
            def connect(self):
                network.check_host("192.0.2.8")

            def test_one(self):
                network.check_host("192.0.2.8")
        """
    )
    before = network.current()
    done = pytester.runpytest_inprocess("-p", "no:cacheprovider", "--strict-markers")
    done.assert_outcomes(failed=1, passed=2)
    done.stdout.fnmatch_lines(["*ConfigurationError: Tests may not connect to '192.0.2.1'*"])
    assert network.current() is before
