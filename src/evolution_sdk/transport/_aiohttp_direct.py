"""The short way through aiohttp: its connections and its parser, without its client on top.

``ClientSession.request`` builds a request object, a response object, a writer task and several
header maps for every call. A small JSON call over a direct connection needs none of them and takes
half the time without. Calls through proxies, large bodies, and an aiohttp whose parts have changed
go the long way through the client.
"""

from __future__ import annotations

import asyncio
import inspect
import ssl

import aiohttp
from aiohttp.client_proto import ResponseHandler
from yarl import URL

from evolution_sdk._base.request import Response

from ._answer import ResponseReader, header_map
from ._prepare import Prepared, RequestState
from ._url import Origin

__all__ = ["exchange", "is_possible", "make_template"]

_SWITCHING = 101


def is_possible() -> bool:
    """Return True if the installed aiohttp has the parts that this module calls."""
    # These parts are aiohttp's own and may change in any version; then the long way is taken.
    try:
        inspect.signature(aiohttp.TCPConnector.connect).bind(None, None, traces=[], timeout=None)
        inspect.signature(ResponseHandler.set_response_params).bind(
            None, skip_payload=True, read_until_eof=True, auto_decompress=False, read_timeout=None
        )
        inspect.signature(ResponseHandler.start_timeout).bind(None)
        inspect.signature(ResponseHandler.read).bind(None)
        inspect.signature(aiohttp.StreamReader.readany).bind(None)
        inspect.signature(aiohttp.StreamReader.at_eof).bind(None)
    except (AttributeError, TypeError, ValueError):
        return False
    return True


def make_template(origin: Origin, context: ssl.SSLContext | None) -> aiohttp.ClientRequest:
    """Make the request by which the connector finds connections to a server.

    Args:
        origin: The server.
        context: Its TLS settings, or None for plain HTTP.

    Returns:
        A request that serves all calls to that server.
    """
    loop = asyncio.get_running_loop()
    url = URL(str(origin), encoded=True)
    return aiohttp.ClientRequest("GET", url, loop=loop, ssl=context or True)


async def exchange(
    connector: aiohttp.BaseConnector,
    template: aiohttp.ClientRequest,
    method: str,
    prepared: Prepared,
    limits: aiohttp.ClientTimeout,
    state: RequestState,
) -> Response:
    """Send one small request and read its response.

    Args:
        connector: Lends the connection and takes it back.
        template: Result of ``make_template``.
        method: HTTP method.
        prepared: The request; its body must be bytes or None.
        limits: Time limits.
        state: Progress of the request; ``sent`` becomes True when writing starts.

    Returns:
        The response.
    """
    try:
        connection = await connector.connect(template, traces=[], timeout=limits)
    except TimeoutError as error:
        raise aiohttp.ConnectionTimeoutError from error
    try:
        protocol, transport = connection.protocol, connection.transport
        if protocol is None or transport is None:
            raise aiohttp.ServerDisconnectedError
        protocol.set_response_params(
            skip_payload=method == "HEAD",
            read_until_eof=True,
            auto_decompress=False,  # done here, with a bound on what comes out
            read_timeout=limits.sock_read,
        )
        state.sent = True
        transport.write(_serialise(method, prepared))
        protocol.start_timeout()
        message, payload = await protocol.read()
        # Interim responses such as 103 precede the real one; nothing follows a 101.
        while message.code < 200 and message.code != _SWITCHING:
            message, payload = await protocol.read()
        reader = ResponseReader(message.code, header_map(message.raw_headers), state.most_bytes)
        whole = True
        while whole and not payload.at_eof():
            whole = reader.feed(await payload.readany())
        response = reader.response()
    except BaseException:  # cancelled, too: a half-read connection must not be reused
        connection.close()
        raise
    if whole:
        connection.release()
    else:
        connection.close()
    return response


def _serialise(method: str, prepared: Prepared) -> bytes:
    """Write head and body as bytes."""
    # No escaping: ``prepare`` has refused anything that could break out of a line.
    lines = [f"{method} {prepared.target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in prepared.headers.items()]
    head = "\r\n".join(lines).encode("ascii") + b"\r\n\r\n"
    return head + prepared.body if isinstance(prepared.body, bytes) else head
