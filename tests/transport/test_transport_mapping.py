"""Every exception class that the libraries define has a meaning."""

from __future__ import annotations

import asyncio
import inspect
import ssl
from types import ModuleType

import aiohttp.client_exceptions
import aiohttp.http_exceptions
import anyio
import h11
import httpcore
import httpcore2
import httpx
import httpx2
import pytest

from evolution_sdk._base.effect import Phase
from evolution_sdk.errors import ConnectionFailedError, EvolutionTimeoutError
from evolution_sdk.transport._mapping import classify, to_transport_error

NOT_SENT = {
    # httpx, httpcore, httpx2, httpcore2
    "ConnectError",
    "ConnectTimeout",
    "ConnectionNotAvailable",
    "InvalidURL",
    "LocalProtocolError",
    "PoolTimeout",
    "ProxyError",
    "UnsupportedProtocol",
    # aiohttp
    "ClientConnectorCertificateError",
    "ClientConnectorDNSError",
    "ClientConnectorError",
    "ClientConnectorSSLError",
    "ClientHttpProxyError",
    "ClientProxyConnectionError",
    "ClientSSLError",
    "ConnectionTimeoutError",
    "InvalidUrlClientError",
    "NonHttpUrlClientError",
    "ServerFingerprintMismatch",
    "UnixClientConnectorError",
    "WSMessageTypeError",
}
TIMEOUTS = {
    "ConnectTimeout",
    "ConnectionTimeoutError",
    "PoolTimeout",
    "ReadTimeout",
    "ServerTimeoutError",
    "SocketTimeoutError",
    "TimeoutException",
    "WriteTimeout",
}
LIBRARIES: tuple[ModuleType, ...] = (
    httpx,
    httpcore,
    httpx2,
    httpcore2,
    aiohttp.client_exceptions,
    aiohttp.http_exceptions,
)


def exceptions_of(module: ModuleType) -> list[type[Exception]]:
    return [
        cls
        for _, cls in inspect.getmembers(module, inspect.isclass)
        if issubclass(cls, Exception) and cls.__module__ != "builtins"
    ]


def bare(cls: type[Exception]) -> Exception:
    error = cls.__new__(cls)
    error.args = ()
    return error


def test_the_enumeration_finds_the_classes():
    least = {aiohttp.http_exceptions: 11}  # aiohttp 3.11; later ones have more
    for module in LIBRARIES:
        assert len(exceptions_of(module)) >= least.get(module, 13), module


@pytest.mark.parametrize(
    "cls", [cls for module in LIBRARIES for cls in exceptions_of(module)], ids=str
)
def test_every_class_of_every_library(cls):
    error = to_transport_error(bare(cls), "http://host")
    assert error is not None
    assert (error.phase is Phase.NOT_SENT) == (cls.__name__ in NOT_SENT)
    wanted = EvolutionTimeoutError if cls.__name__ in TIMEOUTS else ConnectionFailedError
    assert type(error) is wanted
    assert "http://host" in str(error)


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        (ConnectionResetError(), ConnectionFailedError),
        (BrokenPipeError(), ConnectionFailedError),
        (OSError(), ConnectionFailedError),
        (ssl.SSLError(), ConnectionFailedError),
        (EOFError(), ConnectionFailedError),
        (asyncio.IncompleteReadError(b"", 1), ConnectionFailedError),
        (TimeoutError(), EvolutionTimeoutError),
        (anyio.BrokenResourceError(), ConnectionFailedError),
        (anyio.ClosedResourceError(), ConnectionFailedError),
        (anyio.BusyResourceError("reading"), ConnectionFailedError),
        (anyio.EndOfStream(), ConnectionFailedError),
        (h11.LocalProtocolError("too much data"), ConnectionFailedError),
        (h11.RemoteProtocolError("bad"), ConnectionFailedError),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_what_leaks_from_underneath_is_unknown(error, wanted):
    made = to_transport_error(error, "http://host")
    assert type(made) is wanted
    assert made.phase is Phase.UNKNOWN


@pytest.mark.parametrize(
    "error", [asyncio.CancelledError(), KeyboardInterrupt(), ValueError(), RuntimeError()]
)
def test_what_is_not_about_http_is_left_alone(error):
    assert to_transport_error(error, "http://host") is None


def test_a_subclass_of_tomorrow_has_the_meaning_of_its_parent():
    class LaterError(httpx.ConnectTimeout):
        pass

    verdict = classify(LaterError("x"))
    assert verdict is not None
    assert (verdict.error, verdict.phase) == (EvolutionTimeoutError, Phase.NOT_SENT)


def raised_from(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


def test_over_http2_a_local_error_may_come_after_sending():
    class StreamClosed(Exception):  # noqa: N818 - the library's name
        __module__ = "h2.exceptions"

    error = raised_from(httpx.LocalProtocolError("x"), StreamClosed())
    made = to_transport_error(error, "http://host")
    assert made is not None
    assert made.phase is Phase.UNKNOWN


@pytest.mark.parametrize("wrap", [True, False])
def test_an_untrusted_certificate_will_not_pass(wrap):
    bad = ssl.SSLCertVerificationError()
    error = (
        raised_from(httpx.ConnectError("x"), httpcore.ConnectError(bad))
        if wrap
        else (raised_from(httpcore.ConnectError("x"), bad))
    )
    made = to_transport_error(error, "http://host")
    assert made is not None
    assert (made.phase, made.transient) == (Phase.NOT_SENT, False)


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        (httpcore.ReadTimeout(), EvolutionTimeoutError),
        (httpcore.RemoteProtocolError(), ConnectionFailedError),
    ],
)
def test_nothing_is_unknown_before_the_request_was_written(error, wanted):
    made = to_transport_error(error, "http://host", sent=False)
    assert type(made) is wanted
    assert made.phase is Phase.NOT_SENT


def test_local_errors_are_not_transient_and_others_are():
    local = to_transport_error(httpx.UnsupportedProtocol("x"), "http://host")
    lost = to_transport_error(httpx.ReadError("x"), "http://host")
    assert local is not None
    assert lost is not None
    assert (local.transient, lost.transient) == (False, True)
