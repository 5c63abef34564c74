"""The receiver as a WSGI application; mounts in Flask, Django and others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from .answers import Answer

if TYPE_CHECKING:
    from .receiver import WebhookReceiver

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], object]

_CHUNK = 8 * 1024


class WsgiApp:
    """WSGI application of one receiver.

    Args:
        receiver: The receiver.
        clock: Seconds that only go forward.
    """

    def __init__(
        self, receiver: WebhookReceiver, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._receiver = receiver
        self._clock = clock

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        receiver = self._receiver
        method = environ.get("REQUEST_METHOD", "")
        headers = list(_headers(environ))
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
        """The body, or one byte too much of it; or why it is not here."""
        stream = environ["wsgi.input"]
        told = str(environ.get("CONTENT_LENGTH") or "")
        chunked = bool(environ.get("wsgi.input_terminated")) and not told
        most = self._receiver.max_body_bytes + 1
        left = most if chunked else int(told) if told.isascii() and told.isdigit() else 0
        # What is here at once, where the stream can say so: else a drip is seen piece by piece.
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
    for name, value in environ.items():
        if name.startswith("HTTP_"):
            yield name[5:].replace("_", "-"), value
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            yield name.replace("_", "-"), environ[name]


def _target(environ: Environ) -> str:
    raw = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if raw:
        return str(raw)
    query = environ.get("QUERY_STRING", "")
    path = f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}"
    return f"{path}?{query}" if query else path
