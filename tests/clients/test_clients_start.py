"""``client.start()``: what the settings switch on runs, wired together, and ends with it."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evolution_sdk import AsyncEvolutionClient, EvolutionClient, EvolutionConfig
from evolution_sdk import services as services_module
from evolution_sdk.archive import Archive
from evolution_sdk.config import _switched_on as switched_on
from evolution_sdk.errors import (
    ArchiveError,
    AuthenticationError,
    ConfigurationError,
    EvolutionError,
)
from evolution_sdk.events import EventRouter, MessagesUpsert
from evolution_sdk.monitor import EvolutionMonitorService
from evolution_sdk.services import AsyncServices, Services
from evolution_sdk.streams import InstanceStreams, RabbitStream, SocketStream, Stream, open_streams
from evolution_sdk.testing import FakeEvolution

KEY = "s3cret-key"
NUMBER = "5511999999999"


@pytest.fixture
def fake() -> Iterator[FakeEvolution]:
    with FakeEvolution(api_key=KEY).serve() as fake:
        fake.create_instance("sales")
        yield fake


@pytest.fixture(autouse=True)
def nothing_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(switched_on, "_used", set())
    for name in [each for each in os.environ if each.startswith(("EVOLUTION_", "WEBHOOK_"))]:
        monkeypatch.delenv(name)


def env(tmp_path: Path, fake: FakeEvolution, *lines: str) -> Path:
    path = tmp_path / "bot.env"
    text = [f"EVOLUTION_API_URL={fake.url}", f"EVOLUTION_API_KEY={KEY}", *lines]
    path.write_text("\n".join(text))
    return path


def threads() -> set[str]:
    """Name our threads; the one that asks for the version ends by itself, nobody waits for it."""
    ours = [each for each in threading.enumerate() if each.name.startswith("evolution-")]
    for each in ours:
        if each.name == "evolution-monitor-version":
            each.join(10)
    return {each.name for each in ours if each.is_alive()}


def test_the_parts_that_are_switched_on_and_their_end(fake: FakeEvolution, tmp_path: Path) -> None:
    path = env(
        tmp_path, fake,
        "EVOLUTION_INSTANCE=sales",
        "EVOLUTION_STORE_MESSAGES=true",
        f"EVOLUTION_STORE_PATH={tmp_path / 'a.db'}",
        "EVOLUTION_WEBSOCKET_ENABLED=true",
    )  # fmt: skip
    before = threads()
    with EvolutionClient.from_env(path) as client:
        services = client.start()
        assert isinstance(services, Services)
        assert client.start() is services
        assert isinstance(services.archive, Archive)
        assert isinstance(services.monitor, EvolutionMonitorService)
        assert services.monitor.running
        assert [type(stream) for stream in services.streams] == [SocketStream]
        sent = client.messages.send_text(NUMBER, "oi")
        assert services.archive.get(sent.id) is not None
    assert not services.monitor.running
    assert threads() == before
    with Archive(tmp_path / "a.db") as archive:
        assert archive.get(sent.id) is not None


def test_what_was_stopped_can_be_started_again(fake: FakeEvolution, tmp_path: Path) -> None:
    path = env(tmp_path, fake, "EVOLUTION_INSTANCE=sales")
    with EvolutionClient.from_env(path) as client:
        first = client.start()
        with first:
            assert not first.stopped
        assert first.stopped
        second = client.start()
        assert second is not first
        assert second.monitor is not None
        assert second.monitor.running


def test_what_is_switched_off_does_not_run(fake: FakeEvolution, tmp_path: Path) -> None:
    path = env(tmp_path, fake, "EVOLUTION_MONITORING_ENABLED=false")
    with EvolutionClient.from_env(path, instance="sales") as client:
        services = client.start()
        assert (services.archive, services.monitor, services.streams) == (None, None, [])
        assert client.config.instance == "sales"


async def test_the_same_async(fake: FakeEvolution, tmp_path: Path) -> None:
    path = env(
        tmp_path, fake,
        "EVOLUTION_INSTANCE=sales",
        "EVOLUTION_STORE_MESSAGES=true",
        f"EVOLUTION_STORE_PATH={tmp_path / 'a.db'}",
        "EVOLUTION_WEBSOCKET_ENABLED=true",
    )  # fmt: skip
    before = len(asyncio.all_tasks())
    async with AsyncEvolutionClient.from_env(path) as client:
        services = await client.start()
        assert isinstance(services, AsyncServices)
        assert await client.start() is services
        assert services.monitor is not None
        assert services.monitor.running
        assert [type(stream) for stream in services.streams] == [SocketStream]
        sent = await client.messages.send_text(NUMBER, "oi")
    assert not services.monitor.running
    assert services.error is None
    assert len(asyncio.all_tasks()) == before
    with Archive(tmp_path / "a.db") as archive:
        assert archive.get(sent.id) is not None


def test_the_interval_of_the_settings_is_the_monitors(fake: FakeEvolution, tmp_path: Path) -> None:
    path = env(tmp_path, fake, "EVOLUTION_INSTANCE=sales", "EVOLUTION_MONITORING_INTERVAL_MS=20")
    with EvolutionClient.from_env(path) as client:
        monitor = client.start().monitor
        assert monitor is not None
        checks = threading.Semaphore(0)
        monitor.on("metricsUpdated", lambda _: checks.release())
        for _ in range(3):
            assert checks.acquire(timeout=10)


def test_the_webhook_is_registered_on_the_instance_or_on_all(
    fake: FakeEvolution, tmp_path: Path
) -> None:
    fake.create_instance("support")
    router = EventRouter()

    @router.on(MessagesUpsert)
    def handle(_: MessagesUpsert) -> None: ...

    lines = (
        "EVOLUTION_WEBHOOK_ENABLED=true",
        "EVOLUTION_WEBHOOK_GLOBAL_URL=http://127.0.0.1:9/evolution",
        "EVOLUTION_MONITORING_ENABLED=false",
    )
    with EvolutionClient.from_env(env(tmp_path, fake, *lines), instance="sales") as client:
        client.start(router)
        found = client.webhook.find()
        assert found is not None
        assert (found.url, found.events) == ("http://127.0.0.1:9/evolution", ("MESSAGES_UPSERT",))
        assert client.instance("support").webhook.find() is None
    chosen = (*lines, "EVOLUTION_WEBHOOK_EVENTS_CALL=true")
    with EvolutionClient.from_env(env(tmp_path, fake, *chosen)) as client:
        client.start(router)
        for name in ("sales", "support"):
            found = client.instance(name).webhook.find()
            assert found is not None
            assert found.events == ("CALL",), "what the settings choose wins"


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_a_failure_half_way_stops_what_was_begun(
    colour: str, fake: FakeEvolution, tmp_path: Path
) -> None:
    path = env(
        tmp_path, fake,
        "EVOLUTION_STORE_MESSAGES=true",
        f"EVOLUTION_STORE_PATH={tmp_path / 'a.db'}",
        "EVOLUTION_WEBHOOK_ENABLED=true",
        "EVOLUTION_WEBHOOK_GLOBAL_URL=http://127.0.0.1:9/evolution",
        "EVOLUTION_INSTANCE=nobody",
    )  # fmt: skip
    before = threads()
    if colour == "sync":
        with EvolutionClient.from_env(path) as client:
            with pytest.raises(EvolutionError):
                client.start()
            assert threads() == before
        return

    async def main() -> None:
        async with AsyncEvolutionClient.from_env(path) as client:
            with pytest.raises(EvolutionError):
                await client.start()
            assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_an_archive_that_cannot_be_opened_is_told_at_once(
    colour: str, fake: FakeEvolution, tmp_path: Path
) -> None:
    junk = tmp_path / "junk.db"
    junk.write_bytes(b"no database" * 400)
    path = env(tmp_path, fake, "EVOLUTION_STORE_MESSAGES=true", f"EVOLUTION_STORE_PATH={junk}")
    if colour == "sync":
        with EvolutionClient.from_env(path) as client, pytest.raises(ArchiveError):
            client.start()
        return

    async def main() -> None:
        async with AsyncEvolutionClient.from_env(path) as client:
            with pytest.raises(ArchiveError):
                await client.start()

    asyncio.run(main())


# What is switched on and not used


class Clock:
    now = 0.0

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if "switched on and not used" in r.message]


def made(fake: FakeEvolution, **sections: Any) -> EvolutionClient:
    return EvolutionClient(config=EvolutionConfig(fake.url, KEY, instance="sales", **sections))


def test_what_is_switched_on_and_not_used_is_told_once(
    fake: FakeEvolution, caplog: pytest.LogCaptureFixture
) -> None:
    config = EvolutionConfig(
        fake.url, KEY, instance="sales", store={"messages": True}, websocket={"enabled": True}
    )
    clock = Clock()
    with EvolutionClient(config=config, clock=clock) as client:
        clock.now = client._pipeline.switched_on._due - 0.1  # type: ignore[union-attr]
        client.instances.connection_state()
        assert warned(caplog) == []
        clock.now += 0.2
        client.instances.connection_state()
        client.instances.connection_state()
    (line,) = warned(caplog)
    assert "EVOLUTION_STORE_MESSAGES" in line
    assert "EVOLUTION_WEBSOCKET_ENABLED" in line
    assert "EVOLUTION_MONITORING_ENABLED" not in line, "it is on by default"
    assert "client.start()" in line


def test_at_the_end_at_the_latest(fake: FakeEvolution, caplog: pytest.LogCaptureFixture) -> None:
    made(fake, monitoring={"enabled": True}).close()
    (line,) = warned(caplog)
    assert "EVOLUTION_MONITORING_ENABLED" in line


def test_what_was_opened_by_hand_is_used(
    fake: FakeEvolution, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.WARNING)
    client = made(
        fake,
        store={"messages": True, "path": str(tmp_path / "a.db")},
        websocket={"enabled": True},
        monitoring={"enabled": True},
    )
    archive = Archive.from_config(client.config)
    assert archive is not None
    archive.close()
    EvolutionMonitorService(client).close()
    open_streams(client.config, print)
    client.close()
    assert warned(caplog) == []


def test_a_client_without_any_asks_nothing(fake: FakeEvolution) -> None:
    with made(fake) as client:
        assert client._pipeline.switched_on is None


# All instances


def test_without_a_named_instance_each_gets_a_stream() -> None:
    config = EvolutionConfig(
        "http://x", KEY, websocket={"enabled": True}, rabbitmq={"uri": "amqp://localhost/"}
    )
    client = EvolutionClient(config=config)
    sockets, queues = open_streams(client, print)
    assert isinstance(sockets, InstanceStreams)
    assert isinstance(queues, InstanceStreams)
    one = sockets._make("sales")
    assert isinstance(one, SocketStream)
    assert one.name == "socket:sales"
    assert isinstance(queues._make("sales"), RabbitStream)
    with pytest.raises(ConfigurationError, match="EVOLUTION_INSTANCE"):
        open_streams(config, print)
    everything = config.replace(websocket={"global_events": True}, rabbitmq=None)
    (socket,) = open_streams(EvolutionClient(config=everything), print)
    assert isinstance(socket, SocketStream)


# Whose key was refused


@pytest.mark.parametrize(
    ("make", "source"),
    [
        (lambda url: EvolutionClient(url, "wrong"), "the api_key argument"),
        (
            lambda url: EvolutionClient(config=EvolutionConfig(url, "wrong")),
            "EVOLUTION_API_KEY",
        ),
        (
            lambda url: EvolutionClient(
                config=EvolutionConfig(url, KEY, authentication={"api_key": "wrong"})
            ),
            "EVOLUTION_AUTHENTICATION_API_KEY",
        ),
    ],
)
def test_a_refused_key_names_where_it_came_from(
    make: Any, source: str, fake: FakeEvolution
) -> None:
    with make(fake.url) as client, pytest.raises(AuthenticationError) as caught:
        client.instances.create("new", integration="EVOLUTION")
    assert caught.value.key_source == source
    assert f"The refused key came from {source}" in str(caught.value)
    assert "wrong" not in str(caught.value)


def test_a_refused_token_names_its_handle(fake: FakeEvolution) -> None:
    with EvolutionClient(fake.url, KEY) as client, pytest.raises(AuthenticationError) as caught:
        client.instance("sales", token="wrong-token").messages.send_text(NUMBER, "oi")
    assert caught.value.key_source == "the token given to client.instance(…)"
    assert "wrong-token" not in str(caught.value)


# Its end


class Busy(Stream):
    """Its handler never comes to an end, such as one that closes the client and waits for it."""

    async def _session(self) -> None:
        self._up()
        await asyncio.Event().wait()


async def test_a_handler_that_does_not_end_does_not_hold_up_the_close(
    fake: FakeEvolution,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(services_module, "_PATIENCE_S", 0.01)
    monkeypatch.setattr(services_module, "open_streams", lambda *_: [Busy(print, name="busy")])
    path = env(
        tmp_path, fake, "EVOLUTION_WEBSOCKET_ENABLED=true", "EVOLUTION_MONITORING_ENABLED=false"
    )
    client = AsyncEvolutionClient.from_env(path, instance="sales")
    services = await client.start()
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await client.close()
    assert "a handler is still busy" in caplog.text
    (task,) = services._tasks
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_a_refused_key_ends_the_streams_and_is_told(
    fake: FakeEvolution, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = env(
        tmp_path, fake,
        "EVOLUTION_WEBSOCKET_ENABLED=true", "EVOLUTION_MONITORING_ENABLED=false",
    )  # fmt: skip
    with EvolutionClient.from_env(path, api_key="wrong-key") as client:
        services = client.start()
        assert services._thread is not None
        services._thread._thread.join(10)
        assert isinstance(services.error, AuthenticationError), "not a group of one"
    assert "the streams have ended with AuthenticationError" in caplog.text
    assert "wrong-key" not in caplog.text
