"""A receiver as a WSGI application; mounts in Flask, Django and others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any

from .body import try_lower_headers
from .endpoint import Endpoint
from .responses import Answer

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], object]

_CHUNK = 8 * 1024


class WsgiApp:
    """WSGI application of one receiver.

    Args:
        receiver: The receiver.
        clock: Seconds that only go forward.
    """

    def __init__(self, receiver: Endpoint, clock: Callable[[], float] = time.monotonic) -> None:
        self._receiver = receiver
        self._clock = clock

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        receiver = self._receiver
        method = environ.get("REQUEST_METHOD", "")
        headers = try_lower_headers(list(_headers(environ)))
        refused = receiver.judge_head(method, headers)
        if refused is None:
            with receiver.budget.lease() as lease:
                body = self._read(environ, lease.add)
                if isinstance(body, Answer):
                    response = receiver.answer(body)
                else:
                    response = receiver.handle_body(_target(environ), headers, body)
        else:
            response = receiver.answer(refused)
        status, named, content = response
        start_response(f"{status} {HTTPStatus(status).phrase}", list(named.items()))
        return [content]

    def _read(self, environ: Environ, room: Callable[[int], bool]) -> bytes | Answer:
        """Read the body, or one byte too much of it; or say why it is not here."""
        stream = environ["wsgi.input"]
        told = str(environ.get("CONTENT_LENGTH") or "")
        chunked = bool(environ.get("wsgi.input_terminated")) and not told
        # Without a length and without a server that ends the stream, a read would wait for ever.
        most = self._receiver.max_body_bytes + 1
        left = most if chunked else int(told) if told.isascii() and told.isdigit() else 0
        # read1 gives what has arrived; read waits for a whole piece, and a slow sender would be
        # noticed late.
        read = getattr(stream, "read1", stream.read)
        until = self._clock() + self._receiver.body_timeout_ms / 1_000
        parts: list[bytes] = []
        try:
            while left > 0:
                part = read(min(left, _CHUNK))
                if not part:
                    return b"".join(parts) if chunked else Answer.SLOW_BODY
                if not room(len(part)):
                    return Answer.BUSY
                parts.append(part)
                left -= len(part)
                if left > 0 and self._clock() > until:
                    return Answer.SLOW_BODY
        except Exception:  # noqa: BLE001 - servers have errors of their own for one who went away
            return Answer.SLOW_BODY
        return b"".join(parts)


def _headers(environ: Environ) -> Iterator[tuple[str, str]]:
    # WSGI keeps the two of them apart from the other headers.
    for name, value in environ.items():
        if name.startswith("HTTP_"):
            yield name[5:].replace("_", "-"), value
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            yield name.replace("_", "-"), environ[name]


def _target(environ: Environ) -> str:
    # gunicorn and uWSGI keep the URL as it was asked for; PATH_INFO is decoded.
    raw = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if raw:
        return str(raw)
    query = environ.get("QUERY_STRING", "")
    path = f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}"
    return f"{path}?{query}" if query else path
