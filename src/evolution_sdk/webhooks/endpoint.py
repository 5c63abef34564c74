"""The steps in which a server adapter (ASGI, WSGI) takes one request to a receiver."""

from __future__ import annotations

from typing import Protocol

from .body import Headers
from .budget import BodyBudget
from .responses import Answer, Response


class Endpoint(Protocol):
    """A receiver, as far as an adapter needs it."""

    @property
    def max_body_bytes(self) -> int:
        """Most bytes of one body."""
        ...

    @property
    def body_timeout_ms(self) -> float:
        """Longest time for a body to arrive, in milliseconds."""
        ...

    @property
    def budget(self) -> BodyBudget:
        """Room for all bodies together that arrive or are being judged."""
        ...

    def judge_head(self, method: str, headers: Headers, /) -> Answer | None:
        """Judge a request before its body is read; None lets it pass."""
        ...

    def handle_body(self, path: str, headers: Headers, body: bytes, /) -> Response:
        """Handle a request that passed, blocking."""
        ...

    async def handle_body_async(self, path: str, headers: Headers, body: bytes, /) -> Response:
        """Handle a request that passed, awaiting."""
        ...

    def answer(self, answer: Answer, /) -> Response:
        """Count an answer and make its response."""
        ...

    async def start_async(self) -> object:
        """Begin to handle events."""
        ...

    async def close_async(self) -> None:
        """End."""
        ...
