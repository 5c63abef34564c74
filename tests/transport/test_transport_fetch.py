"""Fetching foreign files: the address connected to is the one that was judged."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from fetch_network import PEER, Connections, Fetching, answering, ok, rows, serving
from hypothesis import given, settings
from hypothesis import strategies as st

from effort import examples
from evolution_sdk._base.effect import Phase
from evolution_sdk.errors import ConnectionFailedError, RequestValidationError, TransportError
from evolution_sdk.transport import TransportOptions

SPELLINGS = (
    "127.0.0.1", "127.1", "127.0.1", "0x7f.0.0.1", "0x7f000001", "2130706433", "0177.0.0.1",
    "017700000001", "127.0.0.1.", "0", "0.0.0.0", "[::1]", "[0:0:0:0:0:0:0:1]", "[::]",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]", "10.0.0.1", "172.16.0.1", "192.168.0.1", "0xc0a80001", "3232235521",
    "169.254.169.254", "0xa9fea9fe", "2852039166", "0251.0376.0251.0376", "169.254.43518",
    "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "[fd00:ec2::254]", "[fe80::1]",
    "100.100.100.200", "168.63.129.16", "224.0.0.1", "[ff02::1]", "255.255.255.255", "240.0.0.1",
    "198.18.0.1", "192.0.2.1", "localhost", "LOCALHOST", "%31%32%37.0.0.1", "127。0。0。1",
    "①②⑦.0.0.1",
)  # fmt: skip


@pytest.mark.parametrize("host", SPELLINGS)
def test_no_spelling_of_a_special_address_is_connected_to(fetching: Fetching, host: str) -> None:
    network = Connections()
    with pytest.raises((RequestValidationError, TransportError)) as caught:
        fetching.get(f"http://{host}:8080/", network)
    assert network.made == []
    if isinstance(caught.value, TransportError):
        assert caught.value.phase is Phase.NOT_SENT
    elif "%" not in host:
        assert "EVOLUTION_MEDIA_FETCH_HOSTS" in str(caught.value)


def numbered(address: ipaddress.IPv4Address) -> st.SearchStrategy[str]:
    """The ways in which resolvers read an IPv4 address."""
    number = int(address)
    a, b, c, d = address.packed
    return st.sampled_from(
        (str(address), str(number), hex(number), f"0{number:o}", f"{a}.{number & 0xFFFFFF}",
         f"{a}.{b}.{number & 0xFFFF}", f"0x{a:x}.0{b:o}.{c}.{d:#x}", f"0{a:o}.{b}.{c}.{d}",
         f"[::ffff:{address}]", f"[::ffff:{number >> 16:x}:{number & 0xFFFF:x}]",
         f"[64:ff9b::{address}]")
    )  # fmt: skip


PRIVATE = st.sampled_from(
    ["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
     "172.16.0.0/12", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4"]
).map(ipaddress.IPv4Network).flatmap(
    lambda net: st.integers(0, net.num_addresses - 1).map(lambda at: net[at])
)  # fmt: skip


@given(PRIVATE.flatmap(numbered))
@settings(max_examples=examples(150))
def test_every_special_address_in_every_spelling_is_refused(host: str) -> None:
    network = Connections()
    with pytest.raises((RequestValidationError, TransportError)):
        Fetching("sync").get(f"http://{host}/", network)
    assert network.made == []


def test_a_name_is_looked_up_once_and_the_judged_address_connected_to(fetching: Fetching) -> None:
    """A second look-up would give the attacker's server the last word (DNS rebinding)."""
    asked: list[str] = []

    def rebinding(host: str) -> list[Any]:
        asked.append(host)
        return rows(PEER) if len(asked) == 1 else rows("127.0.0.1")

    with serving(answering(ok(b"file", b"content-type: image/png"))) as (network, heads):
        answer = fetching.get("http://files.example/a.png?x=1", network, answers=rebinding)
    assert (answer.status, answer.body, answer.headers["content-type"]) == (
        200,
        b"file",
        "image/png",
    )
    assert (asked, network.made) == (["files.example"], [PEER])
    assert heads[0].startswith(b"GET /a.png?x=1 HTTP/1.1\r\nhost: files.example\r\n")
    assert not {b"apikey", b"authorization", b"cookie", b"referer"} & {
        line.partition(b":")[0].lower() for line in heads[0].splitlines()
    }


def test_special_addresses_among_others_are_left_out(fetching: Fetching) -> None:
    with serving(answering(ok(b"x"))) as (network, _):
        mixed = rows("127.0.0.1", "10.0.0.1", PEER, "::1", "1.1.1.1")
        fetching.get("http://files.example/", network, answers=lambda _: mixed)
    assert network.made == [PEER]


def test_the_next_address_is_tried_when_one_does_not_answer(fetching: Fetching) -> None:
    network = Connections()
    with pytest.raises(ConnectionFailedError, match="could not be fetched from http://files"):
        fetching.get("http://files.example/", network, answers=lambda _: rows(PEER, "1.1.1.1"))
    assert network.made == [PEER, "1.1.1.1"]


def test_a_named_host_may_have_any_address(fetching: Fetching) -> None:
    with serving(answering(ok(b"x"))) as (network, _):
        fetching.get("http://minio/", network, answers=lambda _: rows("10.0.0.1"), trusted=True)
    assert network.made == ["10.0.0.1"]


@pytest.mark.parametrize("failure", [socket.gaierror(-2, "unknown"), UnicodeError("label"), None])
def test_a_host_that_is_not_found_sends_nothing(fetching: Fetching, failure: Any) -> None:
    def answers(_host: str) -> list[Any]:
        if failure is None:
            return []
        raise failure

    network = Connections()
    with pytest.raises((TransportError, RequestValidationError)) as caught:
        fetching.get("http://nowhere.example/", network, answers=answers)
    assert getattr(caught.value, "phase", Phase.NOT_SENT) is Phase.NOT_SENT
    assert network.made == []
    assert "EVOLUTION_API_URL" not in str(caught.value)


def test_a_proxy_is_not_trusted_with_the_choice(
    fetching: Fetching, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    network = Connections()
    for options in (TransportOptions(), TransportOptions(proxy="http://proxy.example:3128")):
        with pytest.raises(RequestValidationError, match=r"proxy.*EVOLUTION_MEDIA_FETCH_HOSTS"):
            fetching.get("http://files.example/", network, options=options)
    assert network.made == []
    with serving(answering(ok(b"x"))) as (network, heads):
        fetching.get(
            "http://files.example/", network, trusted=True, answers=lambda _: rows("10.0.0.9")
        )
    assert heads[0].startswith(b"GET http://files.example")


def test_tls_is_verified_for_the_name_not_the_address(fetching: Fetching) -> None:
    seen: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(__file__).with_name("localhost.pem"))
    context.sni_callback = lambda _socket, name, _context: seen.append(name)

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            peer, _ = listener.accept()
            with peer, suppress(OSError):
                context.wrap_socket(peer, server_side=True).close()

        thread = threading.Thread(target=run)
        thread.start()
        network = Connections(listener.getsockname()[1])
        with pytest.raises(ConnectionFailedError, match=r"certificate of https://files\.example"):
            fetching.get("https://files.example/", network, answers=lambda _: rows(PEER))
        thread.join()
    assert seen == ["files.example"]
