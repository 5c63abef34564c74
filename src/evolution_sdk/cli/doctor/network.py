"""Looking at addresses by plain HTTP and TLS: what was seen, without judging it."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit

from evolution_sdk.cli.plain_http import PlainHttp, webhook_headers
from evolution_sdk.cli.shown_url import shown_url
from evolution_sdk.config import EvolutionConfig

from .address_findings import ReachSeen, TlsSeen

__all__ = ["look_at_server", "look_at_tls", "look_at_webhook", "post_empty"]

_LIMIT_S: Final = 10.0


def look_at_tls(config: EvolutionConfig) -> TlsSeen | None:
    """Make a handshake with the server.

    Args:
        config: The settings.

    Returns:
        What it showed; None for http, or where nothing listens.
    """
    parts = urlsplit(config.base_url)
    if parts.scheme != "https":
        return None
    if config.http.proxy is not None:
        return TlsSeen(proxied=True)
    verify = config.http.tls_verify
    if verify is False:
        return TlsSeen(verified=False)
    host = parts.hostname or ""
    try:
        context = _context(verify)
        with (
            socket.create_connection((host, parts.port or 443), timeout=_LIMIT_S) as raw,
            context.wrap_socket(raw, server_hostname=host) as secured,
        ):
            ends: Any = (secured.getpeercert() or {}).get("notAfter")
    except ssl.SSLCertVerificationError as error:
        return TlsSeen(problem=str(error.verify_message))
    except ssl.SSLError as error:
        return TlsSeen(problem=str(error.reason or type(error).__name__))
    except OSError:
        return None
    if not isinstance(ends, str):
        return TlsSeen()
    return TlsSeen(expires=datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC))


def _context(verify: bool | str) -> ssl.SSLContext:
    if isinstance(verify, str):
        return ssl.create_default_context(cafile=verify)
    import certifi

    return ssl.create_default_context(cafile=certifi.where())


def look_at_server(
    config: EvolutionConfig, now: Callable[[], datetime], clock: Callable[[], float]
) -> ReachSeen:
    """Ask ``GET /``, without the key.

    Args:
        config: The settings.
        now: Tells the time (aware).
        clock: Seconds that never go back.
    """
    verify = config.http.tls_verify
    context: ssl.SSLContext | bool = _context(verify) if verify is not False else False
    proxy = None if config.http.proxy is None else config.http.proxy.get_secret_value()
    with PlainHttp(_LIMIT_S, verify=context, proxy=proxy) as http:
        begun = clock()
        answer = http.ask("GET", f"{config.base_url}/")
        elapsed_s = clock() - begun
    if answer.status is None:
        return ReachSeen(problem=answer.problem)
    leads_on = answer.status // 100 == 3
    return ReachSeen(
        status=answer.status,
        is_server=answer.is_success and "Evolution API" in str(answer.told.get("message", "")),
        version=str(answer.told.get("version") or ""),
        web_version=str(answer.told.get("whatsappWebVersion") or "")[:40],
        redirect=shown_url(answer.headers.get("location", "")) if leads_on else "",
        elapsed_ms=elapsed_s * 1_000,
        clock_off_s=_clock_off(answer.headers.get("date"), now(), elapsed_s),
    )


def _clock_off(date: str | None, now: datetime, elapsed_s: float) -> float | None:
    if date is None:
        return None
    try:
        told = parsedate_to_datetime(date)
    except ValueError:
        return None
    if told.tzinfo is None:
        told = told.replace(tzinfo=UTC)
    off = (told - now).total_seconds()
    # A Date has whole seconds, and was written somewhere between question and answer.
    most_s = elapsed_s + 1.0
    return 0.0 if -most_s <= off <= 0 else off


def look_at_webhook(url: str) -> tuple[int | None, str]:
    """Ask a webhook by HEAD: a receiver answers, and handles nothing.

    Args:
        url: Its address.

    Returns:
        The status of its answer, or None and why there was none.
    """
    with PlainHttp(_LIMIT_S) as http:
        answer = http.ask("HEAD", url)
    return answer.status, answer.problem


def post_empty(url: str, jwt_key: str | None) -> int | None:
    """Post an empty object, which is no event.

    Args:
        url: The address of the webhook.
        jwt_key: Key to sign with; None to post without a token.

    Returns:
        The status of the answer; None without one.
    """
    with PlainHttp(_LIMIT_S) as http:
        return http.ask("POST", url, body=b"{}", headers=webhook_headers(jwt_key)).status
