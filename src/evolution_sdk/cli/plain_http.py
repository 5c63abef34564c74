"""Requests to addresses that are no server of the client's: webhooks, and ``GET /`` with its head.

The client's transport reads answers of the server; here status and head are all that is wanted.
"""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self

from evolution_sdk._base.json_types import is_object
from evolution_sdk._cli.language import t
from evolution_sdk.cli.unreached import why

__all__ = ["Answer", "PlainHttp", "webhook_headers"]

_MOST_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, or why there was none.

    Attributes:
        status: Its HTTP status; None without one.
        problem: Why there was none; empty if there was one.
        headers: Its headers, by their names in lower case.
        told: Its body where that is a small JSON object.
    """

    status: int | None = None
    problem: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    told: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)

    @property
    def is_success(self) -> bool:
        """True for 2xx."""
        return self.status is not None and self.status // 100 == 2


class PlainHttp:
    """Makes requests, each once: no redirect is followed, and no variable of a proxy heeded.

    Args:
        timeout_s: Longest wait for each step of a request, in seconds.
        verify: How certificates are verified. Default: by the usual authorities.
        proxy: Address of a proxy. Default: none.
    """

    def __init__(
        self, timeout_s: float, *, verify: ssl.SSLContext | bool = True, proxy: str | None = None
    ) -> None:
        import httpx

        self._library: Any = httpx
        self._client = httpx.Client(timeout=timeout_s, verify=verify, proxy=proxy, trust_env=False)

    def ask(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Make a request; never raises for what comes of it.

        Args:
            method: The HTTP method.
            url: The address.
            body: The body.
            headers: Headers beside the usual ones.
        """
        try:
            got = self._client.request(method, url, content=body, headers=headers)
        except self._library.HTTPError as error:
            return Answer(problem=why(error))
        except (self._library.InvalidURL, ValueError):
            return Answer(problem=t("not a URL", "não é uma URL"))
        named = {name.lower(): value for name, value in got.headers.items()}
        return Answer(got.status_code, "", named, _object(got.content))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._client.close()


def webhook_headers(jwt_key: str | None) -> dict[str, str]:
    """Make the headers of a post to a webhook, as the server makes them.

    Args:
        jwt_key: Key to sign with; None to post without a token.
    """
    headers = {"content-type": "application/json"}
    if jwt_key is not None:
        from evolution_sdk.webhooks import sign_token

        # Anew for each: the server's tokens are valid for ten minutes.
        headers["authorization"] = f"Bearer {sign_token(jwt_key, time.time())}"
    return headers


def _object(body: bytes) -> Mapping[str, Any]:
    if len(body) > _MOST_BYTES:
        return {}
    try:
        told: Any = json.loads(body)
    except ValueError:
        return {}
    return told if is_object(told) else {}
