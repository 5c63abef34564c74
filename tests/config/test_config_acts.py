"""Every variable of the documented ``.env`` with two values, and the two behaviours."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from evolution_sdk import EvolutionClient, EvolutionMonitorService, EvolutionRetryService
from evolution_sdk.errors import AuthenticationError, ConfigurationError, EvolutionError
from evolution_sdk.events import EventRouter, parse_event
from evolution_sdk.monitor import MonitorPorts
from evolution_sdk.streams._consumer import EventConsumer
from evolution_sdk.testing import FakeEvolution
from evolution_sdk.webhooks import WebhookReceiver

KEY = "the-global-key"
URL = "EVOLUTION_API_URL"
HOOK = "http://127.0.0.1:9"
EVENTS = "EVOLUTION_WEBHOOK_EVENTS_"


class Stage:
    """A served fake, and the environment that leads to it."""

    def __init__(self, fake: FakeEvolution, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.fake = fake
        self.folder = folder
        self._set = monkeypatch.setenv
        self.set(URL, fake.url)
        self.set("EVOLUTION_API_KEY", KEY)
        self.set("EVOLUTION_INSTANCE", "sales")
        self.set("EVOLUTION_MONITORING_ENABLED", "false")
        self.set("EVOLUTION_RETRY_DELAY_MS", "1")
        self.set("EVOLUTION_STORE_PATH", str(folder / "archive.db"))

    def set(self, name: str, value: str) -> None:
        self._set(name, value)


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.chdir(tmp_path)
    for name in [each for each in os.environ if each.startswith(("EVOLUTION_", "WEBHOOK_"))]:
        monkeypatch.delenv(name)
    with FakeEvolution(api_key=KEY).serve() as fake:
        fake.create_instance("sales")
        yield Stage(fake, tmp_path, monkeypatch)


def reaches(stage: Stage) -> Any:
    with EvolutionClient(retry=False) as client:
        try:
            return client.instances.connection_state().state
        except EvolutionError as error:
            return type(error).__name__


def creates(stage: Stage) -> Any:
    """A route that only the global key opens, with a client that has a token."""
    token = next(each.token for each in stage.fake.instances.values() if each.name == "sales")
    stage.set("EVOLUTION_API_KEY", token)
    with EvolutionClient(retry=False) as client:
        try:
            return client.instances.create("new", integration="EVOLUTION").name
        except AuthenticationError as error:
            return error.key_source


def starts(stage: Stage) -> Any:
    try:
        return EvolutionClient().config.authentication.type
    except ConfigurationError as error:
        return error.variable


def registers(stage: Stage) -> Any:
    with EvolutionClient() as client:
        client.start()
        found = client.webhook.find()
        return None if found is None else (found.url, found.events)


def accepts(stage: Stage) -> Any:
    """What a receiver and a stream do with an event of https://ours.example.com."""
    event = {
        "event": "messages.upsert",
        "instance": "sales",
        "server_url": "https://ours.example.com",
        "data": {"key": {"id": "A1", "remoteJid": "1@s.whatsapp.net", "fromMe": False}},
    }
    import asyncio
    import json

    router = EventRouter()
    router.add(lambda _: None, type(parse_event(event)))
    with EvolutionClient() as client:
        receiver = WebhookReceiver(router, client=client)
        headers = {"content-type": "application/json"}
        status, _, _ = receiver.handle("POST", "/", headers, json.dumps(event).encode())
        receiver.close()
        taken = asyncio.run(EventConsumer(lambda _: None, client=client).handle(parse_event(event)))
    return status, taken


def keeps(stage: Stage) -> Any:
    with EvolutionClient() as client:
        archive = client.start().archive
        if archive is None:
            return "nothing"
        sent = client.messages.send_text("5511999999999", "oi")
        for data in (
            {"event": "messages.update", "data": {
                "keyId": sent.id, "remoteJid": sent.remote_jid, "fromMe": True, "status": "READ",
            }},
            {"event": "contacts.upsert", "data": [
                {"remoteJid": "5511999999999@s.whatsapp.net", "pushName": "Ana"},
            ]},
        ):  # fmt: skip
            archive.record(parse_event({"instance": "sales", **data}))
        archive.flush()
        updates = archive.updates(sent.id)
        return len(archive.messages()), len(updates), len(archive.contacts())


def streams(stage: Stage) -> Any:
    with EvolutionClient() as client:
        return [type(stream).__name__ for stream in client.start().streams]


def waits(stage: Stage) -> Any:
    """The waits of a call that always fails, without chance."""
    slept: list[float] = []
    retry = EvolutionRetryService(jitter="none", sleep=lambda s: slept.append(round(s * 1_000)))

    def fail() -> None:
        raise OSError

    with pytest.raises(OSError):
        retry.execute_with_retry_sync(fail, "send")
    return slept


def monitors(stage: Stage) -> Any:
    with EvolutionClient() as client:
        monitor = client.start().monitor
        return monitor is not None and monitor.running


class Still:
    """A clock that stands still."""

    def time(self) -> float:
        return 5.0

    def monotonic(self) -> float:
        return 5.0


def naps(stage: Stage) -> Any:
    """How long the monitor rests between two checks."""
    stage.set("EVOLUTION_MONITORING_ENABLED", "true")
    slept: list[float] = []
    done: list[EvolutionMonitorService] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        done[0]._runner._stop.set()  # type: ignore[union-attr]

    ports = MonitorPorts(clock=Still(), sleep=sleep)
    with EvolutionClient() as client:
        monitor = EvolutionMonitorService(client, ports=ports, sinks=())
        done.append(monitor)
        monitor.start_monitoring()
        thread = monitor._runner._thread
        assert thread is not None
        thread.join(30)
        monitor.close()
    return slept


def remembers(stage: Stage) -> Any:
    with EvolutionClient() as client:
        monitor = EvolutionMonitorService(client, sinks=())
        for _ in range(4):
            monitor.check_health_sync()
        monitor.close()
        return len(monitor.get_history())


Do = Callable[[Stage], Any]


def keeps_ids(stage: Stage) -> Any:
    pair = {"remoteJid": "5511900000002@s.whatsapp.net", "senderLid": "100000000000002@lid"}
    event = {"event": "messages.upsert", "instance": "sales", "data": {"key": pair}}
    with EvolutionClient() as client:
        client.feed(event, verified=True)
    with EvolutionClient() as client:
        return str(client.lids.phone_of("100000000000002@lid"))


def events(name: str) -> tuple[Do, dict[str, Any]]:
    others = (f"{HOOK}/evolution", ("CALL",))
    both = tuple(sorted(("CALL", name)))

    def chosen(stage: Stage) -> Any:
        stage.set("EVOLUTION_WEBHOOK_ENABLED", "true")
        stage.set("WEBHOOK_BASE_URL", HOOK)
        stage.set(f"{EVENTS}CALL", "true")
        url, found = registers(stage)
        return url, tuple(sorted(found))

    return chosen, {"true": (f"{HOOK}/evolution", both), "false": others}


def with_webhook(do: Do, **more: str) -> Do:
    def ready(stage: Stage) -> Any:
        stage.set(f"{EVENTS}CALL", "true")
        for name, value in more.items():
            stage.set(name, value)
        return do(stage)

    return ready


ON: dict[str, str] = {"EVOLUTION_WEBHOOK_ENABLED": "true"}
ACTS: dict[str, tuple[Do, dict[str, Any]]] = {
    URL: (reaches, {"": "open", "http://127.0.0.1:9": "ConnectionFailedError"}),
    "EVOLUTION_API_KEY": (reaches, {KEY: "open", "another": "AuthenticationError"}),
    "WEBHOOK_BASE_URL": (
        with_webhook(registers, **ON),
        {HOOK: (f"{HOOK}/evolution", ("CALL",)), f"{HOOK}/x": (f"{HOOK}/x/evolution", ("CALL",))},
    ),
    "EVOLUTION_SERVER_URL": (
        accepts,
        {"https://ours.example.com": (200, True), "https://theirs.example.com": (412, False)},
    ),
    "EVOLUTION_LID_STORE": (keeps_ids, {"lids.db": "+5511900000002", "": "None"}),
    "EVOLUTION_AUTHENTICATION_TYPE": (
        starts,
        {"apikey": "apikey", "jwt": "EVOLUTION_AUTHENTICATION_TYPE"},
    ),
    "EVOLUTION_AUTHENTICATION_API_KEY": (
        creates,
        {KEY: "new", "another": "EVOLUTION_AUTHENTICATION_API_KEY"},
    ),
    "EVOLUTION_WEBHOOK_ENABLED": (
        with_webhook(registers, WEBHOOK_BASE_URL=HOOK),
        {"true": (f"{HOOK}/evolution", ("CALL",)), "false": None},
    ),
    "EVOLUTION_WEBHOOK_GLOBAL_URL": (
        with_webhook(registers, **ON, WEBHOOK_BASE_URL=HOOK),
        {
            "${WEBHOOK_BASE_URL}/own": (f"{HOOK}/own", ("CALL",)),
            "http://127.0.0.1:8/x": ("http://127.0.0.1:8/x", ("CALL",)),
        },
    ),
    **{
        f"{EVENTS}{name}": events(name)
        for name in (
            "MESSAGES_UPSERT", "MESSAGES_UPDATE", "MESSAGES_DELETE", "PRESENCE_UPDATE",
            "CONNECTION_UPDATE",
        )
    },
    "EVOLUTION_STORE_MESSAGES": (keeps, {"true": (1, 0, 0), "false": "nothing"}),
    "EVOLUTION_STORE_MESSAGE_UP": (keeps, {"true": (0, 1, 0), "false": "nothing"}),
    "EVOLUTION_STORE_CONTACTS": (keeps, {"true": (0, 0, 1), "false": "nothing"}),
    "EVOLUTION_WEBSOCKET_ENABLED": (streams, {"true": ["SocketStream"], "false": []}),
    "EVOLUTION_RETRY_MAX_ATTEMPTS": (waits, {"2": [1], "4": [1, 2, 4]}),
    "EVOLUTION_RETRY_DELAY_MS": (waits, {"7": [7, 14], "50": [50, 100]}),
    "EVOLUTION_RETRY_BACKOFF_FACTOR": (waits, {"1": [1, 1], "9": [1, 9]}),
    "EVOLUTION_RETRY_MAX_DELAY_MS": (waits, {"1": [1, 1], "30000": [1, 2]}),
    "EVOLUTION_MONITORING_ENABLED": (monitors, {"true": True, "false": False}),
    "EVOLUTION_MONITORING_INTERVAL_MS": (naps, {"5000": [5.0], "250": [0.25]}),
    "EVOLUTION_MONITORING_MAX_HISTORY": (remembers, {"2": 2, "1000": 4}),
}  # fmt: skip
CASES = [(name, value) for name, (_, values) in ACTS.items() for value in values]


@pytest.mark.parametrize(("name", "value"), CASES)
def test_each_value_makes_it_do_otherwise(name: str, value: str, stage: Stage) -> None:
    do, values = ACTS[name]
    if value:
        stage.set(name, value)
    assert do(stage) == values[value]


def test_two_values_that_differ_for_each_variable() -> None:
    assert len(ACTS) == 25, "the variables of the document"
    for name, (_, values) in ACTS.items():
        first, second = values.values()
        assert first != second, name
