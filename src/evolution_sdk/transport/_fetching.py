"""Parts of fetching media files shared by both colours: checked addresses, bounded reading.

A name is looked up once, and the connection goes to the very address that was checked, so that a
name that resolves differently the second time (DNS rebinding) gains nothing. Each fetch has a
connection of its own, separate from those of the API calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import httpcore

from evolution_sdk._base.effect import Phase
from evolution_sdk._base.request import Response
from evolution_sdk._version import __version__
from evolution_sdk.errors import (
    ConnectionFailedError,
    EvolutionError,
    EvolutionTimeoutError,
    RequestValidationError,
)

from ._answer import DamagedBodyError, ResponseReader, header_map
from ._deadline import Deadline
from ._httpcore import pool_arguments
from ._mapping import classify
from ._options import TransportOptions
from ._url import Origin, proxy_for, split_url
from .fetching import Fetch, Judge

__all__ = ["FileIntake", "explained", "left_s", "permitted", "pool_for", "request_for"]

# A name may have any number of addresses, and each costs up to a connect limit.
_MOST_ADDRESSES = 4
_OK = 200

PIECE_BYTES = 1024 * 1024
"""Size of the pieces that are handed over while a file is read."""

_FIELD = "media"


class AddressRefusedError(Exception):
    """A host has no address that may be connected to."""


class FetchRefusedError(Exception):
    """The file cannot be fetched; the text says why."""


def left_s(deadline: Deadline, limit_s: float | None = None) -> float | None:
    """Return the seconds for the next step of a fetch, at most its own limit.

    Raises:
        httpcore.ReadTimeout: No time is left.
    """
    left = deadline.left_s(limit_s)
    if left is not None and left <= 0:
        raise httpcore.ReadTimeout
    return left


def permitted(found: Iterable[Sequence[Any]], judge: Judge | None) -> list[str]:
    """Choose the addresses to connect to, in the resolver's order.

    Args:
        found: Result of ``getaddrinfo``.
        judge: Checks each address; None accepts all of them.

    Returns:
        At most four addresses.

    Raises:
        AddressRefusedError: No address may be used; the text names their purpose.
    """
    addresses = list(dict.fromkeys(str(row[4][0]) for row in found))
    if judge is None:
        return addresses[:_MOST_ADDRESSES]
    # Of a name with public and private addresses only the public ones are used.
    judged = [(address, judge(address)) for address in addresses]
    good = [address for address, purpose in judged if purpose is None]
    if not good:
        raise AddressRefusedError(next((p for _, p in judged if p), "unknown"))
    return good[:_MOST_ADDRESSES]


def request_for(fetch: Fetch) -> tuple[Origin, httpcore.Request]:
    """Make the request, without API key, cookie or referrer.

    Raises:
        EvolutionError: The URL cannot be sent.
    """
    origin, target = split_url(fetch.url)
    connect_s, total_s = fetch.connect_ms / 1_000, fetch.total_ms / 1_000
    limits = {"connect": connect_s, "read": total_s, "write": total_s, "pool": total_s}
    request = httpcore.Request(
        method="GET",
        url=httpcore.URL(
            scheme=origin.scheme.encode("ascii"),
            host=origin.host.encode("ascii"),
            port=origin.port,
            target=target.encode("ascii"),
        ),
        headers=[
            ("host", origin.host_header),
            ("accept", "*/*"),
            ("accept-encoding", "identity"),
            ("user-agent", f"evolution-sdk/{__version__}"),
            ("connection", "close"),  # each fetch has a connection of its own
        ],
        extensions={"timeout": limits},
    )
    return origin, request


def pool_for(options: TransportOptions, origin: Origin, fetch: Fetch) -> dict[str, Any]:
    """Return the arguments of the pool that makes the one connection.

    Raises:
        FetchRefusedError: A proxy would choose the address, which then cannot be checked.
    """
    if not fetch.trusted and proxy_for(options.proxy, origin) is not None:
        raise FetchRefusedError(
            "is not fetched through a proxy, which would choose the address itself; name its host "
            "in EVOLUTION_MEDIA_FETCH_HOSTS, or fetch it yourself and pass the content"
        )
    # One connection: a fetch is one request, and its pool ends with it.
    return {**pool_arguments(httpcore, options, origin), "max_connections": 1}


class FileIntake:
    """Reads a file and stops at the limit, not after it.

    The body of any status but 200, such as a redirect, is not the file and is not read.

    Args:
        status: Status of the response.
        raw: Its headers.
        limit_bytes: Most bytes of content, both as received and decoded.

    Raises:
        FetchRefusedError: More bytes than allowed are announced.
        DamagedBodyError: It has an encoding that cannot be decoded.
    """

    def __init__(self, status: int, raw: Iterable[tuple[bytes, bytes]], limit_bytes: int) -> None:
        headers = header_map(raw)
        self._limit = limit_bytes
        self._bare = Response(status, headers, b"")
        self._intake = ResponseReader(status, headers, limit_bytes) if status == _OK else None
        self._waiting = 0
        self.take(b"")  # raises for an announced size beyond the limit

    @property
    def wants_body(self) -> bool:
        """True if the body is the file."""
        return self._intake is not None

    def take(self, part: bytes) -> None:
        """Take a piece of the body.

        Raises:
            FetchRefusedError: There are more bytes than allowed.
            DamagedBodyError: They do not match the headers.
        """
        if self._intake is not None and not self._intake.feed(part):
            raise FetchRefusedError(
                f"the file is too large: at most {self._limit} bytes are allowed"
            )
        self._waiting += len(part)

    def ready(self) -> bytes:
        """Hand over what has been read, once there is enough of it for one step of work."""
        if self._intake is None or self._waiting < PIECE_BYTES:
            return b""
        return self.rest()

    def rest(self) -> bytes:
        """Hand over whatever has been read; the response will be without it."""
        self._waiting = 0
        return self._intake.taken() if self._intake is not None else b""

    def response(self) -> Response:
        """Return the whole response.

        Raises:
            DamagedBodyError: Its content is cut short.
        """
        return self._bare if self._intake is None else self._intake.response()


def explained(error: Exception, url: str) -> EvolutionError:
    """Make the SDK's error for a failed fetch; an unknown exception is raised again unchanged.

    Args:
        error: The exception being handled.
        url: The URL that was fetched; only its host is shown.

    Returns:
        The error to raise.
    """
    if isinstance(error, EvolutionError):
        return error
    if isinstance(error, FetchRefusedError):
        return RequestValidationError(_FIELD, str(error))
    if isinstance(error, DamagedBodyError):
        return RequestValidationError(
            _FIELD, f"the URL answered with content that does not fit its content-encoding: {error}"
        )
    if isinstance(error, AddressRefusedError):
        return RequestValidationError(
            _FIELD,
            f"leads to an address of this kind: {error}. Files are fetched from public addresses "
            "only; for a server of yours, name its host in EVOLUTION_MEDIA_FETCH_HOSTS",
        )
    where = _shown(url)
    if isinstance(error, UnicodeError):
        return RequestValidationError(_FIELD, "must be a URL whose host can be looked up")
    verdict = classify(error)
    if verdict is None:
        raise error
    if verdict.error is EvolutionTimeoutError:
        text = f"{where} did not deliver the file in time; nothing was sent. Try again later."
    elif not verdict.transient:
        text = f"The file was not fetched: the TLS certificate of {where} could not be verified."
    else:
        text = f"The file could not be fetched from {where}; nothing was sent. Check the URL."
    # NOT_SENT, whatever happened to the fetch: the message itself has not been sent yet.
    made = verdict.error(text, phase=Phase.NOT_SENT)
    if not verdict.transient:
        made.transient = False
    return made


def _shown(url: str) -> str:
    try:
        return str(split_url(url)[0])
    except ConnectionFailedError:
        return "the host"
