"""The steps that every transport takes before it opens a connection."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

from evolution_sdk._base.request import Request
from evolution_sdk.errors import (
    ClientClosedError,
    ConfigurationError,
    EvolutionError,
    TransportError,
)

from ._body import ChunkedBody, encode_body, request_headers
from ._deadline import Deadline
from ._mapping import odd_failure, to_transport_error
from ._url import Origin, split_url

__all__ = [
    "LoopGuard",
    "Prepared",
    "RequestState",
    "check_open",
    "failure_of",
    "prepare",
    "seconds",
]


class Prepared(NamedTuple):
    """A request taken apart for writing."""

    origin: Origin
    target: str
    headers: dict[str, str]
    body: bytes | ChunkedBody | None


class RequestState:
    """Progress of one request through a transport.

    Args:
        request: The request.

    Attributes:
        deadline: The end of the attempt.
        most_bytes: Most bytes of the response body.
        sent: True once writing of the request may have begun, False while it surely has not, None
            while unknown.
        stream: The connection being made, if the library reports it.
    """

    __slots__ = ("_url", "deadline", "most_bytes", "sent", "stream")

    def __init__(self, request: Request) -> None:
        self._url = request.url
        self.deadline = Deadline(request.timeouts.total_ms)
        self.most_bytes = request.max_response_bytes
        self.sent: bool | None = None
        self.stream: Any = None

    @property
    def host(self) -> str:
        """The host that the request goes to."""
        return split_url(self._url)[0].host


def prepare(request: Request, *, closed: bool) -> Prepared:
    """Take a request apart and check it; nothing has been sent when this raises.

    Args:
        request: The request.
        closed: True if the transport has been closed.

    Returns:
        The request, ready to be written.

    Raises:
        ClientClosedError: The transport has been closed.
        ConnectionFailedError: The URL or a header cannot be sent; phase NOT_SENT.
        RequestValidationError: The file cannot be read.
    """
    # Everything that can be wrong with a request is found here, before a connection is opened, so
    # that such an error proves that nothing was sent.
    check_open(closed=closed)
    origin, target = split_url(request.url)
    headers = request_headers(request, origin)
    return Prepared(origin, target, headers, encode_body(request, headers))


def check_open(*, closed: bool) -> None:
    """Raise if the transport is closed.

    Raises:
        ClientClosedError: It is closed.
    """
    if closed:
        raise ClientClosedError


def failure_of(error: Exception, origin: Origin, *, sent: bool | None = None) -> TransportError:
    """Translate whatever a library raised into the SDK's error.

    Our own errors are raised again unchanged, and so is a failed assertion, which belongs to a
    test: respx reports an unmocked route by one.

    Args:
        error: The exception being handled.
        origin: The server it concerns.
        sent: True if the request was handed over, False if not, None if only the exception tells.

    Returns:
        The error to raise.
    """
    if isinstance(error, EvolutionError | AssertionError):
        raise error
    # The origin only: path and query may hold names, the URL credentials.
    where = str(origin)
    return to_transport_error(error, where, sent=sent) or odd_failure(error, where, sent=sent)


def seconds(milliseconds: float | None) -> float | None:
    """Convert milliseconds to the seconds that the libraries count in."""
    return None if milliseconds is None else milliseconds / 1000


class LoopGuard:
    """Remembers the event loop that opened the connections, which cannot be used in another."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    def entered_new_loop(self) -> bool:
        """Note the running loop.

        Returns:
            True if it is a new one, so that the earlier connections are useless.

        Raises:
            ConfigurationError: The earlier loop is still open; its connections cannot be shared.
        """
        loop = asyncio.get_running_loop()
        if loop is self._loop:
            return False
        if self._loop is not None and not self._loop.is_closed():
            raise ConfigurationError(
                "This client is in use in another event loop. Create one client per event loop."
            )
        self._loop = loop
        return True

    def is_current(self) -> bool:
        """Return True if the running loop is the one that the connections belong to."""
        return self._loop is asyncio.get_running_loop()
