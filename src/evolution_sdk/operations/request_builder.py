"""From an operation and its arguments to the request that goes out: plain data, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic_core import to_json

from evolution_sdk._base.request import FilePart, Request
from evolution_sdk.config import EvolutionConfig
from evolution_sdk.errors import AuthenticationError

from .answer_bound import ANSWER_BOUND
from .build import Limits, form_fields, query_for, upload_ms, url_for
from .operation import Operation
from .target import Target

__all__ = ["RequestBuilder", "with_message_id"]

_MOST_URLS = 4_096


class RequestBuilder:
    """Makes the requests of one client.

    Args:
        config: Gives address, keys and time limits.
        key_source: Where the client's key came from: the name of a variable or an argument.
    """

    def __init__(self, config: EvolutionConfig, key_source: str) -> None:
        times = config.timeout
        self._base_url = config.base_url
        self._limits = Limits(times.connect_ms, times.read_ms, times.send_ms, times.media_ms)
        self._api_key = config.api_key.get_secret_value()
        self._server_key = config.server_key.get_secret_value()
        self._key_source = key_source
        self.keys: tuple[str, ...] = (self._api_key, self._server_key)
        self._most_bytes = config.http.max_response_bytes
        self._urls: dict[tuple[str, str | None], str] = {}

    def request(
        self,
        operation: Operation[Any],
        target: Target,
        body: Mapping[str, Any] | None,
        *,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, str | None] | None = None,
        headers: Mapping[str, str] | None = None,
        file: FilePart | None = None,
        hold_ms: float = 0,
        timeout_ms: float | None = None,
        most_ms: float | None = None,
    ) -> Request:
        """Make the request of one call.

        Args:
            operation: What is called.
            target: For which instance, and with which key.
            body: JSON body, or the text fields next to ``file``.
            path: Values of the route's placeholders beside the instance.
            query: Query values by key.
            headers: Further headers, with lower-case names.
            file: The file part of a multipart request.
            hold_ms: How long the server holds the answer on purpose, in milliseconds.
            timeout_ms: The time limit that was asked for, in milliseconds. Default: by the kind
                of operation.
            most_ms: The most an attempt may take, in milliseconds. Default: no bound.

        Returns:
            The request.
        """
        if path is None:
            url = self._url(operation, target.instance)
        else:
            url = url_for(self._base_url, operation, target.instance, path)
        if query:
            url += query_for(operation, query)
        sent = {"accept": "application/json", **(headers or {})}
        if operation.auth != "none":
            # An instance's own token before the client's key; the server's key for global routes.
            own = target.token or self._api_key
            sent["apikey"] = self._server_key if operation.auth == "global" else own
        content: bytes | None = None
        fields: tuple[tuple[str, str], ...] = ()
        if file is not None:
            fields = form_fields(body or {})
        elif body is not None:
            content = _written(body)
            sent["content-type"] = "application/json"
        # Nothing says how long a large body takes: the slowest upload that is worth it.
        held_ms = hold_ms + upload_ms(content, file)
        timeouts = self._limits.for_call(operation, timeout_ms, held_ms, most_ms)
        most_bytes = ANSWER_BOUND.get() or self._most_bytes
        return Request(operation.method, url, sent, timeouts, content, fields, file, most_bytes)

    def name_key(
        self, error: AuthenticationError, operation: Operation[Any], token: str | None
    ) -> None:
        """Let a refusal say where the key came from.

        Args:
            error: The refusal.
            operation: What was called.
            token: The instance's own key, or None for the client's.
        """
        needs_global = operation.auth == "global"
        source: str | None = self._key_source
        if operation.auth == "none":
            source = None
        elif needs_global and self._server_key != self._api_key:
            source = "EVOLUTION_AUTHENTICATION_API_KEY"
        elif token and not needs_global:
            source = "the token given to client.instance(…)"
        error.name_key(source, needs_global=needs_global)

    def patience_ms(self, operation: Operation[Any]) -> float:
        """Return the time the server is given for an operation by default, in milliseconds.

        Args:
            operation: What is called.
        """
        return self._limits.for_call(operation, None, 0).read_ms or 0.0

    def _url(self, operation: Operation[Any], instance: str | None) -> str:
        # Not by the name: routes without a declaration share one (see unlisted.py).
        cache_key = (operation.path, instance)
        url = self._urls.get(cache_key)
        if url is None:
            url = url_for(self._base_url, operation, instance)
            # Bounded for clients that serve very many instances; a URL is quickly built again.
            if len(self._urls) >= _MOST_URLS:
                self._urls.clear()
            self._urls[cache_key] = url
        return url


def with_message_id(request: Request, message_id: str) -> Request:
    """Add the id of the message to the request of a send.

    It is added last, so that equal messages differ in nothing else.

    Args:
        request: The request, with a body.
        message_id: The id: letters, digits and a few signs.

    Returns:
        The request with it.
    """
    if request.file is not None:
        return replace(request, fields=(*request.fields, ("messageId", message_id)))
    content = request.content
    if content is None or not content.endswith(b"}") or content == b"{}":
        return request
    # Written at the end of what is written already: a file in base64 is not encoded again.
    return replace(request, content=content[:-1] + f',"messageId":"{message_id}"}}'.encode())


def _written(body: Mapping[str, Any]) -> bytes:
    try:
        return to_json(body)
    except Exception:
        from pydantic.alias_generators import to_snake

        from evolution_sdk.models.base import json_of

        # Serialise field by field, to raise an error that names the one at fault.
        for name, value in body.items():
            json_of(to_snake(name), value)
        raise
