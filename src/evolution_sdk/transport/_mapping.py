"""Mapping of an HTTP library's exceptions to our errors and to the phase of the request.

The tables name classes instead of importing them, so that no library is loaded to read an error.
A test runs every exception class of every supported library through them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from evolution_sdk._base.effect import Phase
from evolution_sdk.errors import ConnectionFailedError, EvolutionTimeoutError, TransportError

__all__ = ["Verdict", "classify", "odd_failure", "to_transport_error"]


class Verdict(NamedTuple):
    """Meaning of one exception class.

    Attributes:
        error: The SDK's error to raise.
        phase: How far the request got.
        text: Message with the failure and the next step; ``{where}`` is the server's origin,
            ``{what}`` the class of an unexpected exception.
        transient: True if the same call may succeed later.
    """

    error: type[TransportError]
    phase: Phase
    text: str
    transient: bool = True


_CONNECT = Verdict(
    ConnectionFailedError,
    Phase.NOT_SENT,
    "Could not connect to {where}. Check EVOLUTION_API_URL and that the server is running.",
)
_CONNECT_TIMEOUT = Verdict(
    EvolutionTimeoutError,
    Phase.NOT_SENT,
    "{where} did not accept a connection in time. Check EVOLUTION_API_URL and the network.",
)
_POOL_TIMEOUT = Verdict(
    EvolutionTimeoutError,
    Phase.NOT_SENT,
    "No connection to {where} became free in time. Call less at once, or pass a transport that was "
    "opened with TransportOptions(max_connections=…).",
)
_TLS = Verdict(
    ConnectionFailedError,
    Phase.NOT_SENT,
    "The TLS certificate of {where} could not be verified. Set EVOLUTION_TLS_VERIFY to the path of "
    "its CA.",
    transient=False,
)
_PROXY = Verdict(
    ConnectionFailedError,
    Phase.NOT_SENT,
    "The proxy did not connect to {where}. Check EVOLUTION_HTTP_PROXY, or the HTTP(S)_PROXY "
    "variables.",
)
_LOCAL = Verdict(
    ConnectionFailedError,
    Phase.NOT_SENT,
    "The request to {where} could not be built. Check EVOLUTION_API_URL and EVOLUTION_API_KEY "
    "for characters that are not allowed there.",
    transient=False,
)
_LOST = Verdict(
    ConnectionFailedError,
    Phase.UNKNOWN,
    "The connection to {where} broke before an answer arrived; the request may have been done.",
)
_READ_TIMEOUT = Verdict(
    EvolutionTimeoutError,
    Phase.UNKNOWN,
    "{where} gave no answer in time; the request may still be done. Raise timeout_ms if the "
    "server is slow.",
)
_OVERDUE = Verdict(
    EvolutionTimeoutError,
    Phase.UNKNOWN,
    "{where} had not finished its answer when the time of the attempt was over; the request may "
    "still be done. Raise timeout_ms if the server is slow.",
)
_WRITE_TIMEOUT = Verdict(
    EvolutionTimeoutError,
    Phase.UNKNOWN,
    "{where} read the request too slowly, and the call was given up after part of it was sent. "
    "Raise timeout_ms, or send a smaller file.",
)
_GARBLED = Verdict(
    ConnectionFailedError,
    Phase.UNKNOWN,
    "{where} hung up without a complete answer, or answered with something that is not HTTP; the "
    "request may have been done. If it always happens, check that EVOLUTION_API_URL is the API.",
)
_STALE = Verdict(
    ConnectionFailedError,
    Phase.UNKNOWN,
    "{where}, or a proxy in front of it, sent an answer before the request, so it belongs to "
    "another request; the outcome of this one is unknown. Check the proxy in front of the server.",
)
_DAMAGED = Verdict(
    ConnectionFailedError,
    Phase.UNKNOWN,
    "The compressed answer of {where} is damaged; the request may have been done. "
    "Check the proxy in front of the server.",
)
_ODD = Verdict(
    ConnectionFailedError,
    Phase.UNKNOWN,
    "The HTTP library failed in an unexpected way ({what}) while it talked to {where}; the request "
    "may have been done. Its own error is the cause of this one.",
)
_ODD_BEFORE = Verdict(
    ConnectionFailedError,
    Phase.NOT_SENT,
    "The HTTP library failed in an unexpected way ({what}) before it reached {where}. "
    "Check EVOLUTION_API_URL; its own error is the cause of this one.",
    transient=False,
)
_HOOK = Verdict(
    ConnectionFailedError,
    Phase.UNKNOWN,
    "The http_client itself raised for the answer of {where}. Remove the event hook that does so.",
)

# httpx, httpcore, httpx2 and httpcore2 give the same names to the same things.
_HTTPX: Mapping[str, Verdict] = {
    "ConnectError": _CONNECT,
    "ConnectTimeout": _CONNECT_TIMEOUT,
    "PoolTimeout": _POOL_TIMEOUT,
    "ProxyError": _PROXY,
    "UnsupportedProtocol": _LOCAL,
    "InvalidURL": _LOCAL,
    "LocalProtocolError": _LOCAL,
    "ConnectionNotAvailable": _CONNECT,
    "ReadTimeout": _READ_TIMEOUT,
    "WriteTimeout": _WRITE_TIMEOUT,
    "TimeoutException": _READ_TIMEOUT,
    "RemoteProtocolError": _GARBLED,
    "ProtocolError": _GARBLED,
    "DecodingError": _DAMAGED,
    "CookieConflict": _HOOK,
    "TooManyRedirects": _HOOK,
    "HTTPStatusError": _HOOK,
    # Base classes: ReadError, WriteError, CloseError, and whatever a later version adds.
    "NetworkError": _LOST,
    "TransportError": _LOST,
    "RequestError": _LOST,
    "HTTPError": _LOST,
    "StreamError": _LOST,
}
_AIOHTTP: Mapping[str, Verdict] = {
    "ClientConnectorCertificateError": _TLS,
    "ServerFingerprintMismatch": _TLS,
    "ClientProxyConnectionError": _PROXY,
    "ClientHttpProxyError": _PROXY,
    "ClientConnectorError": _CONNECT,
    "ConnectionTimeoutError": _CONNECT_TIMEOUT,
    "InvalidURL": _LOCAL,
    "NonHttpUrlClientError": _LOCAL,
    "ServerTimeoutError": _READ_TIMEOUT,
    "ClientPayloadError": _LOST,
    "ClientResponseError": _GARBLED,
    # A redirect means that the first request was answered. These stand for themselves because the
    # first of them is an InvalidURL as well, which would count as not sent.
    "InvalidUrlRedirectClientError": _GARBLED,
    "NonHttpUrlRedirectClientError": _GARBLED,
    "RedirectClientError": _GARBLED,
    "WSMessageTypeError": _LOCAL,
    # ClientOSError, ServerDisconnectedError, and whatever a later version adds.
    "ClientError": _LOST,
    # Its HTTP parser's errors, usually wrapped in a ClientResponseError.
    "HttpProcessingError": _GARBLED,
}
_TABLES: Mapping[str, Mapping[str, Verdict]] = {
    "httpx": _HTTPX,
    "httpcore": _HTTPX,
    "httpx2": _HTTPX,
    "httpcore2": _HTTPX,
    "aiohttp": _AIOHTTP,
    "evolution_sdk": {
        "NoSlotError": _POOL_TIMEOUT,
        "SlowWriteError": _WRITE_TIMEOUT,
        "OverdueError": _OVERDUE,
        "LostAnswerError": _LOST,
        "DamagedBodyError": _DAMAGED,
        "NoAnswerError": _GARBLED,
        "StaleAnswerError": _STALE,
    },
    "builtins": {"TimeoutError": _READ_TIMEOUT, "OSError": _LOST, "EOFError": _LOST},
    # Exceptions that leak from the layer below the libraries, after a connection was made.
    "anyio": {
        "BrokenResourceError": _LOST,
        "ClosedResourceError": _LOST,
        "BusyResourceError": _LOST,
        "EndOfStream": _LOST,
    },
    "h11": {"ProtocolError": _GARBLED},
}


def classify(error: BaseException) -> Verdict | None:
    """Look up the meaning of an exception of an HTTP library.

    Args:
        error: Any exception raised by a library.

    Returns:
        The verdict, or None for an exception that is not about HTTP (cancellation, a bug) and must
        be left alone.
    """
    verdict = _look_up(type(error))
    # Only aiohttp has a class of its own for a certificate; httpx says ConnectError.
    if verdict is _CONNECT and _has_cause(error, "SSLCertVerificationError"):
        return _TLS
    # Over HTTP/2 (only in a client passed in) a LocalProtocolError may follow a request sent.
    if verdict is _LOCAL and any(_root(type(link)) == "h2" for link in _chain(error)):
        return _GARBLED
    return verdict


def to_transport_error(
    error: BaseException, where: str, *, sent: bool | None = None
) -> TransportError | None:
    """Translate a library's exception into the SDK's; raise the result ``from`` the original.

    Args:
        error: Any exception raised by a library.
        where: Origin of the server, without credentials or path.
        sent: False if surely no byte of the request itself was written, True if some may have been
            written, None if only the class of the exception can tell.

    Returns:
        The error to raise, or None when the exception must be left alone.
    """
    verdict = classify(error)
    if verdict is None:
        return None
    timed_out = verdict.error is EvolutionTimeoutError
    # The transport's own knowledge counts for more than the class of the exception: the libraries
    # raise the same class before and after a request is written.
    if sent is False and verdict.phase is Phase.UNKNOWN:
        verdict = _CONNECT_TIMEOUT if timed_out else _PROXY
    elif sent and verdict.phase is Phase.NOT_SENT:
        # The class names an earlier step than the one that was reached.
        verdict = _READ_TIMEOUT if timed_out else _LOST
    return _made(verdict, where)


def odd_failure(error: BaseException, where: str, *, sent: bool | None = None) -> TransportError:
    """Make the SDK's error for an exception that is not about HTTP, such as a library's bug.

    Args:
        error: The exception.
        where: Origin of the server.
        sent: See :func:`to_transport_error`; None counts as sent.

    Returns:
        The error to raise.
    """
    return _made(_ODD_BEFORE if sent is False else _ODD, where, type(error).__name__)


def _made(verdict: Verdict, where: str, what: str = "") -> TransportError:
    made = verdict.error(verdict.text.format(where=where, what=what), phase=verdict.phase)
    if not verdict.transient:
        made.transient = False
    return made


def _look_up(cls: type[BaseException]) -> Verdict | None:
    for base in cls.__mro__:
        table = _TABLES.get(_root(base))
        if table is not None and (verdict := table.get(base.__name__)) is not None:
            return verdict
    return None


def _root(cls: type) -> str:
    return cls.__module__.partition(".")[0]


def _has_cause(error: BaseException, name: str) -> bool:
    return any(type(link).__name__ == name for link in _chain(error))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the exception and those that it was raised from or while handling, newest first."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        # httpx wraps what was raised as an argument: ``ConnectError(SSLCertVerificationError())``.
        inner = error.args[0] if error.args else None
        if isinstance(inner, BaseException):
            yield inner
        error = error.__cause__ or error.__context__
