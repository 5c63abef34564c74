"""Everything public beside the families of a client: how to make it, and how to use it well."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from pydantic import SecretStr

from clients.request_cases import MESSAGE
from evolution_sdk import (
    OPERATIONS,
    AsyncEvolutionClient,
    Effect,
    EvolutionClient,
    EvolutionConfig,
    Jid,
    PhoneNumber,
)
from evolution_sdk.archive import Archive
from evolution_sdk.config import (
    BreakerConfig,
    BulkheadConfig,
    CacheConfig,
    ConsoleConfig,
    HttpConfig,
    MonitoringConfig,
    RateLimitConfig,
    RetryConfig,
    TimeoutConfig,
)
from evolution_sdk.events import EventRouter, MessagesUpsert, parse_event
from evolution_sdk.events._recent_keys import RecentKeys
from evolution_sdk.identity import LidMap
from evolution_sdk.identity._server import (
    match_number,
    pick_existing,
    recipient,
    same_line,
    server_jid,
)
from evolution_sdk.models import SentMessage
from evolution_sdk.monitor import (
    AlertRule,
    AnomalyDetector,
    EvolutionConsole,
    EvolutionMonitorService,
    RecoveryPolicy,
    Thresholds,
)
from evolution_sdk.outbox import Outbox, ProcrastinateEngine
from evolution_sdk.outbox.options import OutboxComposeOptions
from evolution_sdk.retry import EvolutionRetryService, RetryBudget, RetryPolicy
from evolution_sdk.streams import RabbitStream, SocketStream
from evolution_sdk.testing import FakeEvolution
from evolution_sdk.webhooks import (
    Answer,
    MemoryInbox,
    PostgresInbox,
    SqliteInbox,
    WebhookReceiver,
    sign_token,
)

URL, KEY = "http://localhost:9", "key"
EVENT = {
    "event": "messages.upsert",
    "instance": "sales",
    "data": {"key": {"id": "A", "remoteJid": "5511987654321@s.whatsapp.net", "fromMe": False}},
}
# Methods that block, end the thing, or wait for the world.
_LEFT_OUT = frozenset(
    {
        "serve",
        "serve_forever",
        "run",
        "close",
        "aclose",
        "stop",
        "wait_for_sleepers",
        "run_for",
        "open",
        "asgi",
        "wsgi",
        "async_http_client",
        "http_client",
        "django_view",
        "wait_idle",
        "drain",
        "backfill",
        "flush",
        "feed",
        "observe",
        "bind_event",
        "run_async",
        "run_sync",
        "notify",
        "wants",
        "wait",
        "read",  # of an operation: takes decoded JSON only
    }
)


class Call(NamedTuple):
    """One call of a part.

    Attributes:
        name: Such as ``RetryPolicy`` or ``Archive.search``.
        make: Gives what is called; made anew for each call.
        good: Arguments by name with which it works.
        names: The arguments to spoil.
    """

    name: str
    make: Callable[[], Callable[..., Any]]
    good: dict[str, Any]
    names: tuple[str, ...]

    def __str__(self) -> str:
        return self.name


def _router() -> EventRouter:
    router = EventRouter()

    @router.on(MessagesUpsert)
    def handle(event: Any) -> None: ...

    return router


def _noop(*_: Any) -> None: ...


_GOOD: dict[str, Any] = {
    "operation": "message.send_text",
    "event": parse_event(EVENT),
    "handler": _noop,
    "fn": lambda: 1,
    "policy": RetryPolicy(),
    "text": "5511987654321",
    "value": 1.5,
    "at": 1_795_447_889.0,
    "name": "sales",
    "instance": "sales",
    "number": "5511987654321",
    "numbers": "5511987654321",
    "jid": "120363000000000001@g.us",
    "lid": "12345678901234@lid",
    "key_id": "3EB0AA",
    "status": 200,
    "url": "http://localhost/x",
    "content": b"x",
    "from_": "5511987654321",
    "message": {"conversation": "x"},
    "kind": "conversation",
    "state": "open",
    "label_id": "1",
    "sent": MESSAGE,
    "message_id": "3EB0AA",
    "emoji": "👍",
    "options": ["Sim"],
    "poll": "3EB0AA",
    "messages": [],
    "target": "out.txt",
    "body": b"{}",
    "headers": {"content-type": "application/json"},
    "key": "k",
    "ms": 10.0,
    "works": True,
    "reachable": True,
    "router": None,
    "path": "archive.sqlite",
    "listener": _noop,
    "function": _noop,
    "client": None,
    "from_text": "x",
    "now": 1.0,
    "ids": None,
    "limit": 3,
    "phone": Jid("5511987654321", "s.whatsapp.net"),
    "who": Jid("12345678901234", "lid"),
    "since": datetime(2026, 1, 1, tzinfo=UTC),
    "metrics": None,
    "times": 0,
    "seconds": 0.0,
    "token": "t",
}


_REQUEST: dict[str, Any] = {
    "listener": _noop,
    "method": "GET",
    "path": "/x/y",
    "effect": Effect.READ,
    "query": None,
    "body": None,
}


# Of arguments that may be left out alone, but not all at once.
_ONE_OF: dict[str, dict[str, Any]] = {
    "choose": {"message_id": "3EB0BB", "title": "Sim"},
    "vote": {"poll": "3EB0CC"},
}


def _plain(name: str, called: Callable[..., Any], /, **good: Any) -> Call:
    names = tuple(
        parameter.name
        for parameter in inspect.signature(called).parameters.values()
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    )
    return Call(name, lambda: called, good, names or tuple(good))


def _section(cls: Any) -> Call:
    return Call(cls.__name__, lambda: cls, {}, tuple(cls.model_fields))


def _methods(name: str, make: Callable[[], Any], /, **more: Any) -> Iterator[Call]:
    for method, bound in inspect.getmembers(make(), callable):
        if method.startswith("_") or method in _LEFT_OUT or isinstance(bound, type):
            continue
        try:
            parameters = list(inspect.signature(bound).parameters.values())
        except (TypeError, ValueError):
            continue
        if any(p.kind is p.POSITIONAL_ONLY for p in parameters):
            continue  # handlers of a router: what they take is looked at when they are added
        named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
        if not named:
            continue
        good = {p.name: {**_GOOD, **more}.get(p.name) for p in named if p.default is p.empty}
        good |= _ONE_OF.get(method, {})
        yield Call(
            f"{name}.{method}",
            lambda make=make, method=method: getattr(make(), method),  # type: ignore[misc]
            good,
            tuple(p.name for p in named),
        )


def _client() -> EvolutionClient:
    return EvolutionClient(URL, KEY, instance="sales")


def _fake() -> FakeEvolution:
    fake = FakeEvolution(api_key=KEY)
    fake.create_instance("sales")
    fake.receive_text("sales", from_="5511987654321", text="x", key_id="3EB0AA")
    buttons = {"buttons": [{"buttonId": "b", "buttonText": {"displayText": "Sim"}}]}
    message = {"buttonsMessage": {"contentText": "?", **buttons}}
    fake.receive(
        "sales", message=message, from_="5511987654321", kind="buttonsMessage", key_id="3EB0BB"
    )
    poll = {"pollCreationMessage": {"name": "?", "options": [{"optionName": "Sim"}]}}
    fake.receive(
        "sales", message=poll, from_="5511987654321", kind="pollCreationMessage", key_id="3EB0CC"
    )
    return fake


def _archive() -> Archive:
    return Archive(":memory:")


def _outbox() -> Outbox:
    return Outbox("outbox.sqlite", client=_client())


def _monitor() -> EvolutionMonitorService:
    # With a token, so that its console can be asked for.
    config = EvolutionConfig(URL, KEY, console=ConsoleConfig(token=SecretStr("a" * 24)))
    return EvolutionMonitorService(_client(), config=config)


def _operation() -> Any:
    return OPERATIONS["message.send_text"]


def calls() -> list[Call]:
    """All of them."""
    config = EvolutionConfig(URL, KEY)
    found = [
        _plain("EvolutionClient", EvolutionClient, base_url=URL, api_key=KEY),
        _plain("AsyncEvolutionClient", AsyncEvolutionClient, base_url=URL, api_key=KEY),
        _plain("EvolutionConfig", EvolutionConfig, base_url=URL, api_key=KEY),
        _plain("EvolutionConfig.from_env", EvolutionConfig.from_env, env_file=None, environ={},
               base_url=URL, api_key=KEY),
        *map(
            _section,
            (BreakerConfig, BulkheadConfig, CacheConfig, HttpConfig, MonitoringConfig,
             RateLimitConfig, RetryConfig, TimeoutConfig),
        ),
        _plain("RetryPolicy", RetryPolicy),
        _plain("RetryBudget", RetryBudget),
        _plain("EvolutionRetryService", EvolutionRetryService),
        _plain("EvolutionMonitorService", EvolutionMonitorService, client=_client(), config=config),
        _plain("EvolutionConsole", EvolutionConsole, monitor=_monitor(), token="a" * 24),
        _plain("AnomalyDetector", AnomalyDetector),
        _plain("Thresholds", Thresholds),
        _section(RecoveryPolicy),
        _plain("AlertRule", AlertRule, name="slow", metric="probe_ms", above=1.0),
        _plain("Jid", Jid, user="5511987654321", server="s.whatsapp.net"),
        _plain("Jid.parse", Jid.parse, text="5511987654321"),
        _plain("PhoneNumber", PhoneNumber, digits="5511987654321"),
        _plain("PhoneNumber.parse", PhoneNumber.parse, text="5511987654321"),
        _plain("recipient", recipient, value="5511987654321"),
        _plain("server_jid", server_jid, number="5511987654321"),
        _plain("same_line", same_line, a="5511987654321", b="5511987654321"),
        _plain("match_number", match_number, requested="5511987654321", answers=[]),
        _plain("pick_existing", pick_existing, number=PhoneNumber("5511987654321"), answers=[]),
        _plain("parse_event", parse_event, body=EVENT),
        _plain("EventRouter", EventRouter),
        _plain("WebhookReceiver", WebhookReceiver, router=_router()),
        _plain("sign_token", sign_token, key="k" * 32, now=1.0),
        _plain("MemoryInbox", MemoryInbox),
        _plain("SqliteInbox", SqliteInbox, path="inbox.sqlite"),
        _plain("PostgresInbox", PostgresInbox, url="postgresql://localhost:9/none"),
        _plain("Archive", Archive, path=":memory:"),
        _plain("Outbox", Outbox, store="outbox.sqlite", client=_client()),
        _plain("ProcrastinateEngine", ProcrastinateEngine),
        _plain("SocketStream", SocketStream, to=_router(), base_url=URL, api_key=KEY),
        _plain("RabbitStream", RabbitStream, to=_router(), uri="amqp://localhost",
               instances=["sales"]),
        _plain("RecentKeys", RecentKeys),
        _plain("LidMap", LidMap),
        _plain("FakeEvolution", FakeEvolution),
    ]  # fmt: skip
    found += _methods("EvolutionClient", _client, **_REQUEST)
    found += _methods("RetryPolicy", RetryPolicy)
    found += _methods("RetryBudget", RetryBudget)
    found += _methods(
        "EvolutionRetryService", lambda: EvolutionRetryService(max_attempts=1), event="success"
    )
    found += _methods(
        "EvolutionMonitorService",
        _monitor,
        event="metricsUpdated",
        metrics=EvolutionRetryService().get_metrics(),
    )
    found += _methods("AnomalyDetector", AnomalyDetector)
    found += _methods("Operation", _operation)
    found += _methods("EventRouter", _router, router=EventRouter())
    found += _methods(
        "WebhookReceiver",
        lambda: WebhookReceiver(_router()),
        method="POST",
        path="/hook",
        answer=Answer.ACCEPTED,
    )
    found += _methods(
        "Archive", _archive, sent=SentMessage.from_wire({"key": {"id": "A"}}), config=config
    )
    found += _methods(
        "Outbox",
        _outbox,
        key="k",
        sent=True,
        older_than=timedelta(days=1),
        event="sent",
        drafts=[],
        row_id=1,
    )
    found.append(
        Call(
            "Outbox.messages.send_text",
            lambda: _outbox().messages.send_text,
            {"number": "5511987654321", "text": "x"},
            ("number", "text", *OutboxComposeOptions.__annotations__),
        )
    )
    found += _methods("LidMap", LidMap, lid=Jid("1" * 14, "lid"), pairs={}, path="lids.json")
    found += _methods("FakeEvolution", _fake, status="READ", name="new")
    found += _methods("Faults", lambda: _fake().faults, kind="drop")
    return found
