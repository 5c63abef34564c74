"""The rules by which webhooks are delivered: which, with which headers, and when again.

Nothing here does I/O. Facts: `facts/observed.md` "Webhooks", `facts/webhook_retries.json`,
`facts/versions/*/webhooks.json`, and `webhook.controller.ts` of the server's source.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from evolution_sdk.operations.server_version import ServerProfile
from evolution_sdk.testing.fake.js import JsonObject, as_list, as_object, truthy
from evolution_sdk.testing.fake.media import is_url
from evolution_sdk.testing.fake.schemas.common import SUBSCRIBABLE
from evolution_sdk.testing.fake.state import Instance

_TOKEN_LIFE_S: Final = 600
_WEB_ADDRESS: Final = re.compile(r"^https?://")
_UNWRITABLE: Final = re.compile(r"[^\t\x20-\x7e\x80-\xff]")

_AXIOS: Final = {"2.2.3": "axios/1.7.9", "2.3.6": "axios/1.21.1", "2.3.7": "axios/1.13.2"}
_AGENT_SINCE_2_4: Final = "EvolutionAPI-Webhook/2.3.7"

# The global webhook has a variable for each of these; no variable, no event (`env.config.ts`).
_GLOBAL: Final = frozenset(
    {*SUBSCRIBABLE, "INSTANCE_CREATE", "INSTANCE_DELETE", "MESSAGING_HISTORY_SET"}
)

_FIXED_ATTEMPTS: Final = 10
_FIXED_DELAY_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class WebhookOptions:
    """Settings of webhooks for the whole server: its variables ``WEBHOOK_…``.

    2.2.3 knows only those of the global webhook.

    Attributes:
        timeout_ms: Longest time of an attempt, in milliseconds (``WEBHOOK_REQUEST_TIMEOUT_MS``).
        max_attempts: Most attempts of one event (``WEBHOOK_RETRY_MAX_ATTEMPTS``).
        initial_delay_s: Shortest wait before another attempt, in seconds
            (``WEBHOOK_RETRY_INITIAL_DELAY_SECONDS``).
        exponential: Whether waits double (``WEBHOOK_RETRY_USE_EXPONENTIAL_BACKOFF``).
        max_delay_s: Longest wait before its jitter, in seconds
            (``WEBHOOK_RETRY_MAX_DELAY_SECONDS``).
        jitter: Most that a doubled wait differs, as a share of it
            (``WEBHOOK_RETRY_JITTER_FACTOR``).
        non_retryable: Statuses that end an event at once
            (``WEBHOOK_RETRY_NON_RETRYABLE_STATUS_CODES``).
        global_url: Address that gets the events of all instances, too (``WEBHOOK_GLOBAL_URL``).
        global_by_events: Whether the event's name is appended to it
            (``WEBHOOK_GLOBAL_WEBHOOK_BY_EVENTS``).
        global_events: Events it gets, such as ``MESSAGES_UPSERT`` (``WEBHOOK_EVENTS_…=true``);
            None means all that have such a variable: neither ``REMOVE_INSTANCE``,
            ``LOGOUT_INSTANCE`` and ``STATUS_INSTANCE`` nor changes of groups have one.
    """

    timeout_ms: float = 30_000
    max_attempts: int = 10
    initial_delay_s: float = 5.0
    exponential: bool = True
    max_delay_s: float = 300.0
    jitter: float = 0.2
    non_retryable: frozenset[int] = frozenset({400, 401, 403, 404, 422})
    global_url: str | None = None
    global_by_events: bool = False
    global_events: frozenset[str] | None = None

    def played_by(self, profile: ServerProfile) -> WebhookOptions:
        """Return the settings as a version follows them: before 2.3 retries were fixed."""
        if profile.has("deliveries_given_up"):
            return self
        return WebhookOptions(
            timeout_ms=float("inf"),
            max_attempts=_FIXED_ATTEMPTS,
            initial_delay_s=_FIXED_DELAY_S,
            exponential=False,
            non_retryable=frozenset(),
            global_url=self.global_url,
            global_by_events=self.global_by_events,
            global_events=self.global_events,
        )

    def wait_s(self, attempts: int, status: int | None, drawn: float) -> float | None:
        """Decide whether an event is tried again after a failed attempt.

        Args:
            attempts: Number of attempts so far.
            status: Status of the answer; None without one (time-out, lost connection).
            drawn: A random number from 0 to 1, for the jitter.

        Returns:
            The wait before the next attempt, in seconds; None when the event is given up.
        """
        if status in self.non_retryable or attempts >= self.max_attempts:
            return None
        if not self.exponential:
            return self.initial_delay_s
        wait = min(self.initial_delay_s * 2.0 ** (attempts - 1), self.max_delay_s)
        return max(self.initial_delay_s, wait + wait * self.jitter * (drawn * 2 - 1))


@dataclass(eq=False, slots=True)
class Delivery:
    """One event on its way to one address; every attempt sends the same bytes.

    Attributes:
        number: Its number, counted from 1.
        instance: Name of the instance.
        event: Name of the event.
        url: The address, with the event's name appended where that was asked for.
        headers: Names in lower case and values; body length and host are missing.
        envelope: The body.
        fault: Why no request can be made of it; such an attempt fails without reaching anyone.
        attempts: Number of attempts so far.
        due_ms: Time of the next attempt, in milliseconds since the epoch.
        under_way: Whether an attempt is being made.
        then: The same event for the global webhook, which waits until this one is over.
        releases: The instance whose deletion waits for this one.
    """

    number: int
    instance: str
    event: str
    url: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    envelope: JsonObject = field(repr=False)
    fault: str | None = None
    attempts: int = 0
    due_ms: float = 0.0
    under_way: bool = False
    then: Delivery | None = field(default=None, repr=False)
    releases: Instance | None = field(default=None, repr=False)

    @property
    def body(self) -> bytes:
        """The bytes, as ``JSON.stringify`` writes the envelope."""
        text = json.dumps(self.envelope, ensure_ascii=False, separators=(",", ":"))
        # JSON.stringify escapes half of a surrogate pair.
        return text.encode("utf-8", "backslashreplace")


@dataclass(frozen=True, slots=True)
class Post:
    """A request to be made for an event: where to, and with which headers."""

    url: str
    headers: tuple[tuple[str, str], ...]
    envelope: JsonObject
    fault: str | None


@dataclass(frozen=True, slots=True)
class Drop:
    """The reason why a subscribed event is sent to nobody."""

    url: str
    reason: str


def subscription(event: str) -> str:
    """Name the event as subscriptions do, such as ``MESSAGES_UPSERT``."""
    return re.sub(r"[.-]", "_", event).upper()


def posts(
    profile: ServerProfile,
    options: WebhookOptions,
    instance: Instance | None,
    envelope: JsonObject,
    now_ms: float,
) -> Iterator[Post | Drop]:
    """Decide where an event goes: to the instance's webhook, then to the global one.

    Args:
        profile: The server's version.
        options: Its settings.
        instance: The instance; None where it is not loaded.
        envelope: The envelope as recorded by the fake.
        now_ms: The time, in milliseconds since the epoch.

    Returns:
        What is to be posted, in the order in which the server does it, one after the other; and
        subscribed events that the server drops.
    """
    event = str(envelope["event"])
    name = subscription(event)
    webhook: JsonObject = (instance.webhook if instance is not None else None) or {}
    own = str(webhook.get("url") or "")
    suffix = name.replace("_", "-").lower()
    wanted = truthy(webhook.get("enabled")) and name in (as_list(webhook.get("events")) or [])
    chosen = _GLOBAL if options.global_events is None else _GLOBAL & options.global_events
    goes_global = options.global_url is not None and name in chosen
    if not wanted and not goes_global:
        return
    # The headers come first on the server: where they cannot be made, nobody gets the event.
    custom, broken = _custom_headers(profile, as_object(webhook.get("headers")) or {}, now_ms)
    if broken is not None:
        yield Drop(own, broken)
        return
    body = _body(envelope, own or f"{options.global_url or ''}/{suffix}")
    if wanted:
        # By concatenation: a slash at the end gives two, a query gets the name behind it.
        url = f"{own}/{suffix}" if truthy(webhook.get("webhookByEvents")) else own
        if _deliverable(profile, own):
            more = _tracking(profile, instance, event, now_ms)
            yield _post(profile, url, {**custom, **more}, body)
        else:
            yield Drop(url, "the url does not begin with http:// or https://")
    if goes_global:
        base = options.global_url or ""
        url = f"{base}/{suffix}" if options.global_by_events else base
        if _WEB_ADDRESS.match(url):
            yield _post(profile, url, {}, body)
        else:
            yield Drop(url, "the url does not begin with http:// or https://")


def _body(envelope: JsonObject, destination: str) -> JsonObject:
    """Put the destination into its place, between data and date."""
    body: JsonObject = {}
    for member, value in envelope.items():
        if member == "destination":
            continue
        body[member] = value
        if member == "data":
            body["destination"] = destination
    return body


def _deliverable(profile: ServerProfile, url: str) -> bool:
    # 2.2.3 asks the validator, to which the protocol is optional: the request fails later.
    if profile.has("webhook_off_without_url"):
        return _WEB_ADDRESS.match(url) is not None
    return is_url(url, require_tld=False)


def _post(profile: ServerProfile, url: str, more: dict[str, str], envelope: JsonObject) -> Post:
    agent = _AXIOS.get(str(profile.version), _AXIOS["2.3.7"])
    # In the order in which they were recorded.
    headers = {
        "accept": "application/json, text/plain, */*",
        "content-type": "application/json",
        **more,
    }
    for name, value in (
        ("user-agent", agent),
        ("accept-encoding", "gzip, compress, deflate, br"),
        ("connection", "keep-alive"),
    ):
        headers.setdefault(name, value)
    bad = next((name for name, value in headers.items() if _UNWRITABLE.search(value)), None)
    fault = bad and f"the header {bad} holds a character that no header can hold"
    if not _WEB_ADDRESS.match(url):
        fault = "Invalid URL"
    return Post(url, tuple(headers.items()), envelope, fault)


def _tracking(
    profile: ServerProfile, instance: Instance | None, event: str, now_ms: float
) -> dict[str, str]:
    """Make the headers that 2.4 adds; they win over those of the webhook."""
    if not profile.has("delivery_headers") or instance is None:
        return {}
    return {
        "content-type": "application/json",
        "x-instance-id": instance.id,
        "x-instance-name": instance.name,
        "x-event-type": event,
        "x-timestamp": str(int(now_ms)),
        "user-agent": _AGENT_SINCE_2_4,
    }


def _custom_headers(
    profile: ServerProfile, given: JsonObject, now_ms: float
) -> tuple[dict[str, str], str | None]:
    """Make the headers of the webhook's row; the secret of ``jwt_key`` becomes a token since 2.3.

    Returns:
        The headers, and why they cannot be made.
    """
    headers = dict(given)
    if "jwt_key" in headers and profile.has("signed_deliveries"):
        key = headers.pop("jwt_key")
        if not isinstance(key, str) or not key:
            return {}, "jwt_key must be a text that is not empty: the token cannot be signed"
        headers["Authorization"] = f"Bearer {_token(key, now_ms)}"
    # As axios does: null and false are left out.
    written = {
        name.lower(): _header_text(value)
        for name, value in headers.items()
        if value is not None and value is not False
    }
    return written, None


def _header_text(value: Any) -> str:
    if value is True:
        return "true"
    return value if isinstance(value, str) else json.dumps(value)


def _token(key: str, now_ms: float) -> str:
    """Sign the token that every attempt of an event carries; it lives for ten minutes."""
    at = int(now_ms / 1000)
    claims = {"iat": at, "exp": at + _TOKEN_LIFE_S, "app": "evolution", "action": "webhook"}
    parts = ({"alg": "HS256", "typ": "JWT"}, claims)
    signed = b".".join(
        _base64url(json.dumps(part, separators=(",", ":")).encode()) for part in parts
    )
    made = hmac.new(key.encode("utf-8", "surrogatepass"), signed, hashlib.sha256).digest()
    return (signed + b"." + _base64url(made)).decode()


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
