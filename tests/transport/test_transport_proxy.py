"""Proxies: set, found in the environment, refused, and silent."""

from __future__ import annotations

import base64
import sys

import httpcore
import pytest
from transport_adapters import OWN, make_request
from transport_servers import ScriptedServer, Wire, scripted, serve, silence, swallow

from evolution_sdk._base.effect import Phase
from evolution_sdk._base.request import Timeouts
from evolution_sdk.errors import (
    ConfigurationError,
    ConnectionFailedError,
    EvolutionTimeoutError,
    TransportError,
)
from evolution_sdk.transport import TransportOptions
from evolution_sdk.transport._httpcore import pool_arguments
from evolution_sdk.transport._url import proxy_for, split_url

HTTP = "http://evolution.test:8080"
HTTPS = "https://evolution.test"
PROXY_AUTHORIZATION = (
    f"proxy-authorization: basic {base64.b64encode(b'ann:p@ss').decode()}\r\n".lower()
)


def with_credentials(url: str) -> str:
    return url.replace("//", "//ann:p%40ss@")


@pytest.mark.parametrize("kind", OWN)
async def test_a_password_of_other_letters_is_sent_as_utf8(kind, opened):
    with scripted(serve) as proxy:
        url = proxy.url.replace("//", "//ann:p%C3%BC@")
        assert (await opened(kind, proxy=url).send(make_request(HTTP))).status == 200
    assert base64.b64encode("ann:pü".encode()) in proxy.requests[0]


def test_a_proxy_of_other_letters_is_looked_up_in_ascii():
    options = TransportOptions(proxy="http://bücher.example:3128")
    options.check()
    proxy = pool_arguments(httpcore, options, split_url(HTTP)[0])["proxy"]
    assert proxy is not None
    assert proxy.url.host == b"xn--bcher-kva.example"


def refuse(server: ScriptedServer, wire: Wire) -> None:
    server.note(wire.read_request())
    wire.answer(b"", status="407 Proxy Authentication Required")


@pytest.mark.parametrize("kind", OWN)
async def test_a_proxy_with_credentials_is_used(kind, opened):
    with scripted(serve) as proxy:
        assert (
            await opened(kind, proxy=with_credentials(proxy.url)).send(make_request(HTTP))
        ).status == 200
    head = proxy.requests[0].decode("latin-1")
    assert head.startswith("POST http://evolution.test:8080/message/sendText/bot HTTP/1.1\r\n")
    assert "host: evolution.test:8080\r\n" in head.lower()
    assert PROXY_AUTHORIZATION in head.lower()


@pytest.mark.parametrize("kind", OWN)
@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
async def test_the_environments_proxy_is_used(kind, variable, opened, monkeypatch):
    with scripted(serve) as proxy:
        monkeypatch.setenv(variable, proxy.url)
        assert (await opened(kind).send(make_request(HTTP))).status == 200
        assert proxy.requests


@pytest.mark.parametrize("kind", OWN)
async def test_no_proxy_goes_around_the_environments_proxy(kind, opened, monkeypatch):
    with scripted(serve) as server, scripted(serve) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "localhost,127.0.0.1")
        assert (await opened(kind).send(make_request(server.url))).status == 200
        assert not proxy.requests


@pytest.mark.parametrize("kind", OWN)
async def test_a_proxy_set_wins_over_the_environment(kind, opened, monkeypatch):
    with scripted(serve) as proxy, scripted(serve) as other:
        monkeypatch.setenv("http_proxy", other.url)
        monkeypatch.setenv("no_proxy", "*")
        await opened(kind, proxy=proxy.url).send(make_request(HTTP))
        assert (len(proxy.requests), len(other.requests)) == (1, 0)


@pytest.mark.parametrize("kind", OWN)
async def test_a_tunnel_refused_by_the_proxy_was_not_sent(kind, opened):
    with scripted(refuse) as proxy, pytest.raises(ConnectionFailedError) as caught:
        await opened(kind, proxy=with_credentials(proxy.url)).send(make_request(HTTPS))
    assert caught.value.phase is Phase.NOT_SENT
    assert proxy.requests[0].startswith(b"CONNECT evolution.test:443 HTTP/1.1\r\n")
    assert PROXY_AUTHORIZATION in proxy.requests[0].decode("latin-1").lower()
    assert b"s3cret" not in proxy.requests[0]


@pytest.mark.parametrize("kind", ["httpx", "httpx-sync", "httpx2", "httpx2-sync"])
async def test_a_proxy_that_hangs_up_on_connect_was_not_sent(kind, opened):
    with scripted(swallow) as proxy, pytest.raises(ConnectionFailedError) as caught:
        await opened(kind, proxy=proxy.url).send(make_request(HTTPS))
    assert caught.value.phase is Phase.NOT_SENT


@pytest.mark.parametrize("kind", OWN)
async def test_a_proxy_that_says_nothing_to_connect_was_not_sent(kind, opened):
    with scripted(silence) as proxy, pytest.raises(EvolutionTimeoutError) as caught:
        await opened(kind, proxy=proxy.url).send(
            make_request(HTTPS, timeouts=Timeouts(50, 50, 5_000, 5_000))
        )
    assert caught.value.phase is Phase.NOT_SENT


@pytest.mark.parametrize("kind", OWN)
async def test_an_answer_lost_behind_a_plain_proxy_is_unknown(kind, opened):
    with scripted(swallow) as proxy, pytest.raises(ConnectionFailedError) as caught:
        await opened(kind, proxy=proxy.url).send(make_request(HTTP))
    assert caught.value.phase is Phase.UNKNOWN


@pytest.mark.parametrize("kind", OWN)
async def test_an_unreachable_proxy_was_not_sent_and_keeps_its_secret(kind, opened):
    with pytest.raises(TransportError) as caught:
        await opened(kind, proxy="http://ann:s3cret@127.0.0.1:9").send(make_request(HTTP))
    assert caught.value.phase is Phase.NOT_SENT
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("kind", OWN)
@pytest.mark.parametrize(
    "proxy",
    [
        "host:3128",
        "ftp://x",
        "http://",
        "http://s3cret@h:bad",
        "",
        "http://s3cret@a..b:1",
        "http://" + "a" * 64 + ".example:1",
        "http://ü" + "a" * 64 + ".example:1",
        "http://a b:1",
        "http://a\x00b:1",
        "http://s3cret\udcff@h:1",
    ],
)
def test_a_proxy_that_cannot_work_is_refused_at_once(kind, proxy, opened):
    with pytest.raises(ConfigurationError, match="proxy") as caught:
        opened(kind, proxy=proxy)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "hint"),
    [("aiohttp", "httpx"), ("httpx", r"httpcore\[socks"), ("httpx2", r"httpcore2\[socks")],
)
async def test_socks_says_what_it_needs(kind, hint, opened, monkeypatch):
    monkeypatch.setitem(sys.modules, "socksio", None)
    with pytest.raises(ConfigurationError, match=hint):
        await opened(kind, proxy="socks5://127.0.0.1:1080").send(make_request(HTTP))


@pytest.mark.parametrize(
    ("environment", "url", "wanted"),
    [
        ({}, HTTP, None),
        ({"http_proxy": "http://p:1"}, HTTP, "http://p:1"),
        ({"http_proxy": "p:1"}, HTTP, "http://p:1"),
        ({"http_proxy": "http://p:1"}, HTTPS, None),
        ({"https_proxy": "http://p:1"}, HTTPS, "http://p:1"),
        ({"all_proxy": "http://p:1"}, HTTPS, "http://p:1"),
        ({"http_proxy": "http://p:1", "no_proxy": ".test"}, HTTP, None),
        ({"http_proxy": "http://p:1", "no_proxy": "evolution.test:8080"}, HTTP, None),
        ({"http_proxy": "http://p:1", "no_proxy": "other.test"}, HTTP, "http://p:1"),
        ({"http_proxy": "http://p:1", "no_proxy": "*"}, HTTP, None),
    ],
)
def test_which_proxy_the_environment_asks_for(environment, url, wanted, monkeypatch):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(None, split_url(url)[0]) == wanted
