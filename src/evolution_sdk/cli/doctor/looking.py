"""The thin shell: looks at one thing after the other, and has each judged."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeVar

from evolution_sdk._cli.language import t
from evolution_sdk._sync.client import EvolutionClient
from evolution_sdk.config import EvolutionConfig
from evolution_sdk.errors import (
    AuthenticationError,
    EvolutionError,
    InstanceNotConnectedError,
    LicenseRequiredError,
    UnsupportedByServerError,
)
from evolution_sdk.models.instance import InstanceInfo, Integration
from evolution_sdk.models.webhook import Webhook
from evolution_sdk.retry import RetryPolicy

from . import (
    address_findings,
    instance_findings,
    network,
    server_findings,
    services,
    webhook_findings,
)
from .findings import Finding
from .instance_findings import InstanceSeen
from .server_findings import KeyKind, LicenceState
from .webhook_findings import WebhookSeen

__all__ = ["Doctor"]

T = TypeVar("T")

_OPTIONS: Final[Any] = {"retry": False, "timeout_ms": 10_000.0}
_TOLD_URL: Final = re.compile(r'serverUrl="([^"]{1,500})"')


class _Answer(NamedTuple):
    """An answer of the server, or the error."""

    value: Any = None
    error: EvolutionError | None = None


class Doctor:
    """Examines what the settings describe.

    Args:
        config: The settings.
        instances: Names of the instances to look at; empty for all.
        post: Whether an empty object may be posted to webhooks.
        now: Tells the time (aware).
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        config: EvolutionConfig,
        *,
        instances: Sequence[str] = (),
        post: bool = False,
        now: Callable[[], datetime],
        clock: Callable[[], float],
    ) -> None:
        self._config = config
        self._instances = tuple(instances)
        self._post = post
        self._now = now
        self._clock = clock

    def examine(self) -> Iterator[Finding]:
        """Look at everything; each finding comes as soon as it is known."""
        config = self._config
        yield address_findings.url(config.base_url)
        yield address_findings.tls(config.base_url, network.look_at_tls(config), self._now())
        seen = network.look_at_server(config, self._now, self._clock)
        reached = address_findings.reach(config.base_url, seen)
        yield reached
        if reached.status == "ok":
            yield server_findings.version(seen.version)
            yield server_findings.clock(seen.clock_off_s)
            with EvolutionClient(config=config, retry=RetryPolicy(max_attempts=1)) as client:
                yield from self._server(client, seen.web_version)
        else:
            words = t("the server was not reached", "o servidor não foi alcançado")
            for name in ("version", "clock", "licence", "key", "server_url", "instance"):
                yield Finding(name, "skipped", words)
        for each in services.services_of(config):
            yield services.service(each, services.look(each))

    def _server(self, client: EvolutionClient, web_version: str) -> Iterator[Finding]:
        kind, gate = self._key(client)
        state, page = self._licence(client, gate)
        yield server_findings.licence(state, page)
        yield server_findings.key(kind)
        told = _told_url(_ask(lambda: client.server.metrics(**_OPTIONS)).value)
        yield server_findings.server_url(told, self._config.server_url, self._config.base_url)
        if kind == "wrong" or state == "inactive":
            words = t("the server tells nothing", "o servidor não informa nada")
            yield Finding("instance", "skipped", words)
            return
        yield from self._all_instances(client, web_version)

    def _key(self, client: EvolutionClient) -> tuple[KeyKind, LicenseRequiredError | None]:
        checked = _ask(lambda: client.server.verify_creds(**_OPTIONS))
        if checked.error is None:
            return "global", None
        if isinstance(checked.error, LicenseRequiredError):
            return "unknown", checked.error
        # With an instance's key the list holds that instance, if the server keeps its rows.
        name = self._config.instance
        asked = (
            _ask(lambda: client.instances.fetch(**_OPTIONS))
            if name is None
            else _ask(lambda: client.instances.connection_state(name, **_OPTIONS))
        )
        if asked.error is None:
            return "instance", None
        wrong = isinstance(asked.error, AuthenticationError)
        return ("wrong" if wrong else "unknown"), None

    @staticmethod
    def _licence(
        client: EvolutionClient, gate: LicenseRequiredError | None
    ) -> tuple[LicenceState, str]:
        if gate is not None:
            return "inactive", gate.register_url or ""
        asked = _ask(lambda: client.license.status(**_OPTIONS))
        if isinstance(asked.error, UnsupportedByServerError):
            return "not needed", ""
        if asked.error is not None:
            return "unknown", ""
        return ("active" if asked.value.active else "inactive"), ""

    def _all_instances(self, client: EvolutionClient, web_version: str) -> Iterator[Finding]:
        wanted = self._instances or (
            (self._config.instance,) if self._config.instance is not None else ()
        )
        listed = _ask(lambda: client.instances.fetch(**_OPTIONS))
        rows: dict[str, InstanceInfo] = {row.name: row for row in listed.value or ()}
        if not wanted and listed.error is not None:
            words = _words(listed.error)
            yield Finding("instance", "failed", words)
            return
        if not wanted and not rows:
            yield Finding(
                "instance",
                "warning",
                t("there is none", "não há nenhuma"),
                t("make and link one: evolution connect NAME", "crie e conecte uma: evolution "
                  "connect NOME"),
            )  # fmt: skip
            return
        for name in wanted or rows:
            seen = self._instance(client, name, rows.get(name), web_version)
            yield instance_findings.instance(seen)
            code = instance_findings.qr(seen)
            if code is not None:
                yield code
            if seen.problem:
                continue
            yield instance_findings.store(seen)
            hook = self._webhook(client, name)
            yield webhook_findings.webhook(hook, self._config.base_url)
            token = webhook_findings.jwt(hook)
            if token is not None:
                yield token

    @staticmethod
    def _instance(
        client: EvolutionClient, name: str, row: InstanceInfo | None, web_version: str
    ) -> InstanceSeen:
        asked = _ask(lambda: client.instances.connection_state(name, **_OPTIONS))
        if asked.error is not None:
            return InstanceSeen(name, problem=_words(asked.error))
        state = None if asked.value.state is None else str(asked.value.state)
        has_phone = row is None or row.integration in (None, Integration.BAILEYS)
        dead: bool | None = None
        codes: int | None = None
        has_code = False
        if state == "open" and has_phone:
            # It writes to the socket, and leaves the account as it is: "available" would not.
            probed = _ask(lambda: client.instances.set_presence("unavailable", name, **_OPTIONS))
            if probed.error is None:
                dead = False
            elif isinstance(probed.error, InstanceNotConnectedError):
                dead = True
        if state == "connecting" and has_phone:
            # Of an instance that connects already this reads the code; it begins nothing.
            shown = _ask(lambda: client.instances.connect(name, **_OPTIONS)).value
            if shown is not None:
                codes, has_code = shown.count or 0, shown.code is not None
        found = _ask(
            lambda: client.instance(name).chats.find_messages(page_size=1, **_OPTIONS)
        ).value
        stored = None if found is None else int(found.total)
        return InstanceSeen(name, state, "", dead, has_phone, codes, has_code, stored, web_version)

    def _webhook(self, client: EvolutionClient, name: str) -> WebhookSeen:
        asked = _ask(lambda: client.instance(name).webhook.find(**_OPTIONS))
        if asked.error is not None:
            return WebhookSeen(name, problem=_words(asked.error))
        settings = self._config.webhook
        wanted = settings.global_url if settings.enabled else None
        stored: Webhook | None = asked.value
        if stored is None or not stored.url or not stored.enabled:
            return WebhookSeen(name, url="" if stored is None else stored.url, wanted=wanted)
        headers: Mapping[str, Any] = stored.headers or {}
        key = None if headers.get("jwt_key") is None else str(headers["jwt_key"])
        status, unreached = network.look_at_webhook(stored.url)
        signed = unsigned = None
        if self._post and key is not None and status is not None:
            signed = network.post_empty(stored.url, key)
            unsigned = network.post_empty(stored.url, None)
        elif self._post and status is not None:
            status = network.post_empty(stored.url, None) or status
        return WebhookSeen(
            name,
            url=stored.url,
            enabled=True,
            jwt_key=key,
            status=status,
            unreached=unreached,
            signed=signed,
            unsigned=unsigned,
            wanted=wanted,
        )


def _ask(call: Callable[[], T]) -> _Answer:
    try:
        return _Answer(call())
    except EvolutionError as error:
        return _Answer(error=error)


def _words(error: EvolutionError) -> str:
    return " ".join(str(error).split())


def _told_url(metrics: object) -> str:
    found = _TOLD_URL.search(metrics) if isinstance(metrics, str) else None
    return "" if found is None else found[1]
