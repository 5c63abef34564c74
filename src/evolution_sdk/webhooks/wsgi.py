"""The receiver as a WSGI application; mounts in Flask, Django and others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from .answers import Answer

if TYPE_CHECKING:
    from .receiver import WebhookReceiver

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], object]

_CHUNK = 64 * 1024


class WsgiApp:
    """WSGI application of one receiver.

    Args:
        receiver: The receiver.
    """

    def __init__(self, receiver: WebhookReceiver) -> None:
        self._receiver = receiver

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        receiver = self._receiver
        method = environ.get("REQUEST_METHOD", "")
        headers = list(_headers(environ))
        refused = receiver.judge_head(method, headers)
        if refused is None:
            body = _read(environ, receiver.max_body_bytes)
            if body is None:
                response = receiver.answer(Answer.SLOW_BODY)
            else:
                response = receiver.handle_body(_target(environ), headers, body)
        else:
            response = receiver.answer(refused)
        status, named, content = response
        start_response(f"{status} {HTTPStatus(status).phrase}", list(named.items()))
        return [content]


def _headers(environ: Environ) -> Iterator[tuple[str, str]]:
    for name, value in environ.items():
        if name.startswith("HTTP_"):
            yield name[5:].replace("_", "-"), value
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            yield name.replace("_", "-"), environ[name]


def _read(environ: Environ, max_bytes: int) -> bytes | None:
    """The body, or one byte too much of it; None when it ended too early."""
    stream = environ["wsgi.input"]
    told = str(environ.get("CONTENT_LENGTH") or "")
    chunked = bool(environ.get("wsgi.input_terminated")) and not told
    left = max_bytes + 1 if chunked else int(told) if told.isascii() and told.isdigit() else 0
    parts: list[bytes] = []
    try:
        while left > 0:
            part = stream.read(min(left, _CHUNK))
            if not part:
                return b"".join(parts) if chunked else None
            parts.append(part)
            left -= len(part)
    except OSError:
        return None
    return b"".join(parts)


def _target(environ: Environ) -> str:
    raw = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if raw:
        return str(raw)
    query = environ.get("QUERY_STRING", "")
    path = f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}"
    return f"{path}?{query}" if query else path
