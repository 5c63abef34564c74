"""Requests and answers of ASGI, as far as the console needs them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from evolution_sdk.monitor.words import Words, both

from .access import Scope, headers_of
from .book import to_json

__all__ = [
    "ACT_HEADER",
    "SECURITY",
    "BodyTooLargeError",
    "GoneError",
    "Receive",
    "Reply",
    "Send",
    "failure",
    "is_same_origin",
    "json_reply",
    "path_of",
    "read_body",
    "reply",
]

Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]

ACT_HEADER: Final = "x-evolution-console"
"""A page of another origin cannot send it without asking first."""

SECURITY: Final[Mapping[str, str]] = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
}
"""Headers of every answer."""

_MOST_BODY: Final = 65_536
_BODY_S: Final = 10.0


class BodyTooLargeError(Exception):
    """A body is larger than any that the console takes."""


class GoneError(Exception):
    """Whoever asked has gone, or is too slow."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer.

    Attributes:
        status: HTTP status.
        body: The body.
        headers: Headers beside those of every answer.
    """

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


def json_reply(status: int, value: object, headers: Mapping[str, str] | None = None) -> Reply:
    """Make an answer of JSON, which nobody may keep.

    Args:
        status: HTTP status.
        value: The value, or its JSON.
        headers: Further headers.
    """
    body = value if isinstance(value, bytes) else to_json(value)
    own = {"content-type": "application/json", "cache-control": "no-store", **(headers or {})}
    return Reply(status, body, own)


def failure(status: int, error: str, words: Words, **more: Any) -> Reply:
    """Make an answer that says what is wrong, as data.

    Args:
        status: HTTP status.
        error: A code.
        words: The trouble in words.
        more: Further fields.
    """
    return json_reply(status, {"ok": False, "error": error, "words": words, **more})


NOT_FOUND: Final = failure(404, "missing", both("there is no such page", "não existe tal página"))


async def reply(send: Send, answer: Reply, *, head: bool = False) -> None:
    """Send an answer.

    Args:
        send: ASGI's.
        answer: The answer.
        head: True to leave the body out.
    """
    named = {**SECURITY, **answer.headers}
    if answer.status != 304:
        named["content-length"] = str(len(answer.body))
    headers = [(name.encode(), value.encode("latin-1")) for name, value in named.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else answer.body})


async def read_body(receive: Receive) -> bytes:
    """Read the body of a request.

    Args:
        receive: ASGI's.

    Raises:
        BodyTooLargeError: It is too large.
        GoneError: It does not come.
    """
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(_BODY_S):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise GoneError
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > _MOST_BODY:
                    raise BodyTooLargeError
                if not message.get("more_body", False):
                    return b"".join(parts)
    except TimeoutError:
        raise GoneError from None


def path_of(scope: Scope) -> str | None:
    """Return the path below the place where the console is mounted; None for the place itself.

    Args:
        scope: The scope; frameworks tell the place as ``root_path``, and some strip it off.
    """
    path, root = str(scope.get("path", "")), str(scope.get("root_path", "")).rstrip("/")
    if root and path.startswith(root) and path[len(root) : len(root) + 1] in ("", "/"):
        path = path[len(root) :]
    return path.removeprefix("/") if path else None


def is_same_origin(scope: Scope) -> bool:
    """Tell if a request that changes something comes from the console's own page.

    Args:
        scope: The scope. What is no browser sends none of these headers, and is let pass.
    """
    headers = headers_of(scope)
    site = headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    if origin is None:
        return True
    # The scheme may differ where a proxy ends TLS; the host and port may not.
    return bool(origin) and urlsplit(origin).netloc.lower() == headers.get("host", "").lower()
