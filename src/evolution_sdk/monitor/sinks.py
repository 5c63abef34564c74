"""Sinks of alerts: the log, a function, a URL, a WhatsApp number."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol, TypeAlias

from evolution_sdk._base.request import Request, Timeouts
from evolution_sdk.errors import ConfigurationError, ServerError
from evolution_sdk.transport import SyncTransport, open_sync_transport

from .alert import Alert

__all__ = ["CallableSink", "HttpSink", "LogSink", "Sink", "WhatsAppSink", "alert_text"]

_LEVELS: Final[Mapping[str, int]] = {
    "info": logging.INFO,
    "warning": logging.WARNING,
    "critical": logging.ERROR,
}
_FIRST_BAD_STATUS: Final = 300
# Only the status of an answer matters.
_MOST_ANSWER_BYTES: Final = 1_000_000

Delivered: TypeAlias = Awaitable[object] | object


class Sink(Protocol):
    """Takes alerts, when they are raised and again when they are over."""

    @property
    def name(self) -> str:
        """Name of the sink, for logs and ``monitoringError``."""
        ...

    def deliver(self, alert: Alert) -> Delivered:
        """Hand on an alert, sync or async; after an error, it is tried again."""
        ...


def alert_text(alert: Alert) -> str:
    """Write an alert in one line, without its pairing code."""
    # Words only: whoever reads the log must not be able to pair a phone.
    mark = "RESOLVED" if alert.resolved_at is not None else alert.severity.upper()
    return f"[{mark}] {alert.rule}: {alert.words}"


class LogSink:
    """Writes alerts to a logger.

    Args:
        logger: The logger. Default: ``evolution_sdk.monitor``.
    """

    name: str = "log"

    def __init__(self, logger: logging.Logger | None = None) -> None:
        self._logger = logger or logging.getLogger("evolution_sdk.monitor")

    def deliver(self, alert: Alert) -> None:
        """Log the alert; its end as information."""
        level = logging.INFO if alert.resolved_at is not None else _LEVELS[alert.severity]
        self._logger.log(level, "%s", alert_text(alert))


class CallableSink:
    """Calls a function.

    Args:
        fn: Takes the alert; sync or async.
        name: For logs. Default: the function's name.
    """

    def __init__(self, fn: Callable[[Alert], Delivered], name: str | None = None) -> None:
        self._fn = fn
        self.name: str = name or str(getattr(fn, "__name__", "callable"))

    def deliver(self, alert: Alert) -> Delivered:
        """Call the function."""
        return self._fn(alert)


class HttpSink:
    """Posts alerts as JSON. Any answer but 2xx makes it be tried again.

    Args:
        url: The URL.
        headers: Further headers, such as an authorization.
        timeout_ms: Longest time of one try as a whole, in milliseconds.
        include_pairing: Whether the codes that connect a phone are part of it.
        transport: A transport instead of one of its own.

    Raises:
        ConfigurationError: The URL is not http(s).
    """

    name: str = "http"

    def __init__(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        timeout_ms: float = 10_000,
        include_pairing: bool = True,
        transport: SyncTransport | None = None,
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise ConfigurationError("url must begin with http:// or https://.", variable="url")
        self._url = url
        self._headers = {"content-type": "application/json", **(headers or {})}
        self._timeouts = Timeouts(timeout_ms, timeout_ms, timeout_ms, timeout_ms, timeout_ms)
        self._include_pairing = include_pairing
        self._transport = transport
        self._own: SyncTransport | None = None

    def deliver(self, alert: Alert) -> None:
        """Post the alert.

        Raises:
            ServerError: The answer was not 2xx.
            TransportError: No answer came.
        """
        transport = self._transport or self._opened()
        body = json.dumps(_as_json(alert, self._include_pairing)).encode()
        request = Request(
            "POST", self._url, self._headers, self._timeouts, body,
            max_response_bytes=_MOST_ANSWER_BYTES,
        )  # fmt: skip
        response = transport.send(request)
        # Redirects are not followed: they would carry the pairing code elsewhere.
        if response.status >= _FIRST_BAD_STATUS:
            raise ServerError(response.status, ("the alert was not taken",))

    def close(self) -> None:
        """Close its own transport, if it opened one."""
        if self._own is not None:
            self._own.close()
            self._own = None

    def _opened(self) -> SyncTransport:
        self._own = self._own or open_sync_transport()
        return self._own


class SendingClient(Protocol):
    """A client that can send; both clients of this package are one."""

    def instance(self, name: str, /) -> Any:
        """Return a handle of an instance, with ``messages`` to send."""
        ...


class WhatsAppSink:
    """Sends alerts to a number, through an instance that had better not be the watched one.

    Args:
        client: A sync or async client.
        instance: The instance to send through.
        number: The number that gets them.
        pairing_image: Whether the QR code is sent along when a phone must be paired.
    """

    name: str = "whatsapp"

    def __init__(
        self, client: SendingClient, instance: str, number: str, *, pairing_image: bool = True
    ) -> None:
        self._client = client
        self._instance = instance
        self._number = number
        self._pairing_image = pairing_image

    def deliver(self, alert: Alert) -> Delivered:
        """Send the alert; one of unknown outcome is not sent again."""
        # Asked for at each delivery: the monitor's own client may have been made anew.
        messages = self._client.instance(self._instance).messages
        sent: Delivered
        pairing = alert.pairing
        text = alert_text(alert)
        if pairing is not None and pairing.base64 and self._pairing_image and not alert.resolved_at:
            from evolution_sdk.media import Media  # loads only where a code is sent

            image = Media.from_base64(pairing.base64, file_name="qr.png")
            sent = messages.send_media(self._number, image, caption=text)
        else:
            sent = messages.send_text(self._number, text)
        return sent


def _as_json(alert: Alert, include_pairing: bool) -> dict[str, Any]:
    body: dict[str, Any] = {
        "rule": alert.rule,
        "severity": alert.severity,
        "words": alert.words,
        "instance": alert.instance,
        "metric": alert.metric,
        "value": alert.value,
        "raised_at": alert.raised_at,
        "resolved_at": alert.resolved_at,
    }
    if include_pairing and alert.pairing is not None:
        pairing = alert.pairing
        body["pairing"] = {
            "code": pairing.code,
            "base64": pairing.base64,
            "pairing_code": pairing.pairing_code,
        }
    return body
